/** Third phase of a write: the planned rows as table batches, ready to be encoded straight into the WAL ring. */
import type { ColumnValues, TableBatchInput } from "../columns/table-batch.ts";
import { gatherColumn } from "../columns/gather.ts";
import type { ParsedTable } from "./parsed-table.ts";
import type { PlannedTable, WritePlan } from "./plan-write.ts";
import type { Series, TagColumn } from "./series.ts";

/** One batch per table. They share the parser's memory: encode them before it takes the next body. */
export function tableBatches(plan: WritePlan): TableBatchInput[] {
  return plan.tables.map((table) => tableBatch(plan.databaseId, table));
}

function tableBatch(databaseId: number, { parsed, tableId, kept, keptRows }: PlannedTable): TableBatchInput {
  const rows = parsed.rows;
  const time: ColumnValues = { name: "time", type: "time", values: new BigInt64Array(parsed.time.buffer as ArrayBuffer) };
  const all: ColumnValues[] = [
    ...parsed.activeTags.map((tag) => tagValues(parsed, tag)),
    ...parsed.activeColumns.filter((column) => column.count > 0).map((column) => column.values(rows)),
    time,
  ];
  const { timeMin, timeMax } = timeBounds(parsed, kept);
  const columns = kept === undefined ? all : all.map((column) => gatherColumn(column, kept, rows)).filter((column) => column.type !== "null");
  return { databaseId, tableId, rowCount: keptRows, timeMin, timeMax, columns };
}

function tagValues(parsed: ParsedTable, tag: TagColumn): ColumnValues {
  const { localSeries, series, rows } = parsed;
  const codes = new Int32Array(localSeries.length);
  let sparse = false;
  for (let local = 0; local < localSeries.length; local++) {
    const { tags, valueIds } = localSeries[local] as Series;
    const place = tags.indexOf(tag);
    if (place < 0) sparse = true;
    codes[local] = place < 0 ? -1 : tag.code(valueIds[place] as number);
  }
  const indexes = tag.rowCodes(rows, parsed.budget);
  if (!sparse) {
    for (let row = 0; row < rows; row++) indexes[row] = codes[series[row] as number] as number;
    return tag.batchColumn(indexes, undefined);
  }
  const valid = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const code = codes[series[row] as number] as number;
    indexes[row] = Math.max(0, code);
    valid[row] = code < 0 ? 0 : 1;
  }
  return tag.batchColumn(indexes, valid);
}

function timeBounds(parsed: ParsedTable, kept: Uint8Array | undefined): { timeMin: bigint; timeMax: bigint } {
  const words = parsed.time;
  let min = -1;
  let max = -1;
  for (let row = 0; row < parsed.rows; row++) {
    if (kept !== undefined && kept[row] === 0) continue;
    if (min < 0 || earlier(words, row, min)) min = row;
    if (max < 0 || earlier(words, max, row)) max = row;
  }
  const times = new BigInt64Array(words.buffer as ArrayBuffer);
  return { timeMin: times[min] as bigint, timeMax: times[max] as bigint };
}

/** True when row `a` lies before row `b`, comparing high then low words. */
function earlier(words: Int32Array, a: number, b: number): boolean {
  const high = (words[a * 2 + 1] as number) - (words[b * 2 + 1] as number);
  return high !== 0 ? high < 0 : (words[a * 2] as number) >>> 0 < (words[b * 2] as number) >>> 0;
}
