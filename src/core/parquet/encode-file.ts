/**
 * Writes a Parquet file: row groups of a fixed number of rows, one data page per column, snappy, bounds and counts of
 * absent values in the footer. `time` is required and a nanosecond timestamp, everything else may be NULL.
 */
import { ByteWriter } from "../bytes/byte-writer.ts";
import type { ColumnType } from "../columns/column-type.ts";
import type { ColumnValues } from "../columns/table-batch.ts";
import { assert } from "../errors/assert.ts";
import { encodeColumnChunk } from "./column-chunk.ts";
import { encodeFooter, type PlacedChunk, type RowGroup } from "./footer.ts";
import { ROW_GROUP_ROWS } from "./limits.ts";

export interface ParquetColumn {
  readonly fieldId: number;
  /** The table's type: a column without values is written as this type. */
  readonly type: ColumnType;
  readonly values: ColumnValues;
}

const MAGIC = new TextEncoder().encode("PAR1");

/** A generator that pauses after each column of each row group, so that the caller can let other work run. */
export function* encodeParquet(columns: readonly ParquetColumn[], rowCount: number, rowGroupRows = ROW_GROUP_ROWS): Generator<undefined, Uint8Array<ArrayBuffer>> {
  assert(rowCount > 0 && columns.length > 0, "a Parquet file has rows and columns");
  const out = new ByteWriter(65_536);
  out.append(MAGIC);
  const rowGroups: RowGroup[] = [];
  for (let from = 0; from < rowCount; from += rowGroupRows) {
    const to = Math.min(rowCount, from + rowGroupRows);
    const chunks: PlacedChunk[] = [];
    for (const { type, values } of columns) {
      const { bytes, ...chunk } = encodeColumnChunk(values, from, to, type === "time");
      chunks.push({ ...chunk, offset: out.length, compressedBytes: bytes.length });
      out.append(bytes);
      yield;
    }
    rowGroups.push({ rowCount: to - from, chunks });
  }
  const footer = encodeFooter(columns.map(({ fieldId, type, values }) => ({ fieldId, type, name: values.name })), rowGroups);
  out.append(footer);
  out.uint32(footer.length);
  out.append(MAGIC);
  return out.copy();
}
