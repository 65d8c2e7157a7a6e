/** A plan of rows over a declared cache: the rows are at hand and have passed all tests but those of time. */
import type { CellValue } from "../../columns/cells.ts";
import type { ResultBatch } from "../query-stream.ts";
import { DIRECT_ORDERED_GROUPS_MAX, DIRECT_RESULT_ROWS } from "./limits.ts";
import type { RowsPlan } from "./plan.ts";

/** `rows`: cells in the order of the scan's columns. Undefined: the engine shall sort them. */
export function runCached({ scan, columns, order, limit, offset }: RowsPlan, rows: readonly (readonly CellValue[])[]): Iterable<ResultBatch> | undefined {
  const { timeMinNs, timeMaxNs } = scan;
  const at = scan.table.columns.findIndex(({ name }) => name === "time");
  const timeOf = (row: readonly CellValue[]): bigint => row[at] as bigint;
  const isBounded = timeMinNs !== undefined || timeMaxNs !== undefined;
  const inTime = isBounded ? rows.filter((row) => (timeMinNs === undefined || timeOf(row) >= timeMinNs) && (timeMaxNs === undefined || timeOf(row) <= timeMaxNs)) : rows;
  if (order !== undefined && inTime.length > DIRECT_ORDERED_GROUPS_MAX) return undefined;
  const sign = order === "descending" ? -1 : 1;
  const sorted = order === undefined ? inTime : [...inTime].sort((left, right) => (timeOf(left) < timeOf(right) ? -sign : timeOf(left) > timeOf(right) ? sign : 0));
  const places = columns.map((name) => scan.table.columns.findIndex((column) => column.name === name));
  return batches(sorted, places, offset, limit === undefined ? sorted.length : Math.min(sorted.length, offset + limit));
}

function* batches(rows: readonly (readonly CellValue[])[], places: readonly number[], from: number, to: number): Generator<ResultBatch> {
  for (let start = from; start < to; start += DIRECT_RESULT_ROWS) {
    const part = rows.slice(start, Math.min(to, start + DIRECT_RESULT_ROWS));
    yield { rowCount: part.length, columns: places.map((place) => part.map((row) => row[place] ?? null)) };
  }
}
