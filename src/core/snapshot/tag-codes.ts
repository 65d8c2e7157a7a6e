/** One tag column of a chunk as codes: 0 is NULL, k the (k-1)th of its values. */
import { sameBytes } from "../bytes/same-bytes.ts";
import { ENCODED } from "../columns/column-type.ts";
import type { ColumnView } from "../columns/table-batch.ts";
import { compareBytes } from "../parquet/dictionary.ts";
import type { ChunkRows } from "./chunk-rows.ts";
import { isValid } from "./validity.ts";

// A byte order mark is a character like any other: two values that differ by it must not become one.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export interface TagCodes {
  readonly name: string;
  readonly codes: Uint32Array;
  readonly values: readonly Uint8Array[];
}

export function* readTagCodes(name: string, chunk: ChunkRows): Generator<undefined, TagCodes> {
  const codes = new Uint32Array(chunk.rowCount);
  const values: Uint8Array[] = [];
  const known = new Map<string, number>();
  let last: Mapped | undefined;
  let at = 0;
  for (const { batch, rows, rowCount } of chunk.pieces) {
    const column = batch.columns.find((candidate) => candidate.name === name);
    if (column?.type === ENCODED.tag) {
      const dictionary = column.body.subarray(4 + batch.rowCount * 4);
      // Senders mostly use the same values in the same order, and each would be decoded and looked up again.
      if (last === undefined || !sameBytes(dictionary, last.dictionary)) last = { dictionary, mapping: mapValues(column, batch.rowCount, known, values) };
      const { mapping } = last;
      const indexes = new Uint32Array(column.body.buffer, column.body.byteOffset + 4, batch.rowCount);
      const out = codes.subarray(at, at + rowCount);
      if (rows === undefined && column.validity === undefined) mapAll(indexes, mapping, out);
      else mapRows(indexes, mapping, { rows, validity: column.validity }, out);
    }
    at += rowCount;
    yield;
  }
  return { name, codes, values };
}

interface Mapped {
  /** Offsets and texts of the values. */
  readonly dictionary: Uint8Array;
  readonly mapping: Uint32Array;
}

function mapAll(indexes: Uint32Array, mapping: Uint32Array, out: Uint32Array): void {
  for (let row = 0; row < out.length; row++) out[row] = mapping[indexes[row] as number] as number;
}

function mapRows(indexes: Uint32Array, mapping: Uint32Array, { rows, validity }: { readonly rows: Uint32Array | undefined; readonly validity: Uint8Array | undefined }, out: Uint32Array): void {
  for (let index = 0; index < out.length; index++) {
    const row = rows === undefined ? index : (rows[index] as number);
    if (isValid(validity, row)) out[index] = mapping[indexes[row] as number] as number;
  }
}

function mapValues({ body }: ColumnView, rowCount: number, known: Map<string, number>, values: Uint8Array[]): Uint32Array {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const count = view.getUint32(0, true);
  const offsetsAt = 4 + rowCount * 4;
  const textAt = offsetsAt + (count + 1) * 4;
  const mapping = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    const bytes = body.subarray(textAt + view.getUint32(offsetsAt + index * 4, true), textAt + view.getUint32(offsetsAt + index * 4 + 4, true));
    const text = decoder.decode(bytes);
    let code = known.get(text);
    if (code === undefined) {
      code = values.push(bytes);
      known.set(text, code);
    }
    mapping[index] = code;
  }
  return mapping;
}

/** Place of each code in the order of the values' bytes; NULL comes first. */
export function rankCodes({ values }: TagCodes): Uint32Array {
  const order = values.map((_, index) => index).sort((left, right) => compareBytes(values[left] as Uint8Array, values[right] as Uint8Array));
  const ranks = new Uint32Array(values.length + 1);
  order.forEach((index, place) => (ranks[index + 1] = place + 1));
  return ranks;
}
