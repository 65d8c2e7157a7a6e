/**
 * Writes a Parquet file: row groups of a fixed number of rows, one data page per column, snappy, bounds and counts of
 * absent values in the footer. `time` is required and a nanosecond timestamp, everything else may be NULL.
 */
import { ByteWriter } from "../bytes/byte-writer.ts";
import type { ColumnType } from "../columns/column-type.ts";
import type { ColumnValues } from "../columns/table-batch.ts";
import { assert } from "../errors/assert.ts";
import { type ColumnChunk, encodeColumnChunk } from "./column-chunk.ts";
import { encodeFooter, type RowGroup } from "./footer.ts";
import { ROW_GROUP_ROWS } from "./limits.ts";
import { type PageEncoder, scriptPages } from "./page-encoder.ts";

export interface ParquetColumn {
  readonly fieldId: number;
  /** The table's type: a column without values is written as this type. */
  readonly type: ColumnType;
  readonly values: ColumnValues;
}

/** First room of a file: floats take most of 8 bytes, tags next to nothing. */
const BYTES_PER_CELL_GUESS = 3;
/** A plain 64-bit value and its level. */
const PAGE_BYTES_PER_ROW = 9;

const MAGIC = new TextEncoder().encode("PAR1");

/** A generator that pauses after each column of each row group, so that the caller can let other work run. */
export function* encodeParquet(
  columns: readonly ParquetColumn[],
  rowCount: number,
  { encoder = scriptPages, rowGroupRows = ROW_GROUP_ROWS }: { readonly encoder?: PageEncoder | undefined; readonly rowGroupRows?: number } = {},
): Generator<undefined, Uint8Array<ArrayBuffer>> {
  assert(rowCount > 0 && columns.length > 0, "a Parquet file has rows and columns");
  const file = new ByteWriter(rowCount * columns.length * BYTES_PER_CELL_GUESS + 65_536);
  const target = { file, page: new ByteWriter(Math.min(rowCount, rowGroupRows) * PAGE_BYTES_PER_ROW + 256), encoder };
  file.append(MAGIC);
  const rowGroups: RowGroup[] = [];
  for (let from = 0; from < rowCount; from += rowGroupRows) {
    const to = Math.min(rowCount, from + rowGroupRows);
    const chunks: ColumnChunk[] = [];
    for (const { type, values } of columns) {
      chunks.push(encodeColumnChunk(values, { from, to }, type === "time", target));
      yield;
    }
    rowGroups.push({ rowCount: to - from, chunks });
  }
  const footer = encodeFooter(columns.map(({ fieldId, type, values }) => ({ fieldId, type, name: values.name })), rowGroups);
  file.append(footer);
  file.uint32(footer.length);
  file.append(MAGIC);
  return file.view();
}
