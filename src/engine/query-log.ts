/** What `system.queries` shows: the last queries of the whole server, running ones included (spec: query §3). */
import { isDatabaseError } from "../core/errors/database-error.ts";
import type { ResultBatch } from "../core/query/query-stream.ts";
import type { Clock } from "../ports/clock.ts";

/** As the reference keeps. */
export const QUERY_LOG_ENTRIES_DEFAULT = 1_000;

export type QueryPhase = "received" | "planned" | "permit" | "success" | "fail" | "cancel";

export interface LoggedQuery {
  readonly id: string;
  readonly phase: QueryPhase;
  readonly issuedNs: bigint;
  readonly database: string;
  readonly text: string;
  /** Files its scans read; undefined before it was planned. */
  readonly fileCount: number | undefined;
  /** Nanoseconds; undefined for what did not come to its end. */
  readonly planNs: bigint | undefined;
  readonly permitNs: bigint | undefined;
  readonly executeNs: bigint | undefined;
  readonly endToEndNs: bigint | undefined;
}

export interface QueryLogOptions {
  readonly clock: Clock;
  readonly entriesMax: number;
  readonly newId: () => string;
}

const NS_PER_MS = 1_000_000;

/** One query on its way. */
export class QueryRecord {
  readonly #clock: Clock;
  readonly #started: number;
  #last: number;
  #state: LoggedQuery;

  constructor(clock: Clock, id: string, { database, text }: { readonly database: string; readonly text: string }) {
    this.#clock = clock;
    this.#started = clock.monotonicMs();
    this.#last = this.#started;
    this.#state = { id, phase: "received", issuedNs: clock.nowNs(), database, text, fileCount: undefined, planNs: undefined, permitNs: undefined, executeNs: undefined, endToEndNs: undefined };
  }

  get state(): LoggedQuery {
    return this.#state;
  }

  planned(fileCount: number): void {
    this.#state = { ...this.#state, phase: "planned", fileCount, planNs: this.#sinceLast() };
  }

  /** It has its place in the engine. */
  permitted(): void {
    this.#state = { ...this.#state, phase: "permit", permitNs: this.#sinceLast() };
  }

  /** Only the first end counts. */
  ended(phase: "success" | "fail" | "cancel"): void {
    if (this.#state.endToEndNs !== undefined) return;
    const executeNs = this.#state.phase === "permit" ? this.#sinceLast() : undefined;
    this.#state = { ...this.#state, phase, executeNs, endToEndNs: this.#ns(this.#clock.monotonicMs() - this.#started) };
  }

  failed(error: unknown): void {
    this.ended(isDatabaseError(error) && error.code === "query.cancelled" ? "cancel" : "fail");
  }

  #sinceLast(): bigint {
    const now = this.#clock.monotonicMs();
    const span = this.#ns(now - this.#last);
    this.#last = now;
    return span;
  }

  #ns(ms: number): bigint {
    return BigInt(Math.round(ms * NS_PER_MS));
  }
}

export class QueryLog {
  readonly #options: QueryLogOptions;
  readonly #records: QueryRecord[] = [];

  constructor(options: QueryLogOptions) {
    this.#options = options;
  }

  start(asked: { readonly database: string; readonly text: string }): QueryRecord {
    const { clock, entriesMax, newId } = this.#options;
    const record = new QueryRecord(clock, newId(), asked);
    this.#records.push(record);
    if (this.#records.length > entriesMax) this.#records.shift();
    return record;
  }

  /** Oldest first. */
  entries(): readonly LoggedQuery[] {
    return this.#records.map((record) => record.state);
  }
}

/** The batches, with their end told to the record: all read, failed, or left early. */
export async function* recorded(batches: AsyncIterable<ResultBatch>, record: QueryRecord): AsyncGenerator<ResultBatch> {
  try {
    yield* batches;
    record.ended("success");
  } catch (error) {
    record.failed(error);
    throw error;
  } finally {
    record.ended("cancel");
  }
}
