/**
 * One column of one row group as Parquet pages: an optional dictionary page and one data page (version 1), snappy
 * compressed. Absent values take no place in the data, only a definition level.
 */
import { ByteWriter } from "../bytes/byte-writer.ts";
import type { ColumnValues } from "../columns/table-batch.ts";
import { textDictionary } from "./dictionary.ts";
import { ENCODING, type PageEncoder } from "./page-encoder.ts";
import { boolBounds, type Bounds, textBounds } from "./statistics.ts";
import { ThriftWriter } from "./thrift.ts";

export interface ColumnChunk {
  /** Where it begins in the file. */
  readonly offset: number;
  readonly compressedBytes: number;
  /** Bytes before the data page; 0: there is no dictionary. */
  readonly dictionaryBytes: number;
  readonly uncompressedBytes: number;
  readonly rowCount: number;
  readonly nullCount: number;
  readonly encodings: readonly number[];
  readonly bounds: Bounds | undefined;
}

/** The values that are there, encoded; perhaps in memory of the encoder, so it is used up before the next one. */
interface Body {
  readonly encoding: number;
  readonly data: Uint8Array;
  readonly dictionary?: { readonly data: Uint8Array; readonly count: number } | undefined;
  readonly bounds: Bounds | undefined;
}

export interface RowRange {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

export interface ChunkTarget {
  /** The file; the chunk is appended to it. */
  readonly file: ByteWriter;
  /** Working memory. */
  readonly page: ByteWriter;
  readonly encoder: PageEncoder;
}

/** `required`: the column has no definition levels. */
export function encodeColumnChunk(column: ColumnValues, range: RowRange, required: boolean, target: ChunkTarget): ColumnChunk {
  const { file, page, encoder } = target;
  const { from, to } = range;
  const rows = rowsPresent(column, from, to);
  page.clear();
  if (!required) definitionLevels(column, range, rows, page, encoder);
  const body = encodeBody(column, range, rows, encoder);
  page.append(body.data);
  const offset = file.length;
  let uncompressedBytes = 0;
  if (body.dictionary !== undefined) uncompressedBytes += appendPage({ kind: "dictionary", ...body.dictionary }, file, encoder);
  const dictionaryBytes = file.length - offset;
  uncompressedBytes += appendPage({ kind: "data", data: page.view(), count: to - from, encoding: body.encoding }, file, encoder);
  const encodings = body.dictionary === undefined ? [ENCODING.rle, body.encoding] : [ENCODING.plain, ENCODING.rle, body.encoding];
  const nullCount = rows === undefined ? 0 : to - from - rows.length;
  return { offset, compressedBytes: file.length - offset, dictionaryBytes, uncompressedBytes, rowCount: to - from, nullCount, encodings, bounds: body.bounds };
}

/** Rows with a value; undefined: all of them. */
function rowsPresent(column: ColumnValues, from: number, to: number): Uint32Array | undefined {
  if (column.type === "null") return new Uint32Array();
  const { valid } = column;
  if (valid === undefined) return undefined;
  const rows = new Uint32Array(to - from);
  let count = 0;
  for (let row = from; row < to; row++) if (valid[row] !== 0) rows[count++] = row;
  return count === to - from ? undefined : rows.subarray(0, count);
}

function definitionLevels(column: ColumnValues, { from, to }: RowRange, rows: Uint32Array | undefined, page: ByteWriter, encoder: PageEncoder): void {
  const levels = rows === undefined || rows.length === 0 ? equalLevels(to - from, rows === undefined ? 1 : 0) : encoder.levels((column.valid as Uint8Array).subarray(from, to));
  page.uint32(levels.length);
  page.append(levels);
}

/** One run. */
function equalLevels(count: number, level: number): Uint8Array {
  const out = new ByteWriter(8);
  out.varint(count * 2);
  out.byte(level);
  return out.view();
}

function encodeBody(column: ColumnValues, range: RowRange, rows: Uint32Array | undefined, encoder: PageEncoder): Body {
  if (column.type === "null" || rows?.length === 0) return { encoding: ENCODING.plain, data: new Uint8Array(), bounds: undefined };
  const { from, to } = range;
  switch (column.type) {
    case "bool":
      return boolBody(presentBytes(column.values, from, to, rows));
    case "tag":
      return tagBody(column, presentCodes(column.indexes, range, rows), encoder);
    case "utf8":
      return textBody(column, range, rows, encoder);
    default:
      return encoder.numbers(column.type, presentWords(column.values, from, to, rows));
  }
}

function presentBytes(values: Uint8Array, from: number, to: number, rows: Uint32Array | undefined): Uint8Array {
  return rows === undefined ? values.subarray(from, to) : Uint8Array.from(rows, (row) => values[row] as number);
}

function presentWords(values: BigInt64Array | BigUint64Array | Float64Array, from: number, to: number, rows: Uint32Array | undefined): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(values.buffer as ArrayBuffer, values.byteOffset, values.length * 2);
  if (rows === undefined) return all.subarray(from * 2, to * 2);
  const words = new Uint32Array(rows.length * 2);
  for (let index = 0; index < rows.length; index++) {
    const at = (rows[index] as number) * 2;
    words[index * 2] = all[at] as number;
    words[index * 2 + 1] = all[at + 1] as number;
  }
  return words;
}

function presentCodes(codes: Uint32Array, { from, to }: RowRange, rows: Uint32Array | undefined): Uint32Array {
  return rows === undefined ? codes.subarray(from, to) : Uint32Array.from(rows, (row) => codes[row] as number);
}

function boolBody(values: Uint8Array): Body {
  const data = new Uint8Array((values.length + 7) >> 3);
  for (let index = 0; index < values.length; index++) if (values[index] !== 0) data[index >> 3] = (data[index >> 3] as number) | (1 << (index & 7));
  return { encoding: ENCODING.plain, data, bounds: boolBounds(values) };
}

/** The column's own codes, made dense for this row group. */
function tagBody(column: Extract<ColumnValues, { type: "tag" }>, codes: Uint32Array, encoder: PageEncoder): Body {
  const { data, used } = encoder.codes(codes);
  const entries = Array.from(used, (entry) => column.bytes.subarray(column.offsets[entry], column.offsets[entry + 1]));
  return { encoding: ENCODING.dictionary, data, dictionary: { data: plainTexts(entries), count: entries.length }, bounds: textBounds(entries) };
}

function textBody(column: Extract<ColumnValues, { type: "utf8" }>, { from, to }: RowRange, rows: Uint32Array | undefined, encoder: PageEncoder): Body {
  const textAt = (row: number): Uint8Array => column.bytes.subarray(column.offsets[row], column.offsets[row + 1]);
  const texts = rows === undefined ? Array.from({ length: to - from }, (_, index) => textAt(from + index)) : Array.from(rows, textAt);
  const dictionary = textDictionary(texts);
  if (dictionary === undefined) return { encoding: ENCODING.plain, data: plainTexts(texts), bounds: textBounds(texts) };
  const { entries, codes } = dictionary;
  return { encoding: ENCODING.dictionary, data: encoder.codes(codes).data, dictionary: { data: plainTexts(entries), count: entries.length }, bounds: textBounds(entries) };
}

function plainTexts(texts: readonly Uint8Array[]): Uint8Array {
  const out = new ByteWriter();
  for (const text of texts) {
    out.uint32(text.length);
    out.append(text);
  }
  return out.view();
}

type Page = { readonly data: Uint8Array; readonly count: number } & ({ readonly kind: "dictionary" } | { readonly kind: "data"; readonly encoding: number });

/** Returns the page's size before compression, header included. */
function appendPage(page: Page, out: ByteWriter, encoder: PageEncoder): number {
  const compressed = encoder.compress(page.data);
  const header = new ThriftWriter();
  header.i32(1, page.kind === "dictionary" ? 2 : 0);
  header.i32(2, page.data.length);
  header.i32(3, compressed.length);
  header.struct(page.kind === "dictionary" ? 7 : 5, () => {
    header.i32(1, page.count);
    header.i32(2, page.kind === "dictionary" ? ENCODING.plain : page.encoding);
    if (page.kind === "dictionary") return;
    header.i32(3, ENCODING.rle);
    header.i32(4, ENCODING.rle);
  });
  const bytes = header.finish();
  out.append(bytes);
  out.append(compressed);
  return bytes.length + page.data.length;
}
