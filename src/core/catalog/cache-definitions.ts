/** Declared caches of a table (spec: storage §10, §11). Columns are named: a table's columns never change their names. */

export interface LastCacheDefinition {
  readonly kind: "last";
  readonly id: number;
  readonly name: string;
  /** In the order of the key; may be empty: one ring for the whole table. */
  readonly keyColumns: readonly string[];
  /** Undefined: every column that is not in the key, later ones too. `time` is always kept. */
  readonly valueColumns: readonly string[] | undefined;
  /** Rows kept for each key. */
  readonly count: number;
  readonly ttlSeconds: number;
}

export interface DistinctCacheDefinition {
  readonly kind: "distinct";
  readonly id: number;
  readonly name: string;
  /** In the order of the tree's levels. */
  readonly columns: readonly string[];
  readonly cardinalityMax: number;
  readonly ageSecondsMax: number;
}

export type CacheDefinition = LastCacheDefinition | DistinctCacheDefinition;
export type CacheKind = CacheDefinition["kind"];

/** Caches of one table, in creation order. */
export type TableCaches = ReadonlyMap<number, readonly CacheDefinition[]>;
