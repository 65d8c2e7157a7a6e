/** Third phase of a write: the planned rows as table batches, ready to be encoded straight into the WAL ring. */
import type { ColumnValues, TableBatchInput } from "../columns/table-batch.ts";
import { gatherColumn } from "../columns/gather.ts";
import type { ParsedTable } from "./parsed-table.ts";
import type { PlannedTable, WritePlan } from "./plan-write.ts";

/** One batch per table. They share the parser's memory: encode them before it takes the next body. */
export function tableBatches(plan: WritePlan): TableBatchInput[] {
  return plan.tables.map((table) => tableBatch(plan.databaseId, table));
}

function tableBatch(databaseId: number, { parsed, tableId, kept, keptRows }: PlannedTable): TableBatchInput {
  const rows = parsed.rows;
  const time: ColumnValues = { name: "time", type: "time", values: new BigInt64Array(parsed.time.buffer as ArrayBuffer) };
  const all: ColumnValues[] = [
    ...parsed.tagColumns(),
    ...parsed.activeColumns.filter((column) => column.count > 0).map((column) => column.values(rows)),
    time,
  ];
  const { timeMin, timeMax } = timeBounds(parsed, kept);
  const columns = kept === undefined ? all : all.map((column) => gatherColumn(column, kept, rows)).filter((column) => column.type !== "null");
  return { databaseId, tableId, rowCount: keptRows, timeMin, timeMax, columns };
}

function timeBounds({ time, rows }: ParsedTable, kept: Uint8Array | undefined): { timeMin: bigint; timeMax: bigint } {
  const first = kept === undefined ? 0 : kept.indexOf(1);
  const times = new BigInt64Array(time.buffer as ArrayBuffer);
  return { timeMin: times[extremeRow(time, { first, rows, kept, sign: -1 })] as bigint, timeMax: times[extremeRow(time, { first, rows, kept, sign: 1 })] as bigint };
}

/** Row with the latest (`sign` 1) or earliest (-1) time of those that are kept; times are two words each, low and high. */
function extremeRow(words: Int32Array, { first, rows, kept, sign }: { readonly first: number; readonly rows: number; readonly kept: Uint8Array | undefined; readonly sign: 1 | -1 }): number {
  let found = first;
  let high = words[first * 2 + 1] as number;
  let low = (words[first * 2] as number) >>> 0;
  for (let row = first + 1; row < rows; row++) {
    const rowHigh = words[row * 2 + 1] as number;
    const rowLow = (words[row * 2] as number) >>> 0;
    // Neighbours mostly share their time.
    if (rowHigh === high && rowLow === low) continue;
    if ((rowHigh === high ? rowLow - low : rowHigh - high) * sign < 0 || kept?.[row] === 0) continue;
    [found, high, low] = [row, rowHigh, rowLow];
  }
  return found;
}
