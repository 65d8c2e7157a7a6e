/** Declared caches as tables: what `last_cache` and `distinct_cache` read, and `system.last_caches`, `system.distinct_caches`. */
import type { CacheDefinition, CacheKind, DistinctCacheDefinition, LastCacheDefinition } from "../../core/catalog/cache-definitions.ts";
import type { DatabaseDefinition, TableDefinition } from "../../core/catalog/definitions.ts";
import { passes } from "../../core/caches/column-tests.ts";
import type { CellValue } from "../../core/columns/cells.ts";
import type { ColumnType } from "../../core/columns/column-type.ts";
import { decodeTableBatch, type TableBatchView } from "../../core/columns/table-batch.ts";
import type { Scan, SourceColumn } from "../../core/query/bind-context.ts";
import { encodeRows } from "../../core/query/rows-to-batch.ts";
import type { SystemTable, SystemTableSource } from "../query-tables.ts";
import { CACHE_BATCH_ROWS } from "./cache-limits.ts";
import type { CacheService } from "./cache-service.ts";
import { valueColumns } from "./fill-queries.ts";
import type { LiveCache } from "./live-cache.ts";

/** Tags as text. Key columns, then value columns in the given order (all others: by name), `time` last when it was not named. */
export function cacheColumns(definition: CacheDefinition, table: TableDefinition): SourceColumn[] {
  const column = (name: string): SourceColumn => {
    const type = table.columnsByName.get(name)?.type as ColumnType;
    return { name, type: type === "tag" ? "utf8" : type };
  };
  if (definition.kind === "distinct") return definition.columns.map(column);
  const values = definition.valueColumns ?? [...valueColumns(definition, table), "time"].sort();
  return [...definition.keyColumns, ...values, ...(values.includes("time") ? [] : ["time"])].map(column);
}

/** A cache's rows that pass the scan's tests, as cells of its columns. Waits until the cache is filled; takes turns. */
export async function cacheRows(cache: LiveCache, scan: Scan, nowMs: number, yieldToEventLoop: () => Promise<void>): Promise<readonly CellValue[][]> {
  await cache.filled;
  const { columns } = scan.table;
  const work = cache.rows(columns.map(({ name }) => name), scan.tests, nowMs);
  let step = work.next();
  for (; step.done !== true; step = work.next()) await yieldToEventLoop();
  // The cache looks at its key only.
  const tests = scan.tests.map((test) => ({ test, at: columns.findIndex(({ name }) => name === test.column) }));
  return step.value.filter((row) => tests.every(({ test, at }) => passes(row[at] ?? null, test)));
}

/** Such rows as batches for the query engine. */
export async function cacheBatches(rows: readonly CellValue[][], columns: readonly SourceColumn[], yieldToEventLoop: () => Promise<void>): Promise<readonly TableBatchView[]> {
  const batches: TableBatchView[] = [];
  for (let from = 0; from < rows.length; from += CACHE_BATCH_ROWS) {
    if (from > 0) await yieldToEventLoop();
    batches.push(decodeTableBatch(encodeRows({ columns, rows: rows.slice(from, from + CACHE_BATCH_ROWS) })));
  }
  return batches;
}

const text = (name: string): SourceColumn => ({ name, type: "utf8" });
const whole = (name: string): SourceColumn => ({ name, type: "uint64" });
const list = (name: string, listOf: "uint64" | "utf8"): SourceColumn => ({ name, type: "utf8", listOf });

const COLUMNS: Readonly<Record<CacheKind, readonly SourceColumn[]>> = {
  last: [
    text("table"), text("name"), list("key_column_ids", "uint64"), list("key_column_names", "utf8"), list("value_column_ids", "uint64"), list("value_column_names", "utf8"),
    whole("count"), whole("ttl"),
  ],
  distinct: [text("table"), text("name"), list("column_ids", "uint64"), list("column_names", "utf8"), whole("max_cardinality"), whole("max_age_seconds")],
};

function lastRow(table: TableDefinition, { name, keyColumns, valueColumns: values, count, ttlSeconds }: LastCacheDefinition): unknown[] {
  return [table.name, name, ...idsAndNames(table, keyColumns), ...(values === undefined ? [null, null] : idsAndNames(table, values)), BigInt(count), BigInt(ttlSeconds)];
}

function distinctRow(table: TableDefinition, { name, columns, cardinalityMax, ageSecondsMax }: DistinctCacheDefinition): unknown[] {
  return [table.name, name, ...idsAndNames(table, columns), BigInt(cardinalityMax), BigInt(ageSecondsMax)];
}

const idsAndNames = (table: TableDefinition, names: readonly string[]): [string, string] => [JSON.stringify(names.map((name) => table.columnsByName.get(name)?.id)), JSON.stringify(names)];

const NAMES: Readonly<Record<string, CacheKind>> = { distinct_caches: "distinct", last_caches: "last" };

/** Adds the two tables to the other system tables. */
export function withCacheTables(tables: SystemTableSource, caches: CacheService, database: (name: string) => DatabaseDefinition | undefined): SystemTableSource {
  const rowsOf = (name: string, kind: CacheKind): SystemTable => ({
    columns: COLUMNS[kind],
    rows: [...caches.ofDatabase(database(name) ?? { tables: new Map() })].flatMap(([table, { definition }]) => {
      if (definition.kind !== kind) return [];
      return [definition.kind === "last" ? lastRow(table, definition) : distinctRow(table, definition)];
    }),
  });
  return {
    names: (name) => [...tables.names(name), ...Object.keys(NAMES)].sort(),
    table: (databaseName, name, confined) => (NAMES[name] === undefined ? tables.table(databaseName, name, confined) : rowsOf(databaseName, NAMES[name])),
    prepare: async (name) => tables.prepare?.(name),
  };
}
