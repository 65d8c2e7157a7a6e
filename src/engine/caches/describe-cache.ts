/** A cache as the API answers it when it is created (spec: http-api §11). */
import type { CacheDefinition } from "../../core/catalog/cache-definitions.ts";
import type { TableDefinition } from "../../core/catalog/definitions.ts";

export function describeCache(cache: CacheDefinition, table: TableDefinition): Readonly<Record<string, unknown>> {
  const ids = (names: readonly string[]): number[] => names.map((name) => table.columnsByName.get(name)?.id as number);
  if (cache.kind === "distinct") {
    return {
      table_id: table.id, table_name: table.name, cache_id: cache.id, cache_name: cache.name, column_ids: ids(cache.columns),
      max_cardinality: cache.cardinalityMax, max_age_seconds: cache.ageSecondsMax,
    };
  }
  const { keyColumns, valueColumns, count, ttlSeconds } = cache;
  return {
    table_id: table.id, table: table.name, id: cache.id, name: cache.name, key_columns: ids(keyColumns),
    value_columns: valueColumns === undefined ? { type: "all_non_key_columns" } : { type: "explicit", columns: ids(valueColumns) },
    count, ttl: ttlSeconds,
  };
}
