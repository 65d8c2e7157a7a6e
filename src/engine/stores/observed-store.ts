/**
 * An object store under watch: how often and how long it is asked, what goes wrong, and since when it is down. That is
 * said once, not per retry. While it is down only one call of each kind at a time tries it, once a second; the others fail at
 * once, so that nobody waits in a line behind timeouts.
 */
import { DatabaseError, isDatabaseError, messageOf } from "../../core/errors/database-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import { DURATION_CLASSES_SECONDS, PROBE_MS, TROUBLE_MS_MAX } from "./limits.ts";

export type StoreOp = "get" | "put" | "list" | "delete";
export type StoreResult = "success" | "error";

export interface OpStatistics {
  readonly op: StoreOp;
  readonly result: StoreResult;
  readonly count: number;
  readonly seconds: number;
  /** Calls per class of `DURATION_CLASSES_SECONDS`, the last for all longer ones; not cumulated. */
  readonly classes: readonly number[];
}

export interface StoreStatistics {
  readonly ops: readonly OpStatistics[];
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Attempts after a failed one, within calls. */
  readonly retries: number;
  readonly isUp: boolean;
}

export interface ObservedStoreOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: LogSink;
  /** True: it is far away, so it is spared while it is down. */
  readonly remote: boolean;
}

/** Calls of one kind fail. */
interface Trouble {
  readonly sinceMs: number;
  lastMs: number;
  error: DatabaseError;
  /** One call finds out whether it is over. */
  isProbed: boolean;
}

const MS_PER_SECOND = 1_000;
const REQUEST_TIMEOUT = 408;
const CONFLICT = 409;
const TOO_MANY_REQUESTS = 429;

/** The store answers, but does not do it: keys, rights, the bucket. */
function isRefusal(error: DatabaseError): boolean {
  const status = error.details?.["status"];
  return typeof status === "number" && status < 500 && ![REQUEST_TIMEOUT, CONFLICT, TOO_MANY_REQUESTS].includes(status);
}

export class ObservedStore implements ObjectStore {
  readonly #options: ObservedStoreOptions;
  readonly #ops = new Map<string, { op: StoreOp; result: StoreResult; count: number; seconds: number; classes: number[] }>();
  /** By kind of call: a full disk is read, and a key without rights to delete writes. */
  readonly #troubles = new Map<StoreOp, Trouble>();
  #bytesRead = 0;
  #bytesWritten = 0;
  #retries = 0;

  constructor(options: ObservedStoreOptions) {
    this.#options = options;
  }

  async get(path: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#run("get", () => this.#options.store.get(path));
    this.#bytesRead += bytes?.length ?? 0;
    return bytes;
  }

  async put(path: string, bytes: Uint8Array, options?: { readonly ifAbsent?: boolean }): Promise<void> {
    await this.#run("put", () => this.#options.store.put(path, bytes, options));
    this.#bytesWritten += bytes.length;
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#run("list", () => this.#options.store.list(prefix));
  }

  delete(path: string): Promise<void> {
    return this.#run("delete", () => this.#options.store.delete(path));
  }

  statistics(): StoreStatistics {
    return { ops: [...this.#ops.values()], bytesRead: this.#bytesRead, bytesWritten: this.#bytesWritten, retries: this.#retries, isUp: this.#troubles.size === 0 };
  }

  /** The store tries a call again. */
  noteRetry(): void {
    this.#retries++;
  }

  /** What is wrong now, in a sentence; undefined: nothing. */
  trouble(): string | undefined {
    const trouble = this.#troubles.values().next().value;
    if (trouble === undefined) return undefined;
    const seconds = Math.round((this.#options.clock.monotonicMs() - trouble.sinceMs) / MS_PER_SECOND);
    return `object store unavailable for ${seconds} s: ${trouble.error.message}`;
  }

  async #run<T>(op: StoreOp, call: () => Promise<T>): Promise<T> {
    const { clock } = this.#options;
    const startMs = clock.monotonicMs();
    const probed = this.#mayTry(op, startMs);
    try {
      const value = await call();
      this.#count(op, "success", startMs);
      this.#worked(op);
      return value;
    } catch (error) {
      // An object that exists already is an answer.
      const answered = isDatabaseError(error) && error.code === "object_store.exists";
      this.#count(op, answered ? "success" : "error", startMs);
      if (answered) this.#worked(op);
      else this.#failed(op, isDatabaseError(error) ? error : new DatabaseError("object_store.unavailable", { message: messageOf(error) }));
      throw error;
    } finally {
      if (probed !== undefined) probed.isProbed = false;
    }
  }

  /** Throws what is wrong when it was found out just now; otherwise, in trouble, this call finds out for all of its kind. */
  #mayTry(op: StoreOp, nowMs: number): Trouble | undefined {
    const trouble = this.#troubles.get(op);
    if (trouble === undefined || !this.#options.remote || isRefusal(trouble.error)) return undefined;
    if (trouble.isProbed || nowMs - trouble.lastMs < PROBE_MS) throw DatabaseError.fromRecord(trouble.error.toRecord());
    trouble.isProbed = true;
    return trouble;
  }

  #worked(op: StoreOp): void {
    if (this.#troubles.size === 0) return;
    const { clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    const [first] = this.#troubles.values();
    // Calls of another kind may not come again for long: that the store was out of reach passes with any that works, and so does what is old.
    for (const [kind, { lastMs, error }] of this.#troubles) {
      if (kind === op || this.#isOutOfReach(error) || nowMs - lastMs > TROUBLE_MS_MAX) this.#troubles.delete(kind);
    }
    if (this.#troubles.size === 0) log.log("info", `The object store works again after ${Math.round((nowMs - (first?.sinceMs ?? nowMs)) / MS_PER_SECOND)} s`);
  }

  /** A far store that gave no answer at all; a near one fails by kind, as a full disk does. */
  #isOutOfReach({ details }: DatabaseError): boolean {
    return this.#options.remote && details?.["status"] === undefined;
  }

  #failed(op: StoreOp, error: DatabaseError): void {
    const { clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    const known = this.#troubles.get(op);
    if (known !== undefined) {
      known.lastMs = nowMs;
      known.error = error;
      return;
    }
    if (this.#troubles.size === 0) log.log("warn", `The object store does not work: ${messageOf(error)}; this is said once, /health and /metrics show how it goes on`, error.hint === undefined ? {} : { hint: error.hint });
    this.#troubles.set(op, { sinceMs: nowMs, lastMs: nowMs, error, isProbed: false });
  }

  #count(op: StoreOp, result: StoreResult, startMs: number): void {
    const key = `${op} ${result}`;
    const entry = this.#ops.get(key) ?? { op, result, count: 0, seconds: 0, classes: Array.from({ length: DURATION_CLASSES_SECONDS.length + 1 }, () => 0) };
    this.#ops.set(key, entry);
    const seconds = (this.#options.clock.monotonicMs() - startMs) / MS_PER_SECOND;
    const found = DURATION_CLASSES_SECONDS.findIndex((end) => seconds <= end);
    const index = found < 0 ? DURATION_CLASSES_SECONDS.length : found;
    entry.classes[index] = (entry.classes[index] as number) + 1;
    entry.count++;
    entry.seconds += seconds;
  }
}
