/**
 * The rows of `system.processing_engine_logs`: a ring in memory, oldest overwritten (spec: processing-engine §17).
 */
import type { Clock } from "../../ports/clock.ts";
import { LOG_TEXT_BYTES_MAX } from "./limits.ts";

export type LogRowLevel = "INFO" | "WARN" | "ERROR";

export interface LogRow {
  readonly timeNs: bigint;
  readonly triggerName: string;
  readonly level: LogRowLevel;
  readonly text: string;
}

export class LogTable {
  readonly #clock: Clock;
  readonly #rowsMax: number;
  readonly #rows: LogRow[] = [];
  #oldest = 0;
  #timeLast = 0n;

  constructor(clock: Clock, rowsMax: number) {
    this.#clock = clock;
    this.#rowsMax = rowsMax;
  }

  /** Times ascend strictly, so that `ORDER BY event_time` gives the order of logging. */
  add(triggerName: string, level: LogRowLevel, text: string): void {
    const now = this.#clock.nowNs();
    this.#timeLast = now > this.#timeLast ? now : this.#timeLast + 1n;
    const row: LogRow = { timeNs: this.#timeLast, triggerName, level, text: bounded(text) };
    if (this.#rows.length < this.#rowsMax) {
      this.#rows.push(row);
      return;
    }
    this.#rows[this.#oldest] = row;
    this.#oldest = (this.#oldest + 1) % this.#rowsMax;
  }

  /** Oldest first. */
  rows(): LogRow[] {
    return [...this.#rows.slice(this.#oldest), ...this.#rows.slice(0, this.#oldest)];
  }
}

function bounded(text: string): string {
  if (text.length <= LOG_TEXT_BYTES_MAX) return text;
  return `${text.slice(0, LOG_TEXT_BYTES_MAX)}… (${text.length - LOG_TEXT_BYTES_MAX} more characters)`;
}
