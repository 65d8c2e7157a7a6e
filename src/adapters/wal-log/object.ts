/**
 * The WAL in an object store: each commit is an object of its own, created and never replaced. A store that is down does
 * not fail a commit, whose outcome would be unknown then: it is tried until it is known. A number that another process has
 * used ends all writing here.
 */
import { joinBytes } from "../../core/bytes/join.ts";
import { encodeFileHeader } from "../../core/wal/record.ts";
import { DatabaseError, isDatabaseError, messageOf } from "../../core/errors/database-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { WalLog } from "../../ports/wal-log.ts";
import { walFileName, walFileNumber } from "../../core/wal/file-name.ts";
import { CONFIRMED_MS_MAX, OBJECT_RETRY_MS, OBJECTS_READ_AHEAD, TAKE_OVER_ATTEMPTS_MAX } from "./limits.ts";

export interface ObjectWalLogOptions {
  readonly store: ObjectStore;
  /** `<node-id>/wal/`. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly log: LogSink;
  /** At least 0, below 1. */
  readonly random: () => number;
  /**
   * Called after each creation: it counts once this resolves; also before one after a pause. Throws `node.superseded` when this process may not write any
   * more, `object_store.unavailable` when that cannot be found out now.
   */
  readonly confirm: () => Promise<void>;
  /** Another process has used a number of ours: the error for all further writes. */
  readonly supersede: () => DatabaseError;
}

export function createObjectWalLog(options: ObjectWalLogOptions): WalLog {
  return new ObjectWalLog(options);
}

class ObjectWalLog implements WalLog {
  readonly oneAppendPerFile = true;
  readonly #options: ObjectWalLogOptions;
  /** What a replay will ask for next. */
  #listed: readonly number[] = [];
  readonly #ahead = new Map<number, Promise<Uint8Array | undefined>>();
  #appended = false;
  #confirmedMs = Number.NEGATIVE_INFINITY;
  #abandoned = false;
  #wake: () => void = () => undefined;
  /** Covered by snapshots, ascending. */
  #deletions: number[] = [];
  #deleting: Promise<void> | undefined;

  constructor(options: ObjectWalLogOptions) {
    this.#options = options;
  }

  async begin(fileMin: number): Promise<void> {
    const { store } = this.#options;
    for (let attempt = 0; attempt < TAKE_OVER_ATTEMPTS_MAX; attempt++) {
      const file = Math.max((await this.list()).at(-1) ?? 0, fileMin - 1) + 1;
      try {
        await store.put(this.#path(file), encodeFileHeader(file, 0n), { ifAbsent: true });
      } catch (error) {
        // The other process was quicker; it will meet the next one.
        if (isExisting(error)) continue;
        throw error;
      }
      return this.#confirm();
    }
    throw new DatabaseError("object_store.unavailable", { message: `Another process keeps writing to '${this.#options.prefix}'`, hint: "stop the other server of this node id, then start this one" });
  }

  async list(): Promise<readonly number[]> {
    const { store, prefix } = this.#options;
    const files = (await store.list(prefix)).map((path) => walFileNumber(path.slice(prefix.length))).filter((file) => file !== undefined);
    this.#listed = files.sort((left, right) => left - right);
    return this.#listed;
  }

  async read(file: number): Promise<Uint8Array> {
    const index = this.#listed.indexOf(file);
    if (index >= 0) {
      for (const next of this.#listed.slice(index, index + OBJECTS_READ_AHEAD)) if (!this.#ahead.has(next)) this.#ahead.set(next, this.#fetch(next));
      // Whoever reads the last one has seen all: later reads are of single objects.
      if (index === this.#listed.length - 1) this.#listed = [];
    }
    const bytes = await (this.#ahead.get(file) ?? this.#options.store.get(this.#path(file))).finally(() => this.#ahead.delete(file));
    if (bytes === undefined) throw new DatabaseError("object_store.not_found", { message: `There is no WAL object '${this.#path(file)}'`, hint: "restore it from a backup" });
    return bytes;
  }

  #fetch(file: number): Promise<Uint8Array | undefined> {
    const bytes = this.#options.store.get(this.#path(file));
    // Told to whoever asks for it.
    bytes.catch(() => undefined);
    return bytes;
  }

  async truncate(file: number, size: number): Promise<void> {
    const bytes = await this.read(file);
    await this.#options.store.put(this.#path(file), bytes.slice(0, size));
  }

  async append(file: number, pieces: readonly Uint8Array[]): Promise<void> {
    this.#appended = true;
    const bytes = joinBytes(pieces);
    // A process that slept must leave nothing behind: its numbers may have been used and deleted meanwhile.
    if (this.#options.clock.monotonicMs() - this.#confirmedMs > CONFIRMED_MS_MAX) await this.#untilKnown(() => this.#confirm());
    await this.#untilKnown(() => this.#create(file, bytes));
    await this.#untilKnown(() => this.#confirm());
  }

  async #confirm(): Promise<void> {
    const startMs = this.#options.clock.monotonicMs();
    await this.#options.confirm();
    this.#confirmedMs = startMs;
  }

  /** An object of the same number is ours if it has the same bytes: the answer to an earlier attempt was lost. */
  async #create(file: number, bytes: Uint8Array): Promise<void> {
    const { store, supersede } = this.#options;
    try {
      await store.put(this.#path(file), bytes, { ifAbsent: true });
    } catch (error) {
      if (!isExisting(error)) throw error;
      const found = await store.get(this.#path(file));
      if (found === undefined || !isSame(found, bytes)) throw supersede();
    }
  }

  /** Goes on while the store is down. Throws `node.superseded`, and `wal.closed` once it is given up. */
  async #untilKnown(action: () => Promise<void>): Promise<void> {
    const { clock, random } = this.#options;
    for (;;) {
      if (this.#abandoned) throw new DatabaseError("wal.closed", { message: "the WAL was closed while its object store did not answer", hint: "write again after the restart" });
      try {
        return await action();
      } catch (error) {
        if (isDatabaseError(error) && error.code === "node.superseded") throw error;
      }
      await new Promise<void>((resolve) => {
        const cancel = clock.after(OBJECT_RETRY_MS * (0.5 + random() / 2), resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
    }
  }

  abandon(): void {
    this.#abandoned = true;
    this.#wake();
  }

  /** During a replay at once; later in the background, one after another, so that no commit waits for hundreds of calls. */
  async delete(file: number): Promise<void> {
    if (!this.#appended) return this.#options.store.delete(this.#path(file));
    this.#deletions.push(file);
    this.#deleting ??= this.#deleteCovered().finally(() => (this.#deleting = undefined));
  }

  /** Ascending, so that a crash leaves no gap. What cannot be deleted waits for the next call, or for the next start. */
  async #deleteCovered(): Promise<void> {
    for (let file = this.#deletions[0]; file !== undefined && !this.#abandoned; file = this.#deletions[0]) {
      try {
        await this.#options.store.delete(this.#path(file));
      } catch (error) {
        this.#options.log.log("debug", `WAL objects that a snapshot covers cannot be deleted now: ${messageOf(error)}`);
        return;
      }
      this.#deletions.shift();
    }
  }

  async close(): Promise<void> {
    this.abandon();
    await this.#deleting;
  }

  #path(file: number): string {
    return this.#options.prefix + walFileName(file);
  }
}

const isExisting = (error: unknown): boolean => isDatabaseError(error) && error.code === "object_store.exists";

const isSame = (left: Uint8Array, right: Uint8Array): boolean => left.length === right.length && left.every((value, index) => value === right[index]);
