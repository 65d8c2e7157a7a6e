/**
 * Batches cut down to the rows of the series that a query names, for the query engine: it would look at every row, one host
 * of a thousand is found here by the batches' dictionaries. Only where few rows are left, since those are copied.
 */
import { cellReader } from "../../columns/cells.ts";
import { ARROW_TYPE, type ColumnType, ENCODED } from "../../columns/column-type.ts";
import { type ColumnValues, type ColumnView, decodeTableBatch, encodeTableBatch, type TableBatchView } from "../../columns/table-batch.ts";
import type { Scan } from "../bind-context.ts";
import { encodeCells, encodeTags } from "../rows-to-batch.ts";
import { NARROWED_ROWS_MAX, NARROWED_SHARE_MAX, WIDE_ROWS_MIN } from "./limits.ts";
import { RowSelector, TimeBase } from "./select-rows.ts";
import type { TagRegistry } from "./tag-codes.ts";
import { batchUnit } from "./unit.ts";

/** The batches themselves where it is not worth it. Pauses after each. */
export function* narrowBatches(batches: readonly TableBatchView[], scan: Scan, tableId: number, registry: TagRegistry): Generator<undefined, readonly TableBatchView[]> {
  const total = batches.reduce((sum, { rowCount }) => sum + rowCount, 0);
  const tests = scan.tests.filter(({ column }) => scan.table.columns.some(({ name, type }) => name === column && type === "tag"));
  if (total < WIDE_ROWS_MIN || !tests.some(({ negated }) => !negated)) return batches;
  // Times are the engine's business: only tags are tested.
  const selector = new RowSelector({ timeMinNs: undefined, timeMaxNs: undefined, tests }, tableId, registry, new TimeBase(0n));
  for (const { column } of tests) {
    for (const batch of batches) {
      const tag = batchUnit(batch).tag(column);
      if (tag !== undefined) registry.get(tableId, column).mapping(tag.dictionary, tag.dictionaryRows);
    }
    yield;
  }
  const narrowed: TableBatchView[] = [];
  let kept = 0;
  for (const batch of batches) {
    const rows = selector.select(batchUnit(batch));
    kept += rows.length;
    if (kept > NARROWED_ROWS_MAX || kept > total * NARROWED_SHARE_MAX) return batches;
    if (rows.length > 0) narrowed.push(rowsOf(batch, rows));
    yield;
  }
  return narrowed;
}

const TYPE_OF = new Map<number, ColumnType>((Object.keys(ARROW_TYPE) as ColumnType[]).map((type) => [ENCODED[type], type]));

function rowsOf(batch: TableBatchView, rows: Uint32Array): TableBatchView {
  const { databaseId, tableId, timeMin, timeMax } = batch;
  return decodeTableBatch(encodeTableBatch({ databaseId, tableId, timeMin, timeMax, rowCount: rows.length, columns: batch.columns.map((column) => columnRows(column, batch.rowCount, rows)) }));
}

function columnRows(column: ColumnView, rowCount: number, rows: Uint32Array): ColumnValues {
  const type = TYPE_OF.get(column.type);
  if (type === undefined) return { name: column.name, type: "null" };
  const read = cellReader(column, rowCount);
  const cells = Array.from(rows, read);
  return type === "tag" ? encodeTags(column.name, cells as (string | null)[]) : encodeCells(column.name, type, cells);
}
