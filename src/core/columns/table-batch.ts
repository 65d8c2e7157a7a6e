/**
 * The table batch: one table's rows as columns, little-endian, every part 8-byte aligned. The same bytes serve the WAL
 * ring, the WAL file, replay, the queryable buffer and the plugin ABI.
 *
 * ```
 * header (40 bytes)  u32 "TMB1" | u32 total bytes | u32 rows | u32 columns | u32 table id | u32 database id | i64 min time | i64 max time
 * column             u8 type | u8 flags (1: has validity) | u16 name bytes | u32 body bytes | name pad8 | [validity bits pad8] | body pad8
 * body by type       1 int64, 6 uint64, 7 time: 8 bytes a row   2 float64: 8 bytes   3 bool: 1 byte
 *                    4 utf8: u32 offsets[rows+1], bytes          5 tag: u32 n, u32 index[rows], u32 offsets[n+1], bytes
 *                    0 null: no body, no validity: no row has a value
 * ```
 * Values of absent rows are zero bytes (an empty string, index 0). `decodeTableBatch` bounds everything before use.
 */
import { DatabaseError } from "../errors/database-error.ts";
import { ENCODED, type EncodedType } from "./column-type.ts";

export const TABLE_BATCH_MAGIC = 0x31424d54;
export const TABLE_BATCH_HEADER_BYTES = 40;
const COLUMN_HEADER_BYTES = 8;
/** A batch holds the rows of one write request; the request limit keeps real ones far below this. */
export const TABLE_BATCH_ROWS_MAX = 67_108_864;
/** Twice the default column limit: room for `--column-limit` without trusting hostile bytes. */
export const TABLE_BATCH_COLUMNS_MAX = 65_536;

/** Not `& ~7`: sizes read from hostile bytes may pass 2^31. */
export const pad8 = (size: number): number => size + ((8 - (size % 8)) % 8);

/** One column to encode. `valid` holds one byte a row (0 absent); undefined: every row has a value. */
export type ColumnValues = { readonly name: string; readonly valid?: Uint8Array | undefined } & (
  | { readonly type: "null" }
  | { readonly type: "int64" | "time"; readonly values: BigInt64Array }
  | { readonly type: "uint64"; readonly values: BigUint64Array }
  | { readonly type: "float64"; readonly values: Float64Array }
  | { readonly type: "bool"; readonly values: Uint8Array }
  /** Offsets into `bytes`, rows + 1 of them. */
  | { readonly type: "utf8"; readonly offsets: Uint32Array; readonly bytes: Uint8Array }
  | { readonly type: "tag"; readonly indexes: Uint32Array; readonly offsets: Uint32Array; readonly bytes: Uint8Array }
);

export interface TableBatchInput {
  readonly databaseId: number;
  readonly tableId: number;
  readonly rowCount: number;
  readonly timeMin: bigint;
  readonly timeMax: bigint;
  readonly columns: readonly ColumnValues[];
}

/** A decoded column: views into the batch's bytes, nothing copied. */
export interface ColumnView {
  readonly name: string;
  readonly type: EncodedType;
  /** Validity bits, least significant first; undefined: every row has a value (none for type null). */
  readonly validity: Uint8Array | undefined;
  readonly body: Uint8Array;
}

export interface TableBatchView {
  readonly databaseId: number;
  readonly tableId: number;
  readonly rowCount: number;
  readonly timeMin: bigint;
  readonly timeMax: bigint;
  readonly columns: readonly ColumnView[];
  readonly bytes: Uint8Array;
}

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Exact size of the encoding, known before anything is allocated. */
export function tableBatchSize(input: TableBatchInput): number {
  let size = TABLE_BATCH_HEADER_BYTES;
  for (const column of input.columns) {
    size += COLUMN_HEADER_BYTES + pad8(nameSize(column.name));
    if (column.valid !== undefined && column.type !== "null") size += pad8((input.rowCount + 7) >> 3);
    size += pad8(bodySize(column, input.rowCount));
  }
  return size;
}

/** Bytes of a name in UTF-8. Nearly all are short and ASCII, and are asked for several times a batch. */
function nameSize(name: string): number {
  for (let at = 0; at < name.length; at++) if (name.charCodeAt(at) > 127) return textEncoder.encode(name).length;
  return name.length;
}

function bodySize(column: ColumnValues, rowCount: number): number {
  switch (column.type) {
    case "null":
      return 0;
    case "bool":
      return rowCount;
    case "utf8":
      return (rowCount + 1) * 4 + (column.offsets[rowCount] ?? 0);
    case "tag":
      return 4 + rowCount * 4 + column.offsets.length * 4 + (column.offsets[column.offsets.length - 1] ?? 0);
    default:
      return rowCount * 8;
  }
}

/** Encodes into `target` at `offset` (a multiple of 8; the room must be there) and returns the bytes written. */
export function encodeTableBatchInto(input: TableBatchInput, target: Uint8Array, offset: number): number {
  const size = tableBatchSize(input);
  const view = new DataView(target.buffer, target.byteOffset + offset, size);
  const out = target.subarray(offset, offset + size);
  view.setUint32(0, TABLE_BATCH_MAGIC, true);
  view.setUint32(4, size, true);
  view.setUint32(8, input.rowCount, true);
  view.setUint32(12, input.columns.length, true);
  view.setUint32(16, input.tableId, true);
  view.setUint32(20, input.databaseId, true);
  view.setBigInt64(24, input.timeMin, true);
  view.setBigInt64(32, input.timeMax, true);
  let at = TABLE_BATCH_HEADER_BYTES;
  for (const column of input.columns) at = encodeColumn(column, input.rowCount, out, view, at);
  return size;
}

function encodeColumn(column: ColumnValues, rowCount: number, out: Uint8Array, view: DataView, start: number): number {
  const nameBytes = nameSize(column.name);
  const withValidity = column.valid !== undefined && column.type !== "null";
  const body = bodySize(column, rowCount);
  out[start] = ENCODED[column.type];
  out[start + 1] = withValidity ? 1 : 0;
  view.setUint16(start + 2, nameBytes, true);
  view.setUint32(start + 4, body, true);
  let at = start + COLUMN_HEADER_BYTES;
  clearPadding(view, at, nameBytes);
  textEncoder.encodeInto(column.name, out.subarray(at, at + nameBytes));
  at += pad8(nameBytes);
  if (withValidity) {
    const bits = out.subarray(at, at + pad8((rowCount + 7) >> 3)).fill(0);
    setBits(bits, column.valid as Uint8Array, rowCount);
    at += bits.length;
  }
  clearPadding(view, at, body);
  encodeBody(column, rowCount, out, view, at);
  return at + pad8(body);
}

/** Zeros in the last word of a part, before its bytes are set: the target holds what it held before. */
function clearPadding(view: DataView, start: number, size: number): void {
  if (size % 8 !== 0) view.setBigUint64(start + pad8(size) - 8, 0n, true);
}

function setBits(bits: Uint8Array, valid: Uint8Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) if (valid[row] !== 0) bits[row >> 3]! |= 1 << (row & 7);
}

const bytesOf = (array: ArrayBufferView, size: number): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, size);

function encodeBody(column: ColumnValues, rowCount: number, out: Uint8Array, view: DataView, at: number): void {
  switch (column.type) {
    case "null":
      return;
    case "bool":
      out.set(column.values.subarray(0, rowCount), at);
      return;
    case "utf8":
      out.set(bytesOf(column.offsets, (rowCount + 1) * 4), at);
      out.set(column.bytes.subarray(0, column.offsets[rowCount] ?? 0), at + (rowCount + 1) * 4);
      return;
    case "tag": {
      const entries = column.offsets.length - 1;
      view.setUint32(at, entries, true);
      out.set(bytesOf(column.indexes, rowCount * 4), at + 4);
      const offsetsAt = at + 4 + rowCount * 4;
      out.set(bytesOf(column.offsets, (entries + 1) * 4), offsetsAt);
      out.set(column.bytes.subarray(0, column.offsets[entries] ?? 0), offsetsAt + (entries + 1) * 4);
      return;
    }
    default:
      out.set(bytesOf(column.values, rowCount * 8), at);
  }
}

/** Encodes into memory of its own. */
export function encodeTableBatch(input: TableBatchInput): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(tableBatchSize(input));
  encodeTableBatchInto(input, out, 0);
  return out;
}

function corrupt(what: string): DatabaseError {
  return new DatabaseError("wal.corrupt", { message: `Table batch is damaged: ${what}` });
}

/**
 * Decodes and checks every bound: offsets ascend and stay inside, dictionary indexes exist, names are UTF-8.
 * The views share the memory of `bytes`. Throws `wal.corrupt`.
 */
export function decodeTableBatch(bytes: Uint8Array): TableBatchView {
  return decode(bytes, true);
}

/** The same for bytes that were checked before: values and offsets are not read, so the cost is that of the columns. */
export function viewTableBatch(bytes: Uint8Array): TableBatchView {
  return decode(bytes, false);
}

function decode(bytes: Uint8Array, check: boolean): TableBatchView {
  if (bytes.length < TABLE_BATCH_HEADER_BYTES) throw corrupt("shorter than its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== TABLE_BATCH_MAGIC) throw corrupt("wrong magic");
  const size = view.getUint32(4, true);
  if (size > bytes.length || size % 8 !== 0) throw corrupt("wrong size");
  const rowCount = view.getUint32(8, true);
  const columnCount = view.getUint32(12, true);
  if (rowCount > TABLE_BATCH_ROWS_MAX || columnCount > TABLE_BATCH_COLUMNS_MAX) throw corrupt("too many rows or columns");
  const columns: ColumnView[] = [];
  let at = TABLE_BATCH_HEADER_BYTES;
  for (let index = 0; index < columnCount; index++) {
    const [column, next] = decodeColumn({ bytes, view, end: size, rowCount, check }, at);
    columns.push(column);
    at = next;
  }
  if (at !== size) throw corrupt("bytes left over");
  return {
    databaseId: view.getUint32(20, true),
    tableId: view.getUint32(16, true),
    rowCount,
    timeMin: view.getBigInt64(24, true),
    timeMax: view.getBigInt64(32, true),
    columns,
    bytes: bytes.subarray(0, size),
  };
}

interface Decoding {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly end: number;
  readonly rowCount: number;
  readonly check: boolean;
}

function decodeColumn({ bytes, view, end, rowCount, check }: Decoding, start: number): [ColumnView, number] {
  if (start + COLUMN_HEADER_BYTES > end) throw corrupt("column header cut off");
  const type = bytes[start] as number;
  const flags = bytes[start + 1] as number;
  const nameSize = view.getUint16(start + 2, true);
  const bodyBytes = view.getUint32(start + 4, true);
  if (type > ENCODED.time || flags > 1) throw corrupt(`unknown column type ${type}`);
  let at = start + COLUMN_HEADER_BYTES;
  if (at + pad8(nameSize) > end) throw corrupt("column name cut off");
  const name = decodeName(bytes.slice(at, at + nameSize));
  at += pad8(nameSize);
  let validity: Uint8Array | undefined;
  if (flags === 1) {
    const validityBytes = (rowCount + 7) >> 3;
    if (at + pad8(validityBytes) > end) throw corrupt("validity cut off");
    validity = bytes.subarray(at, at + validityBytes);
    at += pad8(validityBytes);
  }
  if (at + pad8(bodyBytes) > end) throw corrupt("column body cut off");
  const body = bytes.subarray(at, at + bodyBytes);
  if (check) checkBody(type as EncodedType, new DataView(bytes.buffer, bytes.byteOffset + at, bodyBytes), rowCount, validity);
  return [{ name, type: type as EncodedType, validity, body }, at + pad8(bodyBytes)];
}

function decodeName(bytes: Uint8Array): string {
  try {
    return textDecoder.decode(bytes);
  } catch {
    throw corrupt("column name is not UTF-8");
  }
}

function checkBody(type: EncodedType, body: DataView, rowCount: number, validity: Uint8Array | undefined): void {
  const size = body.byteLength;
  switch (type) {
    case ENCODED.null:
      if (size !== 0 || validity !== undefined) throw corrupt("null column with values");
      return;
    case ENCODED.bool:
      if (size !== rowCount) throw corrupt("wrong bool size");
      return;
    case ENCODED.utf8:
      checkOffsets(body, 0, rowCount + 1);
      return;
    case ENCODED.tag: {
      if (size < 4 + rowCount * 4 + 4) throw corrupt("tag column cut off");
      const entries = body.getUint32(0, true);
      checkOffsets(body, 4 + rowCount * 4, entries + 1);
      for (let row = 0; row < rowCount; row++) {
        if (body.getUint32(4 + row * 4, true) >= entries && (validity === undefined || ((validity[row >> 3] as number) >> (row & 7)) & 1)) {
          throw corrupt("tag index outside its dictionary");
        }
      }
      return;
    }
    default:
      if (size !== rowCount * 8) throw corrupt("wrong size of 8-byte values");
  }
}

function checkOffsets(body: DataView, start: number, count: number): void {
  const textStart = start + count * 4;
  if (textStart > body.byteLength) throw corrupt("offsets cut off");
  let last = 0;
  for (let index = 0; index < count; index++) {
    const offset = body.getUint32(start + index * 4, true);
    if (offset < last) throw corrupt("offsets descend");
    last = offset;
  }
  if (textStart + last !== body.byteLength) throw corrupt("text size does not match");
}
