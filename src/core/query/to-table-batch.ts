/**
 * A whole result as one encoded table batch for plugins (spec: processing-engine §11.2). Types that the reference
 * refuses become text or integers here: dates, times, decimals, intervals, lists and structs as their JSON text or grid text.
 */
import type { ColumnType } from "../columns/column-type.ts";
import { encodeTableBatch, type ColumnValues } from "../columns/table-batch.ts";
import { DatabaseError } from "../errors/database-error.ts";
import { formatCell, jsonWriter } from "./format-value.ts";
import type { QueryStream, ResultColumn, ResultValue } from "./query-stream.ts";
import { encodeCells } from "./rows-to-batch.ts";
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
        const cell = value === null ? null : cellOf(value, column.sqlType);
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

function batchType(type: SqlType): ColumnType {
  switch (type.kind) {
    case "int8":
    case "int16":
    case "int32":
    case "int64":
    case "uint8":
    case "uint16":
    case "uint32":
    case "timestamp":
    case "duration":
    case "time":
      return "int64";
    case "uint64":
      return "uint64";
    case "float32":
    case "float64":
      return "float64";
    case "boolean":
      return "bool";
    default:
      return "utf8";
  }
}

function cellOf(value: Exclude<ResultValue, null>, type: SqlType): unknown {
  if (batchType(type) !== "utf8") return value;
  return type.kind === "list" || type.kind === "struct" ? jsonWriter(type)(value) : formatCell(value, type);
}
