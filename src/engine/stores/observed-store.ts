/**
 * An object store under watch: how often and how long it is asked, what goes wrong, and since when it is down. That is
 * said once, not per retry. While it is down only one call at a time tries it, once a second; the others fail at once, so
 * that nobody waits in a line behind timeouts.
 */
import { DatabaseError, isDatabaseError, messageOf } from "../../core/errors/database-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import { DURATION_CLASSES_SECONDS, PROBE_MS } from "./limits.ts";

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

interface Trouble {
  readonly sinceMs: number;
  readonly error: DatabaseError;
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
  readonly #refused = new Map<StoreOp, Trouble>();
  #down: Trouble | undefined;
  #probing = false;
  #lastFailureMs = Number.NEGATIVE_INFINITY;
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
    return { ops: [...this.#ops.values()], bytesRead: this.#bytesRead, bytesWritten: this.#bytesWritten, retries: this.#retries, isUp: this.#down === undefined && this.#refused.size === 0 };
  }

  /** The store tries a call again. */
  noteRetry(): void {
    this.#retries++;
  }

  /** What is wrong now, in a sentence; undefined: nothing. */
  trouble(): string | undefined {
    const trouble = this.#down ?? this.#refused.values().next().value;
    if (trouble === undefined) return undefined;
    const seconds = Math.round((this.#options.clock.monotonicMs() - trouble.sinceMs) / MS_PER_SECOND);
    return `object store unavailable for ${seconds} s: ${trouble.error.message}`;
  }

  async #run<T>(op: StoreOp, call: () => Promise<T>): Promise<T> {
    const { clock } = this.#options;
    const startMs = clock.monotonicMs();
    const probe = this.#mayTry(startMs);
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
      if (probe) this.#probing = false;
    }
  }

  /** Throws what is wrong when it was found out just now; true: this call finds out for all. */
  #mayTry(nowMs: number): boolean {
    if (this.#down === undefined || !this.#options.remote) return false;
    if (this.#probing || nowMs - this.#lastFailureMs < PROBE_MS) throw DatabaseError.fromRecord(this.#down.error.toRecord());
    this.#probing = true;
    return true;
  }

  #worked(op: StoreOp): void {
    const { clock, log } = this.#options;
    const trouble = this.#down ?? this.#refused.get(op);
    this.#refused.delete(op);
    this.#down = undefined;
    if (trouble !== undefined) log.log("info", `The object store works again after ${Math.round((clock.monotonicMs() - trouble.sinceMs) / MS_PER_SECOND)} s`);
  }

  #failed(op: StoreOp, error: DatabaseError): void {
    const { clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#lastFailureMs = nowMs;
    const known = isRefusal(error) ? this.#refused.get(op) : this.#down;
    const trouble: Trouble = { sinceMs: known?.sinceMs ?? nowMs, error };
    if (isRefusal(error)) this.#refused.set(op, trouble);
    else this.#down = trouble;
    if (known === undefined) log.log("warn", `The object store does not work: ${messageOf(error)}; this is said once, /health and /metrics show how it goes on`, error.hint === undefined ? {} : { hint: error.hint });
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
