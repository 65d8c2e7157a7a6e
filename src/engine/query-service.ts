/** Answers SQL: finds the database, compiles against a snapshot of its tables, runs the plan, streams the rows. */
import type { DatabaseDefinition } from "../core/catalog/definitions.ts";
import { DatabaseError } from "../core/errors/database-error.ts";
import type { ParameterValue, Scan } from "../core/query/bind-context.ts";
import { compileStatement, resultTypes, type CompiledQuery } from "../core/query/compile.ts";
import { runCached } from "../core/query/direct/run-cached.ts";
import type { QueryStream, ResultBatch } from "../core/query/query-stream.ts";
import { toTableBatch, type ResultLimits } from "../core/query/to-table-batch.ts";
import type { Clock } from "../ports/clock.ts";
import type { ParquetFiles } from "../ports/parquet-files.ts";
import type { EngineRelation, QueryEngine } from "../ports/query-engine.ts";
import { explained, logicalPlan } from "./explain-engine.ts";
import { acquireFiles, releasingAtEnd } from "./query-files.ts";
import type { DirectQueries, DirectTable } from "./direct/direct-queries.ts";
import { explainDirect } from "./direct/explain-direct.ts";
import type { QueryLimits } from "./query-limits.ts";
import { type QueryLog, type QueryRecord, recorded } from "./query-log.ts";
import { type QueryCaches, QueryTables, type QuerySource, type SystemTableSource } from "./query-tables.ts";

export interface QueryRequest {
  readonly database: string;
  readonly sql: string;
  /** JSON scalars by name; other values are refused. */
  readonly parameters?: ReadonlyMap<string, unknown>;
  readonly signal?: AbortSignal;
  /** Asked by a plugin: tables of the whole server show what is its database's. */
  readonly confined?: boolean;
}

export interface QueryServiceOptions {
  readonly catalog: { readonly state: { readonly databases: ReadonlyMap<string, DatabaseDefinition> } };
  readonly source: QuerySource;
  readonly engine: QueryEngine;
  /** Fetches files before they are read; undefined: they lie where the engine reads them. */
  readonly files?: ParquetFiles | undefined;
  readonly systemTables: SystemTableSource;
  /** Undefined: no cache is ever declared. */
  readonly caches?: QueryCaches;
  readonly clock: Clock;
  readonly limits: QueryLimits;
  /** Undefined: the engine answers everything. */
  readonly direct?: DirectQueries;
  /** Undefined: nothing is logged. */
  readonly log?: QueryLog;
}

export class QueryService {
  readonly #options: QueryServiceOptions;
  #scanId = 0;

  constructor(options: QueryServiceOptions) {
    this.#options = options;
  }

  /**
   * Starts a query; the stream must be read to its end or closed. Throws `database.not_found`, `query.invalid`,
   * `query.not_implemented`, and what the engine throws before the first row.
   */
  async query(request: QueryRequest): Promise<QueryStream> {
    const record = this.#options.log?.start({ database: request.database, text: request.sql });
    if (record === undefined) return this.#start(request);
    try {
      const stream = await this.#start(request, record);
      return {
        columns: stream.columns,
        batches: recorded(stream.batches, record),
        close: async () => {
          record.ended("cancel");
          await stream.close();
        },
      };
    } catch (error) {
      record.failed(error);
      throw error;
    }
  }

  /** Rows in memory stay as the query saw them until its stream ends. */
  async #start(request: QueryRequest, record?: QueryRecord): Promise<QueryStream> {
    const unpin = this.#options.source.pin();
    try {
      const { columns, ...result } = await this.#run(request, record);
      return { columns, ...releasingAtEnd(result, unpin) };
    } catch (error) {
      unpin();
      throw error;
    }
  }

  async #run(request: QueryRequest, record?: QueryRecord): Promise<QueryStream> {
    const { clock, engine, files, limits, catalog, source, systemTables, caches } = this.#options;
    const database = catalog.state.databases.get(request.database);
    if (database === undefined) {
      throw new DatabaseError("database.not_found", { message: `database not found: ${request.database}`, hint: "SHOW DATABASES lists them; a write creates one" });
    }
    await systemTables.prepare?.(database.name);
    const nowNs = clock.nowNs();
    const tables = new QueryTables(database, source, request.confined === true ? confinedTables(systemTables) : systemTables, nowNs, caches);
    const compiled = compileStatement({
      text: request.sql, tables, parameters: checkParameters(request.parameters), nowNs, nextScanId: () => this.#nextScanId(),
    });
    const cached = compiled.explains === undefined ? await cachedAnswer(compiled, tables) : undefined;
    if (cached !== undefined) {
      record?.planned(0);
      record?.permitted();
      return cached;
    }
    await tables.prepare(compiled.scans);
    const relations = relationsOf(compiled, tables);
    checkFiles(relations, limits.filesMax);
    record?.planned(relations.reduce((sum, relation) => sum + (relation.persisted?.files.length ?? 0), 0));
    const direct = compiled.explains === undefined ? await this.#direct(compiled, tables, request.signal) : this.#explainDirect(compiled, compiled.explains, tables);
    if (direct !== undefined) {
      record?.permitted();
      return direct;
    }
    const narrowed = await this.#narrowed(relations, compiled, tables, request.signal);
    const release = await acquireFiles(relations, { files, clock, timeoutMs: limits.timeoutMs, signal: request.signal });
    const result = await engine.execute({ sql: compiled.sql, types: resultTypes(compiled), relations: narrowed, signal: request.signal, timeoutMs: limits.timeoutMs }).catch((error: unknown) => {
      release();
      throw error;
    });
    record?.permitted();
    const { batches, close } = releasingAtEnd(result, release);
    return { columns: compiled.columns, batches: compiled.explains === undefined ? batches : explained(batches, logicalPlan(compiled.scans, relations)), close };
  }

  /** Undefined: the statement is for the engine. */
  async #direct({ direct: plan, columns }: CompiledQuery, tables: QueryTables, signal: AbortSignal | undefined): Promise<QueryStream | undefined> {
    const { direct, limits } = this.#options;
    const source = plan === undefined || direct === undefined ? undefined : tables.direct(plan.scan);
    if (plan === undefined || direct === undefined || source === undefined) return undefined;
    const result = await direct.run(plan, source, { signal, timeoutMs: limits.timeoutMs });
    return result === undefined ? undefined : streamOf(columns, result.batches);
  }

  /** Relations without the rows of series that the query does not name, where that leaves few. */
  async #narrowed(relations: readonly EngineRelation[], { scans }: CompiledQuery, tables: QueryTables, signal: AbortSignal | undefined): Promise<readonly EngineRelation[]> {
    const { direct, limits } = this.#options;
    if (direct === undefined) return relations;
    const narrowed: EngineRelation[] = [];
    for (const [index, relation] of relations.entries()) {
      const scan = scans[index] as Scan;
      const tableId = scan.schema === "iox" ? tables.tableId(scan) : undefined;
      narrowed.push(tableId === undefined ? relation : { ...relation, batches: await direct.narrow(relation.batches, scan, tableId, { signal, timeoutMs: limits.timeoutMs }) });
    }
    return narrowed;
  }

  /** Undefined: the engine explains its own plan. Numbers that only a run shows are not looked at. */
  #explainDirect({ columns }: CompiledQuery, { direct: plan, scans }: CompiledQuery, tables: QueryTables): QueryStream | undefined {
    if (plan === undefined || scans.length !== 1) return undefined;
    const cache = tables.cacheKind(plan.scan);
    const source = this.#options.direct === undefined ? undefined : tables.direct(plan.scan);
    if (cache === undefined && source === undefined) return undefined;
    return streamOf(columns, [{ rowCount: 1, columns: [["physical_plan"], [explainDirect(plan, cache ?? (source as DirectTable))]] }]);
  }

  /** The whole answer as one table batch, as plugins take it (spec: processing-engine §11.2). */
  async queryTableBatch(request: QueryRequest, limits: ResultLimits): Promise<Uint8Array<ArrayBuffer>> {
    const stream = await this.query(request);
    try {
      return await toTableBatch(stream, limits);
    } finally {
      await stream.close();
    }
  }

  #nextScanId(): number {
    this.#scanId = (this.#scanId + 1) % Number.MAX_SAFE_INTEGER;
    return this.#scanId;
  }
}

const streamOf = (columns: CompiledQuery["columns"], batches: Iterable<ResultBatch>): QueryStream => ({ columns, batches: asyncBatches(batches), close: () => Promise.resolve() });

/** Plain rows of a cache need no engine. Undefined: the statement asks for more. */
async function cachedAnswer({ direct: plan, columns }: CompiledQuery, tables: QueryTables): Promise<QueryStream | undefined> {
  if (plan?.kind !== "rows") return undefined;
  const rows = await tables.cached(plan.scan);
  const batches = rows === undefined ? undefined : runCached(plan, rows);
  return batches === undefined ? undefined : streamOf(columns, batches);
}

async function* asyncBatches(batches: Iterable<ResultBatch>): AsyncGenerator<ResultBatch> {
  yield* batches;
}

const confinedTables = (tables: SystemTableSource): SystemTableSource => ({ names: (database) => tables.names(database), table: (database, name) => tables.table(database, name, true) });

/** The printed number is the limit (spec: query §6). */
function checkFiles(relations: readonly EngineRelation[], filesMax: number | undefined): void {
  if (filesMax === undefined || relations.every((relation) => (relation.persisted?.files.length ?? 0) <= filesMax)) return;
  throw new DatabaseError("query.failed", {
    message: `External error: Query would scan ${filesMax} Parquet files, exceeding the file limit.`,
    hint: "narrow the time range, or raise --query-file-limit",
    details: { limit: filesMax },
  });
}

function relationsOf(compiled: CompiledQuery, tables: QueryTables): readonly EngineRelation[] {
  return compiled.scans.map((scan) => {
    const columns = scan.table.columns.map(({ name, type, id }) => ({ name, type, ...(id === undefined ? {} : { fieldId: id }) }));
    const persisted = tables.persisted(scan);
    return { id: scan.id, columns, batches: tables.batches(scan), ...(persisted === undefined ? {} : { persisted }) };
  });
}

/** JSON scalars only (spec: query §2.2). */
function checkParameters(parameters: ReadonlyMap<string, unknown> | undefined): ReadonlyMap<string, ParameterValue> {
  const checked = new Map<string, ParameterValue>();
  for (const [name, value] of parameters ?? []) {
    if (value !== null && !["string", "number", "bigint", "boolean"].includes(typeof value)) {
      throw new DatabaseError("query.invalid", { message: `Parameter "${name}" is not a scalar`, hint: "give a string, a number, true, false or null" });
    }
    checked.set(name, value as ParameterValue);
  }
  return checked;
}
