/**
 * Keeps the rows of triggers' logs in a table of a database, for those who want them for longer than the ring in memory
 * has them. Rows are written together now and then; what cannot be written waits in bounded number and is then dropped and
 * counted. Rows about the keeping itself, and those of triggers that its own table fires, are not kept: they would never end.
 */
import { messageOf } from "../../core/errors/database-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import { LOG_KEEP_MS, LOG_KEEP_ROWS_MAX } from "./limits.ts";
import type { LogRow, LogTable } from "./log-table.ts";

export const LOG_KEEP_TABLE = "processing_engine_logs";

export interface LogKeeperOptions {
  readonly logs: LogTable;
  /** Its triggers' rows are not kept. */
  readonly database: string;
  /** Nanoseconds. */
  readonly write: (lines: string) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: LogSink;
}

export class LogKeeper {
  readonly #options: LogKeeperOptions;
  #rows: LogRow[] = [];
  #dropped = 0;
  #cancelTimer: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(options: LogKeeperOptions) {
    this.#options = options;
    options.logs.listen((row) => this.#take(row));
  }

  /** Rows that were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Writes what it has. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#writing;
    await this.#write();
  }

  #take(row: LogRow): void {
    if (this.#closed || row.database === this.#options.database) return;
    if (this.#rows.length >= LOG_KEEP_ROWS_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#rows.push(row);
    this.#arm();
  }

  #arm(): void {
    if (this.#cancelTimer !== undefined || this.#writing !== undefined || this.#closed) return;
    this.#cancelTimer = this.#options.clock.after(LOG_KEEP_MS, () => {
      this.#cancelTimer = undefined;
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        if (this.#rows.length > 0) this.#arm();
      });
    });
  }

  async #write(): Promise<void> {
    const rows = this.#rows;
    if (rows.length === 0) return;
    this.#rows = [];
    try {
      await this.#options.write(rows.map(lineOf).join("\n"));
    } catch (error) {
      // Those that came meanwhile are newer.
      const kept = [...rows, ...this.#rows].slice(0, LOG_KEEP_ROWS_MAX);
      this.#dropped += rows.length + this.#rows.length - kept.length;
      this.#rows = kept;
      this.#options.log.log("warn", `The triggers' log rows cannot be kept in database '${this.#options.database}', they wait: ${messageOf(error)}`);
    }
  }
}

function lineOf(row: LogRow): string {
  const tags = [["database", row.database], ["trigger", row.triggerName], ["level", row.level]] as const;
  const fields = [["log_text", row.text], ["traceback", row.traceback], ["run_id", row.runId]] as const;
  const tagText = tags.filter(([, value]) => value !== "").map(([name, value]) => `,${name}=${escapedTag(value)}`).join("");
  const fieldText = fields.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}="${escapedText(value ?? "")}"`).join(",");
  return `${LOG_KEEP_TABLE}${tagText} ${fieldText} ${row.timeNs}`;
}

/** Names hold no line ends, but a database's name may hold anything else. */
const escapedTag = (text: string): string => text.replaceAll(/[,= \\]/g, "\\$&").replaceAll(/[\r\n]/g, " ");
const escapedText = (text: string): string => text.replaceAll(/["\\]/g, "\\$&");
