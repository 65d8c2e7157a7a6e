/** A declared cache at work: what it holds, and whether it has read what was there before it. */
import type { CacheDefinition } from "../../core/catalog/cache-definitions.ts";
import type { TableDefinition } from "../../core/catalog/definitions.ts";
import type { CacheBudget } from "../../core/caches/cache-budget.ts";
import type { ColumnTest } from "../../core/caches/column-tests.ts";
import { DistinctCache } from "../../core/caches/distinct-cache.ts";
import { type FilledRow, LastCache } from "../../core/caches/last-cache.ts";
import type { CellValue } from "../../core/columns/cells.ts";
import type { TableBatchView } from "../../core/columns/table-batch.ts";
import type { ResultBatch } from "../../core/query/query-stream.ts";
import { distinctValuesQuery, lastRowsQuery, valueColumns } from "./fill-queries.ts";

export class LiveCache {
  readonly definition: CacheDefinition;
  readonly databaseId: number;
  readonly tableId: number;
  /** Settles when it has read what was there before; it never rejects. */
  filled: Promise<void> = Promise.resolve();
  closed = false;
  readonly #cache: LastCache | DistinctCache;

  constructor(definition: CacheDefinition, table: TableDefinition, budget: CacheBudget) {
    this.definition = definition;
    this.databaseId = table.databaseId;
    this.tableId = table.id;
    this.#cache = definition.kind === "last" ? new LastCache(definition, budget) : new DistinctCache(definition, budget);
  }

  /** Keys or combinations. */
  get size(): number {
    return this.#cache instanceof LastCache ? this.#cache.keyCount : this.#cache.cardinality;
  }

  apply(batch: TableBatchView, nowMs: number): void {
    this.#cache.apply(batch, nowMs);
  }

  *evict(nowMs: number): Generator<undefined> {
    if (this.#cache instanceof LastCache) yield* this.#cache.evict(nowMs);
    else this.#cache.evict(nowMs);
  }

  rows(columns: readonly string[], tests: readonly ColumnTest[], nowMs: number): Generator<undefined, CellValue[][]> {
    return this.#cache.rows(columns, tests, nowMs);
  }

  /**
   * SQL for what was there before. After a restart only what is young enough counts, by the rows' own times: when they
   * came in is not known any more.
   */
  fillQuery(table: TableDefinition, nowMs: number, restarted: boolean): string {
    const { definition } = this;
    const since = (seconds: number): bigint => BigInt(Math.max(0, nowMs - seconds * 1000)) * 1_000_000n;
    return definition.kind === "last" ? lastRowsQuery(definition, table, restarted ? since(definition.ttlSeconds) : undefined) : distinctValuesQuery(definition, table, since(definition.ageSecondsMax));
  }

  /** Takes rows of that query in. */
  fill(batch: ResultBatch, table: TableDefinition, nowMs: number, restarted: boolean): void {
    if (this.#cache instanceof LastCache) this.#cache.fill(filledRows(this.#cache, batch, table, nowMs, restarted));
    else {
      const cells = batch.columns as readonly (readonly CellValue[])[];
      const times = cells.at(-1) as readonly bigint[];
      for (let row = 0; row < batch.rowCount; row++) this.#cache.add(cells.slice(0, -1).map((column) => column[row] as CellValue), Number(times[row]), nowMs);
    }
  }

  close(): void {
    this.closed = true;
    this.#cache.close();
  }
}

function* filledRows(cache: LastCache, batch: ResultBatch, table: TableDefinition, nowMs: number, restarted: boolean): Generator<FilledRow> {
  const { keyColumns } = cache.definition;
  const names = valueColumns(cache.definition, table);
  const cells = batch.columns as readonly (readonly CellValue[])[];
  for (let row = 0; row < batch.rowCount; row++) {
    const at = (index: number): CellValue => cells[index]?.[row] ?? null;
    const time = at(keyColumns.length + names.length) as bigint;
    yield {
      key: keyColumns.map((_, index) => at(index)), time, putMs: restarted ? Math.min(nowMs, Number(time / 1_000_000n)) : nowMs,
      values: new Map(names.map((name, index) => [name, at(keyColumns.length + index)])),
    };
  }
}
