/**
 * A whole result as one encoded table batch for plugins (spec: processing-engine §11.2). Types that the reference
 * refuses become text or integers here: dates, times, decimals, intervals, lists and structs as their JSON text or grid text.
 */
import type { ColumnType } from "../columns/column-type.ts";
import { encodeTableBatch, type ColumnValues } from "../columns/table-batch.ts";
import { DatabaseError } from "../errors/database-error.ts";
import type { QueryStream, ResultColumn, ResultValue } from "./query-stream.ts";
import { encodeCells } from "./rows-to-batch.ts";
import { storedCell, storedType } from "./stored-cell.ts";
import type { SqlType } from "./types.ts";

export interface ResultLimits {
  readonly rowsMax: number;
  /** Bytes of the values, counted as they arrive. */
  readonly bytesMax: number;
}

/** Reads the stream to its end. Throws `query.failed` when a limit is met (details: `limit`), and what the stream throws. */
export async function toTableBatch(stream: QueryStream, limits: ResultLimits): Promise<Uint8Array<ArrayBuffer>> {
  const columns = lastOfEachName(stream.columns);
  const types = columns.map(([column]) => batchType(column.sqlType));
  const cells: unknown[][] = columns.map(() => []);
  let rowCount = 0;
  let bytes = 0;
  for await (const batch of stream.batches) {
    rowCount += batch.rowCount;
    columns.forEach(([column, position], index) => {
      for (const value of batch.columns[position] as readonly ResultValue[]) {
        const cell = value === null ? null : storedCell(value, column.sqlType, types[index] as ColumnType);
        bytes += typeof cell === "string" ? cell.length + 4 : 8;
        (cells[index] as unknown[]).push(cell);
      }
    });
    checkLimits(rowCount, bytes, limits);
  }
  return encodeTableBatch({
    databaseId: 0, tableId: 0, rowCount, timeMin: 0n, timeMax: 0n,
    columns: columns.map(([column], index): ColumnValues => encodeCells(column.name, types[index] as ColumnType, cells[index] as unknown[])),
  });
}

/** A repeated output name: the last column wins, in the place of the first. */
function lastOfEachName(columns: readonly ResultColumn[]): (readonly [ResultColumn, number])[] {
  const byName = new Map<string, readonly [ResultColumn, number]>();
  columns.forEach((column, index) => byName.set(column.name, [column, index]));
  return [...byName.values()];
}

function checkLimits(rowCount: number, bytes: number, { rowsMax, bytesMax }: ResultLimits): void {
  if (rowCount <= rowsMax && bytes <= bytesMax) return;
  const met = rowCount > rowsMax ? `${rowsMax} rows` : `${bytesMax} bytes`;
  throw new DatabaseError("query.failed", { message: `Query result is larger than ${met}`, hint: "aggregate in the query, or add a LIMIT", details: { limit: rowCount > rowsMax ? "query_rows" : "query_bytes" } });
}

/** Plugins get times of day and points in time as integers. */
function batchType(type: SqlType): ColumnType {
  return type.kind === "timestamp" || type.kind === "time" ? "int64" : storedType(type);
}
