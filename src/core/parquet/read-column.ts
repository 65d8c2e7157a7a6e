/**
 * One column of a Parquet file of ours as the column of a table batch, all row groups together. Reads what our encoder
 * writes: version 1 data pages, plain, dictionary and byte-stream-split values, snappy or no compression. Bytes are not
 * trusted: whatever does not fit throws `parquet.corrupt`.
 */
import { type ColumnType, ENCODED } from "../columns/column-type.ts";
import type { ColumnView } from "../columns/table-batch.ts";
import { damagedParquet } from "./damaged.ts";
import { decodeHybrid } from "./hybrid-decode.ts";
import { PAGE_BYTES_MAX } from "./limits.ts";
import type { ParquetLayout, StoredChunk } from "./read-footer.ts";
import { snappyDecompress } from "./snappy-decompress.ts";
import { structAt, ThriftReader, wholeAt } from "./thrift-reader.ts";
import { type ColumnSink, sinkFor } from "./column-sink.ts";

const PHYSICAL: Readonly<Record<ColumnType, number>> = { bool: 0, int64: 2, uint64: 2, time: 2, float64: 5, tag: 6, utf8: 6 };
const CODEC = { none: 0, snappy: 1 } as const;
const PAGE = { data: 0, dictionary: 2 } as const;
const ENCODING = { plain: 0, plainDictionary: 2, dictionary: 8, byteStreamSplit: 9 } as const;

export interface ColumnWanted {
  /** Field id in the file. */
  readonly id: number;
  readonly name: string;
  readonly type: ColumnType;
}

/** Undefined: the file has no such column. Throws `parquet.corrupt`, `parquet.too_large`. */
export function readParquetColumn(file: ParquetLayout, column: ColumnWanted, textBytesMax: number = PAGE_BYTES_MAX): ColumnView | undefined {
  const stored = file.columns.get(column.id);
  if (stored === undefined) return undefined;
  if (stored.physicalType !== PHYSICAL[column.type]) throw damagedParquet(`column ${column.id} has another type than its table`);
  const sink = sinkFor(column.type, file.rowCount, textBytesMax);
  for (const chunk of stored.chunks) readChunk(file.bytes, chunk, stored.required, sink);
  return { name: column.name, type: ENCODED[column.type], ...sink.finish() };
}

function readChunk(bytes: Uint8Array, chunk: StoredChunk, required: boolean, sink: ColumnSink): void {
  const end = chunk.offset + chunk.compressedBytes;
  sink.beginChunk();
  let rows = 0;
  for (let at = chunk.offset; rows < chunk.rowCount; ) {
    const reader = new ThriftReader(bytes.subarray(0, end), at);
    const header = reader.struct();
    const size = wholeAt(header, 3);
    const from = reader.offset;
    if (from + size > end) throw damagedParquet("a page lies outside its column");
    const data = decompress(bytes.subarray(from, from + size), wholeAt(header, 2), chunk.codec);
    at = from + size;
    if (wholeAt(header, 1) === PAGE.dictionary) {
      const info = structAt(header, 7);
      sink.dictionary(data, wholeAt(info, 1));
      continue;
    }
    if (wholeAt(header, 1) !== PAGE.data) throw damagedParquet("it has a kind of page that we do not write");
    const info = structAt(header, 5);
    const count = wholeAt(info, 1);
    if (count === 0 || rows + count > chunk.rowCount) throw damagedParquet("a page has more rows than its column");
    readPage(data, count, wholeAt(info, 2), required, sink);
    rows += count;
  }
}

function decompress(data: Uint8Array, size: number, codec: number): Uint8Array {
  if (size > PAGE_BYTES_MAX) throw damagedParquet("a page is too large");
  if (codec === CODEC.snappy) return snappyDecompress(data, size);
  if (codec !== CODEC.none || data.length !== size) throw damagedParquet(`a page is compressed in a way that we do not write (${codec})`);
  return data;
}

function readPage(data: Uint8Array, rows: number, encoding: number, required: boolean, sink: ColumnSink): void {
  let values = data;
  let levels: Uint32Array | undefined;
  if (!required) {
    if (data.length < 4) throw damagedParquet("a page has no definition levels");
    const size = new DataView(data.buffer, data.byteOffset, 4).getUint32(0, true);
    if (size > data.length - 4) throw damagedParquet("definition levels are cut off");
    levels = decodeHybrid(data.subarray(4, 4 + size), 1, rows);
    values = data.subarray(4 + size);
  }
  const present = levels === undefined ? rows : sumOf(levels);
  const valid = present === rows ? undefined : levels;
  if (present === 0) sink.skip(rows);
  else if (encoding === ENCODING.plain) sink.plain(values, rows, present, valid);
  else if (encoding === ENCODING.byteStreamSplit) sink.plain(unsplit(values, present), rows, present, valid);
  else if (encoding === ENCODING.dictionary || encoding === ENCODING.plainDictionary) {
    if (values.length === 0) throw damagedParquet("a page has no codes");
    sink.codes(decodeHybrid(values.subarray(1), values[0] as number, present), rows, valid);
  } else throw damagedParquet(`a page has an encoding that we do not write (${encoding})`);
}

function sumOf(levels: Uint32Array): number {
  let sum = 0;
  for (let index = 0; index < levels.length; index++) sum += levels[index] as number;
  return sum;
}

function unsplit(bytes: Uint8Array, count: number): Uint8Array {
  if (bytes.length !== count * 8) throw damagedParquet("a page has another size than its values");
  const out = new Uint8Array(bytes.length);
  for (let stream = 0; stream < 8; stream++) {
    const base = stream * count;
    for (let index = 0, at = stream; index < count; index++, at += 8) out[at] = bytes[base + index] as number;
  }
  return out;
}
