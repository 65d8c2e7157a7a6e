/**
 * The engine that runs emitted SQL over relations in memory. The front end (`core/query`) has parsed and checked
 * everything; the engine only ever sees text that we wrote. Time is BIGINT nanoseconds on both sides.
 */
import type { ColumnType } from "../core/columns/column-type.ts";
import type { TableBatchView } from "../core/columns/table-batch.ts";
import type { ResultBatch } from "../core/query/query-stream.ts";
import type { SqlType } from "../core/query/types.ts";

/** What `tidemark_scan(<id>)` reads: columns `c0…` in this order, then `seq`, the row's place in WAL order. */
export interface EngineRelation {
  readonly id: number;
  readonly columns: readonly EngineColumn[];
  /** In WAL order. A column that a batch lacks is NULL there. Their memory must not be shared memory. */
  readonly batches: readonly TableBatchView[];
  /** Present: the statement reads `relation_<id>`, the files and the batches together, without `seq`. */
  readonly persisted?: PersistedPart;
}

export interface EngineColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Finds the column in a file; a file without it has NULL there. */
  readonly fieldId?: number;
}

/** Nanoseconds, both ends included. */
export interface TimeWindow {
  readonly timeMin: bigint;
  readonly timeMax: bigint;
}

export interface PersistedFilePart {
  /** Object path. */
  readonly path: string;
  readonly sizeBytes: number;
  /** It may hold rows of a window. */
  readonly contested: boolean;
}

/** Parquet files of a relation. */
export interface PersistedPart {
  /** In WAL order; every batch is newer. A point stands once in a file. */
  readonly files: readonly PersistedFilePart[];
  readonly rowCount: number;
  /** Times at which a point may stand in several places: there the newest non-null value of each column wins. */
  readonly windows: readonly TimeWindow[];
  /** Rows in memory may lie in a window. */
  readonly memoryContested: boolean;
}

export interface EngineQuery {
  readonly sql: string;
  /** Types of the result's columns. */
  readonly types: readonly SqlType[];
  readonly relations: readonly EngineRelation[];
  readonly signal?: AbortSignal | undefined;
  /** From the call until the last row was fetched. */
  readonly timeoutMs: number;
}

export interface EngineResult {
  /** One consumer. Throws `query.failed`, `query.cancelled`, `query.time_limit`, `query.memory_limit`. */
  readonly batches: AsyncIterable<ResultBatch>;
  /** Stops the query and frees its place; calling it again does nothing. */
  close(): Promise<void>;
}

export interface QueryEngine {
  /** Waits for a place; throws `query.concurrency_limit` when too many wait already. Resolves before the first row. */
  execute(query: EngineQuery): Promise<EngineResult>;
  /** `memoryBytes`: what the engine took when it was last looked at, at most a second ago while queries run. */
  statistics(): { readonly running: number; readonly waiting: number; readonly memoryBytes: number };
  close(): Promise<void>;
}
