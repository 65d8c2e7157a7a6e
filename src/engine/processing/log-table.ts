/**
 * The rows of `system.processing_engine_logs`: a ring in memory for each trigger, bounded in rows and bytes; the oldest row
 * goes first (spec: processing-engine §17). When all together are too large, the largest ring gives way, so that a noisy
 * trigger cannot push out the rows of the others.
 */
import type { Clock } from "../../ports/clock.ts";
import { LOG_ROW_BYTES, LOG_TABLE_BYTES_MAX, LOG_TEXT_BYTES_MAX } from "./limits.ts";

export type LogRowLevel = "DEBUG" | "INFO" | "WARN" | "ERROR";

/** Whose row it is. */
export interface LogSource {
  /** Unique for the server's life. */
  readonly key: string;
  readonly trigger: string;
  readonly database: string;
}

export interface LogDetail {
  readonly runId?: string | undefined;
  /** Python's. */
  readonly traceback?: string | undefined;
}

export interface LogRow {
  readonly timeNs: bigint;
  readonly triggerName: string;
  readonly database: string;
  readonly level: LogRowLevel;
  readonly text: string;
  readonly traceback: string | undefined;
  readonly runId: string | undefined;
}

export class LogTable {
  readonly #clock: Clock;
  readonly #rowsMax: number;
  readonly #bytesMax: number;
  readonly #rings = new Map<string, Ring>();
  #listener: ((row: LogRow) => void) | undefined;
  #bytes = 0;
  #timeLast = 0n;

  /** `rowsMax`: of one trigger; `bytesMax`: of all together. */
  constructor(clock: Clock, rowsMax: number, bytesMax: number = LOG_TABLE_BYTES_MAX) {
    this.#clock = clock;
    this.#rowsMax = rowsMax;
    this.#bytesMax = bytesMax;
  }

  /** Times ascend strictly, so that `ORDER BY event_time` gives the order of logging. */
  add(source: LogSource, level: LogRowLevel, text: string, detail: LogDetail = {}): void {
    const now = this.#clock.nowNs();
    this.#timeLast = now > this.#timeLast ? now : this.#timeLast + 1n;
    const traceback = detail.traceback === undefined ? undefined : bounded(detail.traceback);
    const row: LogRow = { timeNs: this.#timeLast, triggerName: source.trigger, database: source.database, level, text: bounded(text), traceback, runId: detail.runId };
    let ring = this.#rings.get(source.key);
    if (ring === undefined) this.#rings.set(source.key, (ring = new Ring()));
    ring.push(row);
    this.#bytes += sizeOf(row);
    if (ring.length > this.#rowsMax) this.#bytes -= ring.shift();
    while (this.#bytes > this.#bytesMax) this.#shrink();
    this.#listener?.(row);
  }

  /** Of all triggers, oldest first. */
  rows(): LogRow[] {
    const rings = [...this.#rings.values()];
    const all = rings.flatMap((ring) => ring.rows());
    return rings.length === 1 ? all : all.sort((left, right) => (left.timeNs < right.timeNs ? -1 : 1));
  }

  /** Hears of every row from now on; the last one who asked does. */
  listen(listener: (row: LogRow) => void): void {
    this.#listener = listener;
  }

  #shrink(): void {
    let largest: [key: string, ring: Ring] | undefined;
    for (const entry of this.#rings) if (largest === undefined || entry[1].bytes > largest[1].bytes) largest = entry;
    if (largest === undefined) return;
    const [key, ring] = largest;
    this.#bytes -= ring.shift();
    if (ring.length === 0) this.#rings.delete(key);
  }
}

/** The rows of one trigger. */
class Ring {
  /** Oldest first; those before `#oldest` are gone. */
  #rows: LogRow[] = [];
  #oldest = 0;
  bytes = 0;

  get length(): number {
    return this.#rows.length - this.#oldest;
  }

  push(row: LogRow): void {
    this.#rows.push(row);
    this.bytes += sizeOf(row);
  }

  /** Lets the oldest go; returns its size. */
  shift(): number {
    const size = sizeOf(this.#rows[this.#oldest] as LogRow);
    this.bytes -= size;
    this.#rows[this.#oldest] = GONE;
    this.#oldest += 1;
    if (this.#oldest > this.length + COMPACT_ROWS_MIN) {
      this.#rows = this.#rows.slice(this.#oldest);
      this.#oldest = 0;
    }
    return size;
  }

  rows(): LogRow[] {
    return this.#rows.slice(this.#oldest);
  }
}

/** Compacting fewer rows is not worth it. */
const COMPACT_ROWS_MIN = 64;

const GONE: LogRow = { timeNs: 0n, triggerName: "", database: "", level: "INFO", text: "", traceback: undefined, runId: undefined };

const sizeOf = (row: LogRow): number => LOG_ROW_BYTES + 2 * (row.text.length + (row.traceback?.length ?? 0) + (row.runId?.length ?? 0));

function bounded(text: string): string {
  if (text.length <= LOG_TEXT_BYTES_MAX) return text;
  return `${text.slice(0, LOG_TEXT_BYTES_MAX)}… (${text.length - LOG_TEXT_BYTES_MAX} more characters)`;
}
