/**
 * One column of one row group as Parquet pages: an optional dictionary page and one data page (version 1), snappy
 * compressed. Absent values take no place in the data, only a definition level.
 */
import { ByteWriter } from "../bytes/byte-writer.ts";
import type { ColumnValues } from "../columns/table-batch.ts";
import { textDictionary, wordDictionary } from "./dictionary.ts";
import { bitWidth, encodeHybrid } from "./hybrid.ts";
import { snappyCompress } from "./snappy.ts";
import { boolBounds, type Bounds, floatBounds, integerBounds, textBounds } from "./statistics.ts";
import { ThriftWriter } from "./thrift.ts";

/** Encodings by their numbers in the format. */
const ENCODING = { plain: 0, rle: 3, dictionary: 8, byteStreamSplit: 9 } as const;

export interface ColumnChunk {
  readonly bytes: Uint8Array;
  /** Bytes before the data page; 0: there is no dictionary. */
  readonly dictionaryBytes: number;
  readonly uncompressedBytes: number;
  readonly rowCount: number;
  readonly nullCount: number;
  readonly encodings: readonly number[];
  readonly bounds: Bounds | undefined;
}

/** The values that are there, encoded. */
interface Body {
  readonly encoding: number;
  readonly data: Uint8Array;
  readonly dictionary?: { readonly data: Uint8Array; readonly count: number };
  readonly bounds: Bounds | undefined;
}

/** Rows `from` to `to` (exclusive). `required`: the column has no definition levels. */
export function encodeColumnChunk(column: ColumnValues, from: number, to: number, required: boolean): ColumnChunk {
  const rows = rowsPresent(column, from, to);
  const body = encodeBody(column, from, to, rows);
  const pages = new ByteWriter(body.data.length >> 1);
  let uncompressedBytes = 0;
  if (body.dictionary !== undefined) uncompressedBytes += appendPage(pages, { kind: "dictionary", ...body.dictionary });
  const dictionaryBytes = pages.length;
  const page = new ByteWriter(body.data.length + 64);
  if (!required) definitionLevels(column, from, to, rows, page);
  page.append(body.data);
  uncompressedBytes += appendPage(pages, { kind: "data", data: page.view(), count: to - from, encoding: body.encoding });
  const encodings = body.dictionary === undefined ? [ENCODING.rle, body.encoding] : [ENCODING.plain, ENCODING.rle, body.encoding];
  const nullCount = rows === undefined ? 0 : to - from - rows.length;
  return { bytes: pages.view(), dictionaryBytes, uncompressedBytes, rowCount: to - from, nullCount, encodings, bounds: body.bounds };
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

function definitionLevels(column: ColumnValues, from: number, to: number, rows: Uint32Array | undefined, page: ByteWriter): void {
  const levels = new ByteWriter();
  if (rows === undefined || rows.length === 0) {
    levels.varint((to - from) * 2);
    levels.byte(rows === undefined ? 1 : 0);
  } else encodeHybrid((column.valid as Uint8Array).subarray(from, to), 1, levels);
  page.uint32(levels.length);
  page.append(levels.view());
}

function encodeBody(column: ColumnValues, from: number, to: number, rows: Uint32Array | undefined): Body {
  if (column.type === "null" || rows?.length === 0) return { encoding: ENCODING.plain, data: new Uint8Array(), bounds: undefined };
  switch (column.type) {
    case "bool":
      return boolBody(presentBytes(column.values, from, to, rows));
    case "tag":
      return tagBody(column, from, to, rows);
    case "utf8":
      return textBody(column, from, to, rows);
    default:
      return numberBody(column.type, presentWords(column.values, from, to, rows));
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

function numberBody(type: "int64" | "uint64" | "float64" | "time", words: Uint32Array<ArrayBuffer>): Body {
  const isFloat = type === "float64";
  const bounds = isFloat ? floatBounds(new Float64Array(words.buffer, words.byteOffset, words.length >> 1)) : integerBounds(words, type !== "uint64");
  const dictionary = wordDictionary(words);
  if (dictionary !== undefined) {
    const { words: entries, count, codes } = dictionary;
    return { ...codedBody(codes, count), dictionary: { data: bytesOf(entries), count }, bounds };
  }
  // Split by byte, the exponents of neighbours stand together and compress.
  return isFloat ? { encoding: ENCODING.byteStreamSplit, data: splitBytes(bytesOf(words)), bounds } : { encoding: ENCODING.plain, data: bytesOf(words), bounds };
}

const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

function splitBytes(bytes: Uint8Array): Uint8Array {
  const count = bytes.length >> 3;
  const out = new Uint8Array(bytes.length);
  for (let stream = 0; stream < 8; stream++) {
    const base = stream * count;
    for (let index = 0, at = stream; index < count; index++, at += 8) out[base + index] = bytes[at] as number;
  }
  return out;
}

function boolBody(values: Uint8Array): Body {
  const data = new Uint8Array((values.length + 7) >> 3);
  for (let index = 0; index < values.length; index++) if (values[index] !== 0) data[index >> 3] = (data[index >> 3] as number) | (1 << (index & 7));
  return { encoding: ENCODING.plain, data, bounds: boolBounds(values) };
}

/** The column's own codes, made dense for this row group. */
function tagBody(column: Extract<ColumnValues, { type: "tag" }>, from: number, to: number, rows: Uint32Array | undefined): Body {
  const dense = new Int32Array(column.offsets.length - 1).fill(-1);
  const entries: Uint8Array[] = [];
  const count = rows?.length ?? to - from;
  const codes = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    const entry = column.indexes[rows === undefined ? from + index : (rows[index] as number)] as number;
    let code = dense[entry] as number;
    if (code < 0) code = dense[entry] = entries.push(column.bytes.subarray(column.offsets[entry], column.offsets[entry + 1])) - 1;
    codes[index] = code;
  }
  return { ...codedBody(codes, entries.length), dictionary: { data: plainTexts(entries), count: entries.length }, bounds: textBounds(entries) };
}

function textBody(column: Extract<ColumnValues, { type: "utf8" }>, from: number, to: number, rows: Uint32Array | undefined): Body {
  const textAt = (row: number): Uint8Array => column.bytes.subarray(column.offsets[row], column.offsets[row + 1]);
  const texts = rows === undefined ? Array.from({ length: to - from }, (_, index) => textAt(from + index)) : Array.from(rows, textAt);
  const dictionary = textDictionary(texts);
  if (dictionary === undefined) return { encoding: ENCODING.plain, data: plainTexts(texts), bounds: textBounds(texts) };
  const { entries, codes } = dictionary;
  return { ...codedBody(codes, entries.length), dictionary: { data: plainTexts(entries), count: entries.length }, bounds: textBounds(entries) };
}

function codedBody(codes: Uint32Array, count: number): { readonly encoding: number; readonly data: Uint8Array } {
  const out = new ByteWriter(codes.length);
  const width = Math.max(1, bitWidth(Math.max(0, count - 1)));
  out.byte(width);
  encodeHybrid(codes, width, out);
  return { encoding: ENCODING.dictionary, data: out.view() };
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
function appendPage(out: ByteWriter, page: Page): number {
  const compressed = new ByteWriter((page.data.length >> 1) + 64);
  snappyCompress(page.data, compressed);
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
  out.append(compressed.view());
  return bytes.length + page.data.length;
}
