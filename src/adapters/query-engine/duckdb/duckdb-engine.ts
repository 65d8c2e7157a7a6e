/**
 * DuckDB as the query engine: one instance in memory, locked down before the first query, a connection per query, results
 * fetched chunk by chunk as the consumer asks. Few queries run at once, since each holds a thread of libuv's pool.
 */
import { DatabaseError } from "../../../core/errors/database-error.ts";
import type { ResultBatch } from "../../../core/query/query-stream.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { EngineQuery, EngineResult, QueryEngine } from "../../../ports/query-engine.ts";
import { api, type Connection, type Database, type DataChunk, type Result } from "./bindings.ts";
import { engineError, stoppedError, type StopReason } from "./engine-errors.ts";
import { CONCURRENT_QUERIES_DEFAULT, ENGINE_MEMORY_DEFAULT, ENGINE_THREADS_DEFAULT, MEMORY_LOOK_MS, WAITING_QUERIES_MAX } from "./limits.ts";
import { Permits } from "./permits.ts";
import { readVector } from "./read-vector.ts";
import { prepareTyped } from "./prepare-typed.ts";
import { type ParquetPlace, relationView, textSql } from "./relation-view.ts";
import { registerScan } from "./scan-function.ts";
import { mapTags, RelationSource } from "./scan-relation.ts";
import { TagDictionaries } from "./tag-dictionary.ts";

export interface DuckdbOptions {
  readonly clock: Clock;
  /** Queries that run at once. Default 2: libuv's pool minus two. */
  readonly concurrentQueriesMax?: number | undefined;
  /** Default 512 MB. */
  readonly memoryBytes?: number | undefined;
  /** Default 2. */
  readonly threads?: number;
  /** A folder of the engine's own for what does not fit its memory, with the most bytes there; undefined: nothing is written. */
  readonly spill?: { readonly folder: string; readonly bytesMax: number } | undefined;
  /** Where Parquet files are; undefined: there are none, and the engine reads no file at all. */
  readonly parquet?: ParquetPlace;
}

const INTERRUPT_AGAIN_MS = 50;

/** Order matters: what may be read is fixed (the node's Parquet folder or nothing), then access goes, then the settings themselves. */
function lockDown(options: DuckdbOptions): readonly string[] {
  return [
    "SET TimeZone = 'UTC'",
    `SET memory_limit = '${Math.max(1, Math.floor((options.memoryBytes ?? ENGINE_MEMORY_DEFAULT) / 1000))}KB'`,
    `SET threads = ${options.threads ?? ENGINE_THREADS_DEFAULT}`,
    "SET ieee_floating_point_ops = true",
    "SET preserve_insertion_order = true",
    `SET temp_directory = ${textSql(options.spill?.folder ?? "")}`,
    ...(options.spill === undefined ? [] : [`SET max_temp_directory_size = '${Math.floor(options.spill.bytesMax / 1000)}KB'`]),
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    ...(options.parquet === undefined ? [] : [`SET allowed_directories = [${textSql(options.parquet.allowedFolder)}]`]),
    "SET enable_external_access = false",
    "SET lock_configuration = true",
  ];
}

/** A query's life: its place, its connection, its sources, why it was stopped. */
interface Running {
  readonly query: EngineQuery;
  readonly release: () => void;
  readonly timer: () => void;
  readonly onAbort: () => void;
  connection: Connection | undefined;
  reason: StopReason;
  closed: boolean;
  busy: Promise<unknown>;
  /** Cancels the next repeat of an interrupt. */
  knocking: (() => void) | undefined;
  finished: Promise<void> | undefined;
}

export class DuckdbEngine implements QueryEngine {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #permits: Permits;
  readonly #parquetFolder: string;
  readonly #sources: Map<number, RelationSource>;
  readonly #dictionaries = new TagDictionaries();
  readonly #running = new Set<Running>();
  #closed = false;
  #memoryBytes = 0;
  #watching = false;

  private constructor(database: Database, sources: Map<number, RelationSource>, options: DuckdbOptions) {
    this.#database = database;
    this.#sources = sources;
    this.#clock = options.clock;
    this.#parquetFolder = options.parquet?.storeFolder ?? "";
    this.#permits = new Permits(options.concurrentQueriesMax ?? CONCURRENT_QUERIES_DEFAULT, WAITING_QUERIES_MAX);
  }

  static async open(options: DuckdbOptions): Promise<DuckdbEngine> {
    const database = await api.open(":memory:");
    const connection = await api.connect(database);
    const sources = new Map<number, RelationSource>();
    registerScan(connection, sources);
    for (const statement of lockDown(options)) await api.query(connection, statement);
    api.disconnect_sync(connection);
    return new DuckdbEngine(database, sources, options);
  }

  statistics(): { readonly running: number; readonly waiting: number; readonly memoryBytes: number } {
    return { running: this.#permits.taken, waiting: this.#permits.waiting, memoryBytes: this.#memoryBytes };
  }

  /** Asks the engine for its memory now and then while queries run, so that a look at it costs nothing. */
  #watchMemory(): void {
    if (this.#watching) return;
    this.#watching = true;
    const look = async (): Promise<void> => {
      this.#memoryBytes = await memoryOf(this.#database);
      if (this.#running.size > 0 && !this.#closed) this.#clock.after(MEMORY_LOOK_MS, () => void look().catch(stop));
      else stop();
    };
    const stop = (): void => void (this.#watching = false);
    this.#clock.after(MEMORY_LOOK_MS, () => void look().catch(stop));
  }

  async execute(query: EngineQuery): Promise<EngineResult> {
    if (this.#closed) throw new DatabaseError("query.cancelled", { message: "Query engine is closed" });
    const stop = new AbortController();
    let reason: StopReason;
    const stopFor = (why: StopReason) => (): void => {
      reason ??= why;
      if (running !== undefined) this.#interrupt(running, why);
      stop.abort();
    };
    let running: Running | undefined;
    const timer = this.#clock.after(query.timeoutMs, stopFor("timeout"));
    const onAbort = stopFor("cancelled");
    if (query.signal?.aborted === true) onAbort();
    query.signal?.addEventListener("abort", onAbort, { once: true });
    let release: (() => void) | undefined;
    try {
      if (reason !== undefined) throw stoppedError(reason, query.timeoutMs);
      release = await this.#permits.acquire(stop.signal, () => stoppedError(reason, query.timeoutMs));
    } catch (error) {
      timer();
      query.signal?.removeEventListener("abort", onAbort);
      throw error;
    }
    running = { query, release, timer, onAbort, connection: undefined, reason, closed: false, busy: Promise.resolve(), knocking: undefined, finished: undefined };
    this.#running.add(running);
    this.#watchMemory();
    return this.#start(running);
  }

  async #start(running: Running): Promise<EngineResult> {
    try {
      for (const relation of running.query.relations) {
        await mapTags(relation, this.#dictionaries);
        this.#sources.set(relation.id, new RelationSource(relation, this.#dictionaries));
      }
      if (running.reason !== undefined) throw stoppedError(running.reason, running.query.timeoutMs);
      const result = await this.#step(running, async () => {
        running.connection = await api.connect(this.#database);
        for (const relation of running.query.relations) await this.#createView(running.connection, relation);
        const prepared = await prepareTyped(running.connection, running.query);
        if (running.reason !== undefined) throw stoppedError(running.reason, running.query.timeoutMs);
        return api.execute_prepared_streaming(prepared);
      });
      return { batches: this.#batches(running, result), close: () => this.#finish(running) };
    } catch (error) {
      await this.#finish(running);
      throw error;
    }
  }

  /** The statement reads files and memory as one relation; the view belongs to the query's own connection. */
  async #createView(connection: Connection, relation: EngineQuery["relations"][number]): Promise<void> {
    if (relation.persisted !== undefined) await api.query(connection, relationView(relation, relation.persisted, this.#parquetFolder));
  }

  /** One call into the engine; a later close waits for it. */
  async #step<T>(running: Running, call: () => Promise<T>): Promise<T> {
    const step = call();
    running.busy = step.catch(() => undefined);
    try {
      return await step;
    } catch (error) {
      if (error instanceof DatabaseError) throw error;
      throw engineError(error, running.reason, running.query.timeoutMs);
    }
  }

  async *#batches(running: Running, result: Result): AsyncGenerator<ResultBatch> {
    try {
      for (;;) {
        if (running.closed || running.reason !== undefined) throw stoppedError(running.reason, running.query.timeoutMs);
        const chunk = await this.#step(running, () => api.fetch_chunk(result));
        const rowCount = chunk === null ? 0 : api.data_chunk_get_size(chunk);
        if (chunk === null || rowCount === 0) return;
        yield { rowCount, columns: readColumns(running.query, chunk, rowCount) };
      }
    } finally {
      await this.#finish(running);
    }
  }

  #interrupt(running: Running, reason: StopReason): void {
    if (running.closed) return;
    running.reason ??= reason;
    // A reader that stopped asking must not keep its place, so the query is freed here and the reader told when it asks.
    void this.#finish(running);
  }

  /** The engine forgets an interrupt that comes before its worker began, so it is repeated until the call ended. */
  #knock(running: Running): void {
    if (running.connection === undefined) return;
    api.interrupt(running.connection);
    const cancel = this.#clock.after(INTERRUPT_AGAIN_MS, () => this.#knock(running));
    running.knocking?.();
    running.knocking = cancel;
  }

  #finish(running: Running): Promise<void> {
    running.finished ??= this.#free(running);
    return running.finished;
  }

  async #free(running: Running): Promise<void> {
    running.closed = true;
    running.timer();
    running.query.signal?.removeEventListener("abort", running.onAbort);
    this.#knock(running);
    await running.busy;
    running.knocking?.();
    if (running.connection !== undefined) api.disconnect_sync(running.connection);
    for (const relation of running.query.relations) {
      this.#sources.get(relation.id)?.close();
      this.#sources.delete(relation.id);
    }
    this.#running.delete(running);
    running.release();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#permits.refuseWaiting(new DatabaseError("query.cancelled", { message: "Query was cancelled: the server stops" }));
    for (const running of [...this.#running]) {
      this.#interrupt(running, "cancelled");
      await this.#finish(running);
    }
  }
}

async function memoryOf(database: Database): Promise<number> {
  const connection = await api.connect(database);
  try {
    const chunk = await api.fetch_chunk(await api.query(connection, "SELECT CAST(coalesce(sum(memory_usage_bytes), 0) AS BIGINT) FROM duckdb_memory()"));
    return chunk === null ? 0 : Number(readVector(api.data_chunk_get_vector(chunk, 0), { kind: "int64" }, 1)[0]);
  } finally {
    api.disconnect_sync(connection);
  }
}

function readColumns(query: EngineQuery, chunk: DataChunk, rowCount: number): ResultBatch["columns"] {
  return query.types.map((type, index) => readVector(api.data_chunk_get_vector(chunk, index), type, rowCount));
}
