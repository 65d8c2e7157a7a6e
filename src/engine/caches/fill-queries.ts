/** The SQL that reads what a cache would hold had it existed from the beginning. */
import type { DistinctCacheDefinition, LastCacheDefinition } from "../../core/catalog/cache-definitions.ts";
import type { TableDefinition } from "../../core/catalog/definitions.ts";

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const qualified = (names: readonly string[]): string[] => names.map((name) => `t.${quoted(name)}`);

/** Columns kept beside the key and `time`. */
export function valueColumns(definition: LastCacheDefinition, table: TableDefinition): string[] {
  if (definition.valueColumns !== undefined) return definition.valueColumns.filter((name) => name !== "time");
  return table.columns.flatMap(({ name, type }) => (type === "time" || definition.keyColumns.includes(name) ? [] : [name])).sort();
}

/** Rows as key columns, value columns, time. `sinceNs`: older rows do not count. */
export function lastRowsQuery(definition: LastCacheDefinition, table: TableDefinition, sinceNs: bigint | undefined): string {
  const { keyColumns, count } = definition;
  const columns = qualified([...keyColumns, ...valueColumns(definition, table), "time"]);
  const from = quoted(table.name);
  const since = sinceNs === undefined ? "" : ` WHERE time >= to_timestamp(${sinceNs})`;
  if (keyColumns.length === 0) return `SELECT ${columns.join(", ")} FROM ${from} AS t${since} ORDER BY time DESC LIMIT ${count}`;
  if (count === 1) {
    const keys = keyColumns.map(quoted).join(", ");
    const same = [...keyColumns, "time"].map((name) => `t.${quoted(name)} = n.${quoted(name)}`).join(" AND ");
    return `SELECT ${columns.join(", ")} FROM ${from} AS t JOIN (SELECT ${keys}, max(time) AS time FROM ${from}${since} GROUP BY ${keys}) AS n ON ${same}`;
  }
  const ranked = `row_number() OVER (PARTITION BY ${qualified(keyColumns).join(", ")} ORDER BY t.time DESC)`;
  return `SELECT ${columns.join(", ")} FROM ${from} AS t${since} QUALIFY ${ranked} <= ${count}`;
}

/** Combinations in the order of the tree, with the newest time of each. */
export function distinctValuesQuery({ columns }: DistinctCacheDefinition, table: TableDefinition, sinceNs: bigint): string {
  const names = columns.map(quoted).join(", ");
  return `SELECT ${names}, max(time) FROM ${quoted(table.name)} WHERE time >= to_timestamp(${sinceNs}) GROUP BY ${names} ORDER BY ${columns.map((name) => `${quoted(name)} NULLS FIRST`).join(", ")}`;
}
