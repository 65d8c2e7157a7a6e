/** Rows of cells as one encoded table batch: metadata and system tables go to the engine in the shape of user tables. */
import type { ColumnType } from "../columns/column-type.ts";
import { encodeTableBatch, type ColumnValues } from "../columns/table-batch.ts";

export interface RowTable {
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  /** Cells by type: bigint or number for integers and time, number, boolean, string; null or undefined: absent. */
  readonly rows: readonly (readonly unknown[])[];
}

export function encodeRows(table: RowTable, ids: { readonly databaseId: number; readonly tableId: number } = { databaseId: 0, tableId: 0 }): Uint8Array<ArrayBuffer> {
  return encodeTableBatch({
    ...ids,
    rowCount: table.rows.length,
    timeMin: 0n,
    timeMax: 0n,
    columns: table.columns.map(({ name, type }, index) => encodeCells(name, type, table.rows.map((row) => row[index] ?? null))),
  });
}

/** One column of cells (null: absent). Tags become text: a dictionary pays only for long columns. */
export function encodeCells(name: string, type: ColumnType, cells: readonly unknown[]): ColumnValues {
  const valid = Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1));
  const partial = valid.includes(0);
  const head = partial ? { name, valid } : { name };
  if (cells.every((cell) => cell === null)) return { name, type: "null" };
  switch (type) {
    case "int64":
    case "time":
      return { ...head, type, values: BigInt64Array.from(cells, (cell) => (cell === null ? 0n : BigInt(cell as bigint | number))) };
    case "uint64":
      return { ...head, type, values: BigUint64Array.from(cells, (cell) => (cell === null ? 0n : BigInt(cell as bigint | number))) };
    case "float64":
      return { ...head, type, values: Float64Array.from(cells, (cell) => (cell === null ? 0 : Number(cell))) };
    case "bool":
      return { ...head, type, values: Uint8Array.from(cells, (cell) => (cell === true ? 1 : 0)) };
    default:
      return { ...head, ...encodeTexts(cells) };
  }
}

const encoder = new TextEncoder();

function encodeTexts(cells: readonly unknown[]): { type: "utf8"; offsets: Uint32Array; bytes: Uint8Array } {
  const texts = cells.map((cell) => encoder.encode(cell === null ? "" : String(cell)));
  const offsets = new Uint32Array(cells.length + 1);
  texts.forEach((text, index) => (offsets[index + 1] = (offsets[index] as number) + text.length));
  const bytes = new Uint8Array(offsets[cells.length] as number);
  texts.forEach((text, index) => bytes.set(text, offsets[index] as number));
  return { type: "utf8", offsets, bytes };
}

/** Cells as a tag column with a dictionary. */
export function encodeTags(name: string, cells: readonly (string | null)[]): ColumnValues {
  const entries = new Map<string, number>();
  const indexes = Uint32Array.from(cells, (cell) => {
    if (cell === null) return 0;
    const known = entries.get(cell);
    if (known !== undefined) return known;
    entries.set(cell, entries.size);
    return entries.size - 1;
  });
  const texts = [...entries.keys()].map((text) => encoder.encode(text));
  if (texts.length === 0) return { name, type: "null" };
  const offsets = new Uint32Array(texts.length + 1);
  texts.forEach((text, index) => (offsets[index + 1] = (offsets[index] as number) + text.length));
  const bytes = new Uint8Array(offsets[texts.length] as number);
  texts.forEach((text, index) => bytes.set(text, offsets[index]));
  const valid = Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1));
  return { name, type: "tag", indexes, offsets, bytes, ...(valid.includes(0) ? { valid } : {}) };
}
