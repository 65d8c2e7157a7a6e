/**
 * Many small batches as one: devices that write a line at a time would make every query look at thousands of batches, each
 * with columns and dictionaries of its own. Rows keep their order.
 */
import { type CellValue, cellAt } from "../columns/cells.ts";
import { ARROW_TYPE, type ColumnType, ENCODED } from "../columns/column-type.ts";
import { type ColumnValues, encodeTableBatch, type TableBatchView, viewTableBatch } from "../columns/table-batch.ts";
import { encodeCells, encodeTags } from "../query/rows-to-batch.ts";

const TYPE_OF = new Map<number, ColumnType>((Object.keys(ARROW_TYPE) as ColumnType[]).map((type) => [ENCODED[type], type]));

/** Of one table, at least one. */
export function combineBatches(batches: readonly TableBatchView[]): TableBatchView {
  const [first] = batches as [TableBatchView];
  const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
  const columns = new Map<string, { readonly type: ColumnType; readonly cells: CellValue[] }>();
  let { timeMin, timeMax } = first;
  let at = 0;
  for (const batch of batches) {
    if (batch.timeMin < timeMin) timeMin = batch.timeMin;
    if (batch.timeMax > timeMax) timeMax = batch.timeMax;
    for (const column of batch.columns) {
      const type = TYPE_OF.get(column.type);
      if (type === undefined) continue;
      let known = columns.get(column.name);
      if (known === undefined) columns.set(column.name, (known = { type, cells: new Array<CellValue>(rowCount).fill(null) }));
      for (let row = 0; row < batch.rowCount; row++) known.cells[at + row] = cellAt(column, batch.rowCount, row);
    }
    at += batch.rowCount;
  }
  const { databaseId, tableId } = first;
  const values = [...columns].map(([name, { type, cells }]): ColumnValues => (type === "tag" ? encodeTags(name, cells as (string | null)[]) : encodeCells(name, type, cells)));
  return viewTableBatch(encodeTableBatch({ databaseId, tableId, rowCount, timeMin, timeMax, columns: values }));
}
