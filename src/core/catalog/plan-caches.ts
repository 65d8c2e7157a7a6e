/** Plans of cache changes: each checks a request against a state and gives the ops, or throws (spec: http-api §11). */
import type { ColumnType } from "../columns/column-type.ts";
import { DatabaseError } from "../errors/database-error.ts";
import type { CacheDefinition, CacheKind } from "./cache-definitions.ts";
import type { TableDefinition } from "./definitions.ts";
import { CACHE_COUNT_MAX, CACHES_PER_TABLE_MAX } from "./limits.ts";
import type { CatalogOp } from "./ops.ts";
import { changeableDatabase, missingResource } from "./plan.ts";
import type { CatalogState } from "./state.ts";

export interface LastCacheRequest {
  readonly database: string;
  readonly table: string;
  /** Default: `<table>_<key columns>_last_cache`. */
  readonly name?: string | undefined;
  /** Default: the series key. */
  readonly keyColumns?: readonly string[] | undefined;
  /** Default: all others. */
  readonly valueColumns?: readonly string[] | undefined;
  readonly count?: number | undefined;
  readonly ttlSeconds?: number | undefined;
}

export interface DistinctCacheRequest {
  readonly database: string;
  readonly table: string;
  /** Default: `<table>_<columns>_distinct_cache`. */
  readonly name?: string | undefined;
  readonly columns: readonly string[];
  readonly cardinalityMax?: number | undefined;
  readonly ageSecondsMax?: number | undefined;
}

export interface CacheName {
  readonly database: string;
  readonly table: string;
  readonly name: string;
}

const LAST_TTL_SECONDS = 14_400;
const DISTINCT_CARDINALITY = 100_000;
const DISTINCT_AGE_SECONDS = 86_400;

const KEY_TYPES: ReadonlySet<ColumnType> = new Set<ColumnType>(["tag", "utf8", "int64", "uint64", "bool"]);
const DISTINCT_TYPES: ReadonlySet<ColumnType> = new Set<ColumnType>(["tag", "utf8"]);

const invalid = (message: string, hint?: string): DatabaseError => new DatabaseError("request.invalid", { message, ...(hint === undefined ? {} : { hint }) });

/** Throws `resource.not_found`, `resource.exists`, `request.invalid`. */
export function planCreateLastCache(state: CatalogState, request: LastCacheRequest): CatalogOp[] {
  const table = tableOf(state, request);
  const keyColumns = request.keyColumns ?? table.seriesKey;
  for (const { name, type } of columnsOf(table, keyColumns)) {
    if (!KEY_TYPES.has(type)) throw invalid(`invalid key column '${name}': a last value cache cannot use a column of type ${type} as key`, "key columns are tags, strings, integers and booleans");
  }
  const valueColumns = request.valueColumns;
  for (const { name } of columnsOf(table, valueColumns ?? [])) {
    if (keyColumns.includes(name)) throw invalid(`column '${name}' is both a key and a value column`);
  }
  if (valueColumns?.length === 0) throw invalid("value columns cannot be empty", "leave them out to keep all columns that are not in the key");
  const count = request.count ?? 1;
  if (!Number.isSafeInteger(count) || count < 1 || count > CACHE_COUNT_MAX) throw invalid(`invalid cache count ${count}: it must be at least 1 and at most ${CACHE_COUNT_MAX}`);
  return create(state, table, {
    kind: "last", id: state.lastCacheId + 1, name: request.name ?? defaultName(table, keyColumns, "last_cache"), keyColumns, valueColumns, count,
    ttlSeconds: seconds(request.ttlSeconds ?? LAST_TTL_SECONDS, "ttl"),
  });
}

/** Throws as the other. */
export function planCreateDistinctCache(state: CatalogState, request: DistinctCacheRequest): CatalogOp[] {
  const table = tableOf(state, request);
  if (request.columns.length === 0) throw invalid("must pass a non-empty set of columns for a distinct value cache");
  for (const { name, type } of columnsOf(table, request.columns)) {
    if (!DISTINCT_TYPES.has(type)) throw invalid(`invalid column '${name}': a distinct value cache cannot use a column of type ${type}`, "its columns are tags and strings");
  }
  const cardinalityMax = request.cardinalityMax ?? DISTINCT_CARDINALITY;
  if (!Number.isSafeInteger(cardinalityMax) || cardinalityMax < 1) throw invalid(`invalid max_cardinality ${cardinalityMax}: it must be at least 1`);
  return create(state, table, {
    kind: "distinct", id: state.lastCacheId + 1, name: request.name ?? defaultName(table, request.columns, "distinct_cache"), columns: request.columns, cardinalityMax,
    ageSecondsMax: seconds(request.ageSecondsMax ?? DISTINCT_AGE_SECONDS, "max_age"),
  });
}

/** Throws `resource.not_found`. */
export function planDeleteCache(state: CatalogState, kind: CacheKind, { database, table, name }: CacheName): CatalogOp[] {
  const { id } = tableOf(state, { database, table });
  if (!(state.caches.get(id) ?? []).some((cache) => cache.kind === kind && cache.name === name)) throw missingResource(name);
  return [{ kind: "delete-cache", tableId: id, cacheKind: kind, name }];
}

function tableOf(state: CatalogState, { database, table }: { readonly database: string; readonly table: string }): TableDefinition {
  const found = changeableDatabase(state, database).tables.get(table);
  if (found === undefined) throw missingResource(table);
  return found;
}

function columnsOf(table: TableDefinition, names: readonly string[]): TableDefinition["columns"] {
  return names.map((name, index) => {
    const column = table.columnsByName.get(name);
    if (column === undefined) throw invalid(`invalid column '${name}': table '${table.name}' does not have it`);
    if (names.indexOf(name) !== index) throw invalid(`column '${name}' is given twice`);
    return column;
  });
}

const defaultName = (table: TableDefinition, columns: readonly string[], kind: string): string => [table.name, ...columns, kind].join("_");

function seconds(value: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0) throw invalid(`invalid ${what} ${value}: it is a whole number of seconds`);
  return value;
}

function create(state: CatalogState, table: TableDefinition, cache: CacheDefinition): CatalogOp[] {
  const own = state.caches.get(table.id) ?? [];
  if (cache.name === "") throw invalid("cache name cannot be empty");
  const existing = own.find(({ kind, name }) => kind === cache.kind && name === cache.name);
  if (existing !== undefined) {
    const same = JSON.stringify({ ...existing, id: 0 }) === JSON.stringify({ ...cache, id: 0 });
    throw new DatabaseError("resource.exists", {
      message: "attempted to create a resource that already exists",
      ...(same ? {} : { hint: `a cache '${cache.name}' with other parameters exists: choose another name or delete it first` }),
    });
  }
  if (own.length >= CACHES_PER_TABLE_MAX) throw invalid(`table '${table.name}' has ${CACHES_PER_TABLE_MAX} caches already`, "delete one of them first");
  return [{ kind: "create-cache", tableId: table.id, cache }];
}
