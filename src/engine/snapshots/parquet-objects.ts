/**
 * The Parquet objects of a node: written before a manifest names them, deleted after none does. Between the two a path is
 * claimed or doomed, and everything else below the folder is an orphan that a crash left. Deletion waits until no query
 * that still knows the file can run.
 */
import { messageOf } from "../../core/errors/database-error.ts";
import { parquetFolder } from "../../core/snapshot/manifest.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import { DELETE_RETRY_MS } from "../storage-limits.ts";
import type { PersistedFiles } from "./persisted-files.ts";

export interface ParquetObjectsOptions {
  readonly store: ObjectStore;
  readonly nodeId: string;
  readonly files: PersistedFiles;
  readonly clock: Clock;
  readonly log: LogSink;
  /** Longest life of a query. */
  readonly graceMs: number;
}

interface Doomed {
  readonly path: string;
  readonly atMs: number;
}

export class ParquetObjects {
  readonly #options: ParquetObjectsOptions;
  /** Being written, or written for a manifest that is not effective yet. */
  readonly #claimed = new Set<string>();
  readonly #doomed = new Map<string, Doomed>();
  readonly #deleting = new Map<string, Promise<void>>();
  #cancelTimer: (() => void) | undefined;
  #sweeping: Promise<void> | undefined;
  #closed = false;
  #isFailing = false;
  #deletedCount = 0;
  #orphanCount = 0;

  constructor(options: ParquetObjectsOptions) {
    this.#options = options;
  }

  /** Files deleted since the start, and how many of them were left by a crash. */
  get statistics(): { readonly deletedFiles: number; readonly orphanedFiles: number; readonly doomedFiles: number } {
    return { deletedFiles: this.#deletedCount, orphanedFiles: this.#orphanCount, doomedFiles: this.#doomed.size };
  }

  /** Writes an object that a manifest is to name; until that is effective it is no orphan. */
  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.#claimed.add(path);
    await this.#deleting.get(path)?.catch(() => undefined);
    try {
      await this.#options.store.put(path, bytes);
    } catch (error) {
      // It may be there all the same.
      await this.abandon([path]);
      throw error;
    }
  }

  /** No manifest will name these. What cannot be deleted either is an orphan that only takes up space. */
  async abandon(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      await this.#delete(path).catch(() => undefined);
      this.#claimed.delete(path);
    }
  }

  /** A manifest became effective. */
  confirm(added: readonly { readonly path: string }[], removed: readonly string[]): void {
    for (const { path } of added) this.#claimed.delete(path);
    const atMs = this.#options.clock.monotonicMs() + this.#options.graceMs;
    for (const path of removed) this.#doomed.set(path, { path, atMs });
    this.#arm();
  }

  #arm(): void {
    const first = this.#doomed.values().next().value;
    if (this.#closed || first === undefined || this.#cancelTimer !== undefined || this.#sweeping !== undefined) return;
    this.#cancelTimer = this.#options.clock.after(Math.max(0, first.atMs - this.#options.clock.monotonicMs()), () => {
      this.#cancelTimer = undefined;
      this.#sweeping = this.#sweep().finally(() => {
        this.#sweeping = undefined;
        this.#arm();
      });
    });
  }

  /** Deletes what is due, oldest first. */
  async #sweep(): Promise<void> {
    const { clock, log } = this.#options;
    for (const { path, atMs } of [...this.#doomed.values()]) {
      if (this.#closed || atMs > clock.monotonicMs()) return;
      try {
        await this.#delete(path);
        this.#doomed.delete(path);
        this.#isFailing = false;
      } catch (error) {
        // Once, not per attempt and file: the store may be down.
        log.log(this.#isFailing ? "debug" : "warn", `Parquet files that no longer count cannot be deleted; that is tried again: ${messageOf(error)}`, { path });
        this.#isFailing = true;
        this.#doomed.delete(path);
        this.#doomed.set(path, { path, atMs: clock.monotonicMs() + DELETE_RETRY_MS });
      }
    }
  }

  async #delete(path: string): Promise<void> {
    const deletion = this.#options.store.delete(path);
    this.#deleting.set(path, deletion);
    try {
      await deletion;
      this.#deletedCount++;
    } finally {
      this.#deleting.delete(path);
    }
  }

  #isKnown(path: string): boolean {
    return this.#options.files.has(path) || this.#claimed.has(path) || this.#doomed.has(path);
  }

  /** Deletes objects below the prefix that no manifest names: a crash came between file and manifest. Resolves to how many of the others are left. */
  async deleteOrphans(prefix: string = parquetFolder(this.#options.nodeId)): Promise<number> {
    let left = 0;
    for (const path of await this.#options.store.list(prefix)) {
      if (this.#closed) return left + 1;
      if (this.#isKnown(path)) left++;
      else {
        await this.#delete(path);
        this.#orphanCount++;
      }
    }
    return left;
  }

  /** What is doomed and not deleted yet is an orphan for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#sweeping;
  }
}
