/**
 * The rows of `system.processing_engine_logs`: a ring in memory, bounded in rows and bytes, oldest overwritten (spec: processing-engine §17).
 */
import type { Clock } from "../../ports/clock.ts";
import { LOG_ROW_BYTES, LOG_TABLE_BYTES_MAX, LOG_TEXT_BYTES_MAX } from "./limits.ts";

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
  readonly #bytesMax: number;
  /** Oldest first; the rows before `#oldest` are gone. */
  #rows: LogRow[] = [];
  #oldest = 0;
  #bytes = 0;
  #timeLast = 0n;

  constructor(clock: Clock, rowsMax: number, bytesMax: number = LOG_TABLE_BYTES_MAX) {
    this.#clock = clock;
    this.#rowsMax = rowsMax;
    this.#bytesMax = bytesMax;
  }

  /** Times ascend strictly, so that `ORDER BY event_time` gives the order of logging. */
  add(triggerName: string, level: LogRowLevel, text: string): void {
    const now = this.#clock.nowNs();
    this.#timeLast = now > this.#timeLast ? now : this.#timeLast + 1n;
    const row: LogRow = { timeNs: this.#timeLast, triggerName, level, text: bounded(text) };
    this.#rows.push(row);
    this.#bytes += sizeOf(row);
    while (this.#rows.length - this.#oldest > this.#rowsMax || (this.#bytes > this.#bytesMax && this.#rows.length - this.#oldest > 1)) this.#drop();
    if (this.#oldest > this.#rowsMax) {
      this.#rows = this.#rows.slice(this.#oldest);
      this.#oldest = 0;
    }
  }

  /** Oldest first. */
  rows(): LogRow[] {
    return this.#rows.slice(this.#oldest);
  }

  #drop(): void {
    const row = this.#rows[this.#oldest] as LogRow;
    this.#bytes -= sizeOf(row);
    this.#rows[this.#oldest] = GONE;
    this.#oldest += 1;
  }
}

const GONE: LogRow = { timeNs: 0n, triggerName: "", level: "INFO", text: "" };

const sizeOf = (row: LogRow): number => LOG_ROW_BYTES + 2 * row.text.length;

function bounded(text: string): string {
  if (text.length <= LOG_TEXT_BYTES_MAX) return text;
  return `${text.slice(0, LOG_TEXT_BYTES_MAX)}… (${text.length - LOG_TEXT_BYTES_MAX} more characters)`;
}
