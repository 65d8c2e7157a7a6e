/** The tables one query may see: its database's own, the system tables, the metadata views. */
import type { DatabaseDefinition, TableDefinition } from "../core/catalog/definitions.ts";
import type { Repeated } from "../core/buffer/repeated-times.ts";
import type { CacheKind } from "../core/catalog/cache-definitions.ts";
import type { CellValue } from "../core/columns/cells.ts";
import { decodeTableBatch, type TableBatchView } from "../core/columns/table-batch.ts";
import { DatabaseError } from "../core/errors/database-error.ts";
import type { CachedTable, Scan, SchemaName, SourceTable, TableSource } from "../core/query/bind-context.ts";
import { INFORMATION_SCHEMA_NAMES, informationSchemaColumns, informationSchemaTable, type DescribedTable } from "../core/query/metadata.ts";
import { encodeRows, type RowTable } from "../core/query/rows-to-batch.ts";
import type { PersistedFile } from "../core/snapshot/manifest.ts";
import { cacheBatches, cacheColumns, cacheRows } from "./caches/cache-tables.ts";
import type { CacheService } from "./caches/cache-service.ts";
import type { LiveCache } from "./caches/live-cache.ts";
import type { DirectTable } from "./direct/direct-queries.ts";
import type { PersistedPart, TimeWindow } from "../ports/query-engine.ts";
import { contestedTimes, isContested, type TimeRange } from "./contested-times.ts";
import { SYSTEM_ROWS_MAX } from "./query-limits.ts";

/** Committed rows of a table; what `Storage` offers to queries. */
export interface QuerySource {
  tableSnapshot(databaseId: number, tableId: number): TableSnapshot | undefined;
  /** What snapshots show from now on stays as it is until the returned function is called. */
  pin(): () => void;
}

export interface TableSnapshot {
  readonly table: TableDefinition;
  /** In WAL order. */
  readonly batches: readonly TableBatchView[];
  /** Times at which two rows of the batches may share series and time. */
  readonly repeated: Repeated;
  /** Older rows, in WAL order; a point stands once in a file. */
  readonly files?: readonly PersistedFile[];
}

/** Tables of the `system` schema; rows are made when asked for. */
export interface SystemTableSource {
  /** `confined`: rows of other databases are left out. */
  table(databaseName: string, name: string, confined?: boolean): SystemTable | undefined;
  names(databaseName: string): readonly string[];
  /** Called before each query: reads what its tables show and cannot be read at once. */
  prepare?(databaseName: string): Promise<void>;
}

export interface SystemTable {
  readonly columns: SourceTable["columns"];
  readonly rows: readonly (readonly unknown[])[];
}

/** What may hold rows of a scan. */
interface ScanSources {
  readonly files: readonly PersistedFile[];
  readonly batches: readonly TableBatchView[];
  readonly windows: readonly TimeWindow[];
}

/** Declared caches as queries need them. */
export interface QueryCaches {
  readonly service: Pick<CacheService, "ofTable">;
  readonly yieldToEventLoop: () => Promise<void>;
}

const byName = (left: { readonly name: string }, right: { readonly name: string }): number => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0);

/** One query's view: what it saw first it keeps, however the catalog and the buffer change meanwhile. */
export class QueryTables implements TableSource {
  readonly #database: DatabaseDefinition;
  readonly #source: QuerySource;
  readonly #system: SystemTableSource;
  readonly #nowNs: bigint;
  readonly #snapshots = new Map<string, TableSnapshot>();
  readonly #systemTables = new Map<string, SystemTable>();
  readonly #caches: QueryCaches | undefined;
  /** Caches that the query names, by the name of their scan. */
  readonly #namedCaches = new Map<string, LiveCache>();
  readonly #sources = new Map<Scan, ScanSources>();
  readonly #cached = new Map<Scan, readonly TableBatchView[]>();

  constructor(database: DatabaseDefinition, source: QuerySource, system: SystemTableSource, nowNs: bigint, caches?: QueryCaches) {
    this.#caches = caches;
    this.#database = database;
    this.#source = source;
    this.#system = system;
    this.#nowNs = nowNs;
  }

  cache(kind: CacheKind, tableName: string, name: string | undefined): CachedTable | "no table" | "no cache" {
    const table = this.#database.tables.get(tableName);
    if (table === undefined) return "no table";
    const own = (this.#caches?.service.ofTable(table.id) ?? []).filter(({ definition }) => definition.kind === kind);
    const [cache] = name === undefined && own.length !== 1 ? [] : own.filter(({ definition }) => name === undefined || definition.name === name);
    if (cache === undefined) return "no cache";
    const scanName = String(cache.definition.id);
    this.#namedCaches.set(scanName, cache);
    const { retentionNs } = this.#database;
    return { name: scanName, table: { columns: cacheColumns(cache.definition, table), deduplicate: false, ...(retentionNs === undefined || kind === "distinct" ? {} : { timeMinNs: this.#nowNs - retentionNs }) } };
  }

  /** Rows of a scan that reads a cache, as it holds them now; undefined: it reads something else. */
  async cached(scan: Scan): Promise<readonly CellValue[][] | undefined> {
    const cache = scan.schema === "cache" ? this.#namedCaches.get(scan.name) : undefined;
    return cache === undefined || this.#caches === undefined ? undefined : cacheRows(cache, scan, Number(this.#nowNs / 1_000_000n), this.#caches.yieldToEventLoop);
  }

  /** Makes batches of the caches that the query names. */
  async prepare(scans: readonly Scan[]): Promise<void> {
    for (const scan of scans) {
      const rows = await this.cached(scan);
      if (rows !== undefined && this.#caches !== undefined) this.#cached.set(scan, await cacheBatches(rows, scan.table.columns, this.#caches.yieldToEventLoop));
    }
  }

  /** Of a scan that reads a cache. */
  cacheKind(scan: Scan): CacheKind | undefined {
    return scan.schema === "cache" ? this.#namedCaches.get(scan.name)?.definition.kind : undefined;
  }

  names(schema: SchemaName): Iterable<string> {
    if (schema === "iox") return this.#database.tables.keys();
    if (schema === "cache") return [];
    return schema === "system" ? this.#system.names(this.#database.name) : INFORMATION_SCHEMA_NAMES;
  }

  table(schema: SchemaName, name: string): SourceTable | undefined {
    if (schema === "iox") return this.#userTable(name);
    if (schema === "cache") return undefined;
    const columns = schema === "system" ? this.#systemTable(name)?.columns : informationSchemaColumns(name);
    return columns === undefined ? undefined : { columns, deduplicate: false };
  }

  #userTable(name: string): SourceTable | undefined {
    const definition = this.#database.tables.get(name);
    if (definition === undefined) return undefined;
    const snapshot = this.#snapshot(definition);
    const retentionNs = definition.retentionNs ?? this.#database.retentionNs;
    return {
      columns: sortedColumns(definition),
      deduplicate: snapshot.repeated === "everywhere",
      // Contested windows are the view's business, with files or without.
      persisted: (snapshot.files?.length ?? 0) > 0 || (snapshot.repeated !== "everywhere" && snapshot.repeated.length > 0),
      ...(retentionNs === undefined ? {} : { timeMinNs: oldestKept(this.#nowNs, retentionNs) }),
    };
  }

  #snapshot(definition: TableDefinition): TableSnapshot {
    let snapshot = this.#snapshots.get(definition.name);
    if (snapshot === undefined) {
      snapshot = this.#source.tableSnapshot(this.#database.id, definition.id) ?? { table: definition, batches: [], repeated: [] };
      this.#snapshots.set(definition.name, snapshot);
    }
    return snapshot;
  }

  #systemTable(name: string): SystemTable | undefined {
    let table = this.#systemTables.get(name);
    if (table === undefined) {
      table = this.#system.table(this.#database.name, name);
      if (table !== undefined) this.#systemTables.set(name, table);
    }
    return table;
  }

  /** Batches a scan reads: those that can hold rows of its time range. */
  batches(scan: Scan): readonly TableBatchView[] {
    if (scan.schema === "iox") {
      const snapshot = this.#snapshots.get(scan.name);
      return snapshot === undefined ? [] : this.#sourcesOf(scan, snapshot).batches;
    }
    if (scan.schema === "cache") return this.#cached.get(scan) ?? [];
    const rows = scan.schema === "system" ? this.#systemTable(scan.name) : informationSchemaTable(scan.name, this.#described());
    return rows === undefined || rows.rows.length === 0 ? [] : [encoded(rows, scan.name)];
  }

  /** Files a scan reads; undefined: its table lies in memory. */
  persisted(scan: Scan): PersistedPart | undefined {
    const snapshot = scan.schema === "iox" ? this.#snapshots.get(scan.name) : undefined;
    if (snapshot === undefined || scan.table.persisted !== true) return undefined;
    const { files, batches, windows } = this.#sourcesOf(scan, snapshot);
    return {
      files: files.map((file) => ({ path: file.path, sizeBytes: file.sizeBytes, contested: isContested(file, windows) })),
      rowCount: files.reduce((sum, file) => sum + file.rowCount, 0),
      windows,
      memoryContested: windows.length > 0 && batches.some((batch) => isContested(batch, windows)),
    };
  }

  /** What a direct plan reads; undefined: its scan cannot be read directly. */
  direct(scan: Scan): DirectTable | undefined {
    const snapshot = scan.schema === "iox" ? this.#snapshots.get(scan.name) : undefined;
    if (snapshot === undefined) return undefined;
    return { table: snapshot.table, ...this.#sourcesOf(scan, snapshot) };
  }

  tableId(scan: Scan): number | undefined {
    return this.#snapshots.get(scan.name)?.table.id;
  }

  #sourcesOf(scan: Scan, snapshot: TableSnapshot): ScanSources {
    let sources = this.#sources.get(scan);
    if (sources === undefined) {
      const files = (snapshot.files ?? []).filter((file) => mayMatter(file, scan));
      const batches = snapshot.batches.filter((batch) => mayMatter(batch, scan));
      sources = { files, batches, windows: contestedTimes(files, batches, snapshot.repeated) };
      this.#sources.set(scan, sources);
    }
    return sources;
  }

  #described(): readonly DescribedTable[] {
    const users = [...this.#database.tables.values()].sort(byName).map((table): DescribedTable => ({ schema: "iox", name: table.name, columns: sortedColumns(table) }));
    const system = [...this.#system.names(this.#database.name)].sort().flatMap((name): DescribedTable[] => {
      const table = this.#systemTable(name);
      return table === undefined ? [] : [{ schema: "system", name, columns: table.columns }];
    });
    return [...users, ...system];
  }
}

const INT64_MIN = -(2n ** 63n);

/** The oldest time that has not expired; a row of exactly that time is kept. */
const oldestKept = (nowNs: bigint, retentionNs: bigint): bigint => (nowNs - retentionNs < INT64_MIN ? INT64_MIN : nowNs - retentionNs);

const mayMatter = (range: TimeRange, { timeMinNs, timeMaxNs }: Scan): boolean =>
  (timeMinNs === undefined || range.timeMax >= timeMinNs) && (timeMaxNs === undefined || range.timeMin <= timeMaxNs);

/** `SELECT *` is alphabetical, `time` in its place (spec: query §1). */
const sortedColumns = (table: TableDefinition): SourceTable["columns"] => [...table.columns].sort(byName);

function encoded(table: RowTable, name: string): TableBatchView {
  if (table.rows.length > SYSTEM_ROWS_MAX) {
    throw new DatabaseError("query.failed", { message: `Table '${name}' has more than ${SYSTEM_ROWS_MAX} rows`, hint: "read a narrower table" });
  }
  return decodeTableBatch(encodeRows(table));
}
