/**
 * Deletes Parquet files all of whose rows are older than the retention period of their table or database. Rows of other
 * files only stop showing in queries. Files are taken out of the manifests first and deleted afterwards.
 */
import { messageOf } from "../../core/errors/database-error.ts";
import type { PersistedFile } from "../../core/snapshot/manifest.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import { FILES_PER_REMOVAL_MAX } from "../storage-limits.ts";
import type { ManifestLog } from "./manifest-log.ts";

export interface RetentionKeeperOptions {
  readonly manifests: ManifestLog;
  /** Undefined: rows of the table never expire, or it is not there. */
  readonly retentionOf: (tableId: number) => bigint | undefined;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly checkMs: number;
}

export class RetentionKeeper {
  readonly #options: RetentionKeeperOptions;
  #running: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #closed = false;
  #expired = 0;

  constructor(options: RetentionKeeperOptions) {
    this.#options = options;
    this.#arm();
  }

  /** Files taken out since the start. */
  get expiredFiles(): number {
    return this.#expired;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#running;
  }

  #arm(): void {
    if (this.#closed) return;
    this.#cancelTimer = this.#options.clock.after(this.#options.checkMs, () => {
      this.#running = this.checkNow().finally(() => this.#arm());
    });
  }

  /** A failure is logged; the next check tries again. */
  async checkNow(): Promise<void> {
    try {
      for (let expired = this.#find(); expired.length > 0 && !this.#closed; expired = this.#find()) {
        // Looked at anew when it is its turn: the period may have been made longer meanwhile.
        const isDone = await this.#options.manifests.append(() => {
          expired = this.#find();
          return expired.length === 0 ? undefined : { added: [], removed: expired.map(({ path }) => path) };
        });
        if (!isDone) return;
        this.#expired += expired.length;
        this.#options.log.log("info", `Removed ${expired.length} Parquet files whose rows are past their retention period`);
      }
    } catch (error) {
      this.#options.log.log("warn", `Expired Parquet files cannot be removed; the next check tries again: ${messageOf(error)}`);
    }
  }

  #find(): PersistedFile[] {
    const { manifests, retentionOf, clock } = this.#options;
    const nowNs = clock.nowNs();
    const expired: PersistedFile[] = [];
    for (const [tableId, files] of manifests.files.tables()) {
      const retentionNs = retentionOf(tableId);
      if (retentionNs === undefined) continue;
      for (const file of files) if (file.timeMax < nowNs - retentionNs && expired.length < FILES_PER_REMOVAL_MAX) expired.push(file);
    }
    return expired;
  }
}
