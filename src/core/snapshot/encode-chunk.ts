/**
 * A table's rows of one time chunk as a Parquet file: sorted by series key (creation order of the tags, NULL first) and
 * time, one row per series and time with the newest value of each column.
 */
import type { TableDefinition } from "../catalog/definitions.ts";
import type { ColumnValues } from "../columns/table-batch.ts";
import { encodeParquet, type ParquetColumn } from "../parquet/encode-file.ts";
import type { PageEncoder } from "../parquet/page-encoder.ts";
import type { ChunkRows } from "./chunk-rows.ts";
import { gatherField, GatherMemory } from "./gather-field.ts";
import { MERGE_BYTES_PER_CELL, MERGE_BYTES_PER_ROW } from "./limits.ts";
import { orderRows, type RowOrder } from "./row-order.ts";
import { readTagCodes, type TagCodes } from "./tag-codes.ts";

export interface EncodedChunk {
  readonly bytes: Uint8Array;
  readonly rowCount: number;
  readonly timeMin: bigint;
  readonly timeMax: bigint;
}

/** Memory that encoding takes at most, known before; the copy for another thread is in it. */
export function encodeCost(table: TableDefinition, chunk: ChunkRows): number {
  const batchBytes = chunk.pieces.reduce((sum, { batch, rowCount }) => sum + (batch.bytes.length * rowCount) / batch.rowCount, 0);
  return Math.ceil(batchBytes * 3) + chunk.rowCount * (MERGE_BYTES_PER_ROW + table.columns.length * MERGE_BYTES_PER_CELL);
}

/** Pauses after every few milliseconds of work. */
export function* encodeChunk(table: TableDefinition, chunk: ChunkRows, encoder?: PageEncoder): Generator<undefined, EncodedChunk> {
  const tags: TagCodes[] = [];
  for (const name of table.seriesKey) tags.push(yield* readTagCodes(name, chunk));
  const order = yield* orderRows(chunk, tags);
  const memory = new GatherMemory();
  const columns: ParquetColumn[] = [];
  for (const tag of tags) columns.push(column(table, gatherTag(tag, order)));
  columns.push(column(table, yield* gatherField("time", "time", chunk, order, memory)));
  for (const { name, type } of table.columns) {
    if (type !== "tag" && type !== "time") columns.push(column(table, yield* gatherField(name, type, chunk, order, memory)));
  }
  const rowCount = order.groupEnds.length;
  const bytes = yield* encodeParquet(columns, rowCount, { encoder });
  return { bytes, rowCount, timeMin: chunk.start + BigInt(order.offsetMin), timeMax: chunk.start + BigInt(order.offsetMax) };
}

function column(table: TableDefinition, values: ColumnValues): ParquetColumn {
  const { id, type } = table.columnsByName.get(values.name) as TableDefinition["columns"][number];
  return { fieldId: id, type, values };
}

/** A series has one value in all its rows, and its rows stand together. */
export function gatherTag({ name, codes, values }: TagCodes, { rows, groupEnds, seriesEnds }: RowOrder): ColumnValues {
  const indexes = new Uint32Array(groupEnds.length);
  let valid: Uint8Array | undefined;
  for (let series = 0, from = 0; series < seriesEnds.length; series++) {
    const to = seriesEnds[series] as number;
    const code = codes[rows[(groupEnds[from] as number) - 1] as number] as number;
    if (code > 0) indexes.fill(code - 1, from, to);
    else (valid ??= new Uint8Array(groupEnds.length).fill(1)).fill(0, from, to);
    from = to;
  }
  const offsets = new Uint32Array(values.length + 1);
  values.forEach((value, index) => (offsets[index + 1] = (offsets[index] as number) + value.length));
  const bytes = new Uint8Array(offsets[values.length] as number);
  values.forEach((value, index) => bytes.set(value, offsets[index]));
  return { name, type: "tag", indexes, offsets, bytes, valid };
}
