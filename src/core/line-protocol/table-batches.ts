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
  const [earliest, latest] = extremeRows(time, rows, kept);
  const times = new BigInt64Array(time.buffer as ArrayBuffer);
  return { timeMin: times[earliest] as bigint, timeMax: times[latest] as bigint };
}

/** Rows with the earliest and the latest time of those that are kept; times are two words each, low and high. */
function extremeRows(words: Int32Array, rows: number, kept: Uint8Array | undefined): readonly [earliest: number, latest: number] {
  const first = kept === undefined ? 0 : kept.indexOf(1);
  let [earliest, latest] = [first, first];
  let low = words[first * 2] as number;
  let high = words[first * 2 + 1] as number;
  for (let row = first + 1; row < rows; row++) {
    // Neighbours mostly share their time.
    if (words[row * 2] === low && words[row * 2 + 1] === high) continue;
    if (kept?.[row] === 0) continue;
    low = words[row * 2] as number;
    high = words[row * 2 + 1] as number;
    if (isEarlier(words, row, earliest)) earliest = row;
    else if (isEarlier(words, latest, row)) latest = row;
  }
  return [earliest, latest];
}

function isEarlier(words: Int32Array, left: number, right: number): boolean {
  const [leftHigh, rightHigh] = [words[left * 2 + 1] as number, words[right * 2 + 1] as number];
  return leftHigh === rightHigh ? (words[left * 2] as number) >>> 0 < (words[right * 2] as number) >>> 0 : leftHigh < rightHigh;
}
