/** Result vectors to plain values (`ResultValue`), by the type the front end derived. */
import type { ResultValue } from "../../../core/query/query-stream.ts";
import type { SqlType } from "../../../core/query/types.ts";
import { api, type Vector } from "./bindings.ts";

const decoder = new TextDecoder("utf-8");
const STRING_BYTES = 16;
const INLINE_BYTES = 12;

/** Values of the first `count` rows. */
export function readVector(vector: Vector, type: SqlType, count: number): ResultValue[] {
  const validity = count === 0 ? undefined : validityOf(vector, count);
  const values = readValues(vector, type, count, validity);
  if (validity !== undefined) {
    for (let row = 0; row < count; row++) if (!isValid(validity, row)) values[row] = null;
  }
  return values;
}

const isValid = (validity: Uint8Array, row: number): boolean => (((validity[row >> 3] as number) >> (row & 7)) & 1) === 1;

function validityOf(vector: Vector, count: number): Uint8Array | undefined {
  const mask = api.vector_get_validity(vector, ((count + 63) >> 6) * 8) as Uint8Array | null;
  return mask === null || mask.length === 0 ? undefined : mask;
}

/** The vector's bytes at an offset that typed arrays accept. */
function bytesOf(vector: Vector, size: number): Uint8Array<ArrayBuffer> {
  const bytes = api.vector_get_data(vector, size);
  return (bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()) as Uint8Array<ArrayBuffer>;
}

function fixed<T extends ResultValue>(vector: Vector, count: number, width: number, read: (buffer: ArrayBuffer, offset: number, count: number) => Iterable<T>): T[] {
  const bytes = bytesOf(vector, count * width);
  return Array.from(read(bytes.buffer, bytes.byteOffset, count));
}

const int64 = (vector: Vector, count: number): bigint[] => fixed(vector, count, 8, (buffer, offset, n) => new BigInt64Array(buffer, offset, n));

// One case per type.
function readValues(vector: Vector, type: SqlType, count: number, validity: Uint8Array | undefined): ResultValue[] {
  switch (type.kind) {
    case "int64":
    case "timestamp":
    case "duration":
      return int64(vector, count);
    case "uint64":
      return fixed(vector, count, 8, (buffer, offset, n) => new BigUint64Array(buffer, offset, n));
    case "float64":
      return fixed(vector, count, 8, (buffer, offset, n) => new Float64Array(buffer, offset, n));
    case "float32":
      return fixed(vector, count, 4, (buffer, offset, n) => new Float32Array(buffer, offset, n));
    case "int32":
    case "date":
      return fixed(vector, count, 4, (buffer, offset, n) => new Int32Array(buffer, offset, n));
    case "uint32":
      return fixed(vector, count, 4, (buffer, offset, n) => new Uint32Array(buffer, offset, n));
    case "int16":
      return fixed(vector, count, 2, (buffer, offset, n) => new Int16Array(buffer, offset, n));
    case "uint16":
      return fixed(vector, count, 2, (buffer, offset, n) => new Uint16Array(buffer, offset, n));
    case "int8":
      return fixed(vector, count, 1, (buffer, offset, n) => new Int8Array(buffer, offset, n));
    case "uint8":
      return fixed(vector, count, 1, (buffer, offset, n) => new Uint8Array(buffer, offset, n));
    case "boolean":
      return Array.from(bytesOf(vector, count), (byte) => byte !== 0);
    case "time":
      return int64(vector, count).map((micros) => micros * 1000n);
    case "interval":
      return readIntervals(vector, count);
    case "binary":
      return readStrings(vector, count, validity, (bytes) => bytes.slice());
    case "list":
      return readLists(vector, type.element, count, validity);
    case "struct":
      return readStructs(vector, type.fields.map((field) => field.type), count);
    default:
      return readStrings(vector, count, validity, (bytes) => decoder.decode(bytes));
  }
}

function readIntervals(vector: Vector, count: number): ResultValue[] {
  const bytes = bytesOf(vector, count * 16);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, row) => ({
    months: view.getInt32(row * 16, true), days: view.getInt32(row * 16 + 4, true), nanos: view.getBigInt64(row * 16 + 8, true) * 1000n,
  }));
}

function readStrings(vector: Vector, count: number, validity: Uint8Array | undefined, convert: (bytes: Uint8Array) => ResultValue): ResultValue[] {
  const bytes = bytesOf(vector, count * STRING_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Array<ResultValue>(count);
  for (let row = 0; row < count; row++) {
    if (validity !== undefined && !isValid(validity, row)) {
      values[row] = null;
      continue;
    }
    const at = row * STRING_BYTES;
    const size = view.getUint32(at, true);
    const text = size <= INLINE_BYTES ? bytes.subarray(at + 4, at + 4 + size) : api.get_data_from_pointer(bytes.buffer, bytes.byteOffset + at + 8, size);
    values[row] = convert(text);
  }
  return values;
}

function readLists(vector: Vector, element: SqlType, count: number, validity: Uint8Array | undefined): ResultValue[] {
  const bytes = bytesOf(vector, count * 16);
  const entries = new BigUint64Array(bytes.buffer, bytes.byteOffset, count * 2);
  const items = readVector(api.list_vector_get_child(vector), element, api.list_vector_get_size(vector));
  return Array.from({ length: count }, (_, row) => {
    if (validity !== undefined && !isValid(validity, row)) return null;
    const from = Number(entries[row * 2]);
    return items.slice(from, from + Number(entries[row * 2 + 1]));
  });
}

function readStructs(vector: Vector, types: readonly SqlType[], count: number): ResultValue[] {
  const members = types.map((type, index) => readVector(api.struct_vector_get_child(vector, index), type, count));
  return Array.from({ length: count }, (_, row) => members.map((member) => member[row] as ResultValue));
}
