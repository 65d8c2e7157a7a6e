/**
 * Decides when a WAL file that a snapshot covers may go: once every reader of the feed has passed it, or when the kept
 * files pass their limit. Then those who had not passed it are told what they lose, and what is left of the log still
 * says where every durable trigger stands (design §8.12).
 */
import { messageOf } from "../../core/errors/database-error.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { GroupCommit, WalFileEnd } from "../group-commit.ts";

/** One trigger that reads the log. */
export interface LogFollower {
  /** Sequence up to which it needs nothing more of the log. */
  position(): number;
  /** The log is about to lose everything up to `through`; waited for, so that it can still be counted. */
  lose(through: number): Promise<void>;
}

export interface WalRetentionOptions {
  readonly commit: Pick<GroupCommit, "files" | "discardThrough">;
  readonly retainBytesMax: number;
  /** Makes the positions of durable triggers durable again that stand in records up to `through`. */
  readonly carryPositions: (through: number) => Promise<void>;
  readonly log: LogSink;
}

export class WalRetention {
  readonly #options: WalRetentionOptions;
  readonly #followers = new Set<LogFollower>();
  #covered = 0;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(options: WalRetentionOptions) {
    this.#options = options;
  }

  /** A snapshot has persisted everything up to the sequence. */
  cover(sequence: number): void {
    this.#covered = Math.max(this.#covered, sequence);
    this.check();
  }

  follow(follower: LogFollower): () => void {
    this.#followers.add(follower);
    return () => {
      this.#followers.delete(follower);
      this.check();
    };
  }

  /** Somebody moved on. */
  check(): void {
    const first = this.#options.commit.files[0];
    if (first === undefined || first.lastSequence > this.#covered) return;
    this.#again = true;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  /** Bytes of files that are kept for followers alone. */
  get retainedBytes(): number {
    return this.#coveredFiles().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async close(): Promise<void> {
    this.#again = false;
    await this.#running;
  }

  #coveredFiles(): WalFileEnd[] {
    return this.#options.commit.files.filter(({ lastSequence }) => lastSequence <= this.#covered);
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const through = this.#releasable();
      if (through === undefined) continue;
      try {
        await this.#options.carryPositions(through);
      } catch (error) {
        this.#options.log.log("warn", `WAL files are kept: the positions of durable triggers cannot be written: ${messageOf(error)}`);
        continue;
      }
      const behind = [...this.#followers].filter((follower) => follower.position() < through);
      await Promise.all(behind.map((follower) => follower.lose(through)));
      this.#options.commit.discardThrough(through);
    }
  }

  /** Last sequence of the files that may go; undefined: none may. */
  #releasable(): number | undefined {
    const files = this.#coveredFiles();
    let needed = Number.POSITIVE_INFINITY;
    for (const follower of this.#followers) needed = Math.min(needed, follower.position());
    let keep = files.findIndex(({ lastSequence }) => lastSequence > needed);
    if (keep < 0) keep = files.length;
    let bytes = files.slice(keep).reduce((sum, file) => sum + file.bytes, 0);
    for (; keep < files.length && bytes > this.#options.retainBytesMax; keep++) bytes -= (files[keep] as WalFileEnd).bytes;
    return files[keep - 1]?.lastSequence;
  }
}
