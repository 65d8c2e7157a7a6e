/**
 * The catalog as a value: databases, tables, columns and triggers. A state never changes; `apply.ts` makes the next one
 * from an op. Ids are never used again (spec: storage §6).
 */
import type { TableCaches } from "./cache-definitions.ts";
import type { TokenDefinition } from "../tokens/token.ts";
import type { DatabaseDefinition, TableDefinition } from "./definitions.ts";

export interface CatalogState {
  /** Number of the last applied log record; 0 before the first. */
  readonly sequence: number;
  /** Highest ids given out. */
  readonly lastDatabaseId: number;
  readonly lastTableId: number;
  readonly lastTriggerId: number;
  readonly lastCacheId: number;
  readonly lastTokenId: number;
  /** By name. */
  readonly tokens: ReadonlyMap<string, TokenDefinition>;
  /** By name; live ones only. */
  readonly databases: ReadonlyMap<string, DatabaseDefinition>;
  /** By the name that soft delete gave them. */
  readonly deletedDatabases: ReadonlyMap<string, DatabaseDefinition>;
  /** Live and deleted. */
  readonly databasesById: ReadonlyMap<number, DatabaseDefinition>;
  readonly tablesById: ReadonlyMap<number, TableDefinition>;
  /** Of live tables, by table id. */
  readonly caches: TableCaches;
}

/** The server's own database: it exists from the start, counts against no limit and cannot be changed. */
export const INTERNAL_DATABASE = "_internal";
export const INTERNAL_RETENTION_NS = 604_800_000_000_000n;

export const EMPTY_CATALOG: CatalogState = {
  sequence: 0,
  lastDatabaseId: 0,
  lastTableId: 0,
  lastTriggerId: 0,
  lastCacheId: 0,
  lastTokenId: 0,
  tokens: new Map(),
  databases: new Map(),
  deletedDatabases: new Map(),
  databasesById: new Map(),
  tablesById: new Map(),
  caches: new Map(),
};

/** Live tables of live databases: what the table limit counts. */
export function liveTableCount(state: CatalogState): number {
  let count = 0;
  for (const database of state.databases.values()) count += database.tables.size;
  return count;
}

/** Live databases without `_internal`: what the database limit counts. */
export function liveDatabaseCount(state: CatalogState): number {
  return state.databases.size - (state.databases.has(INTERNAL_DATABASE) ? 1 : 0);
}
