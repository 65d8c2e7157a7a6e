/**
 * What the direct executor reads: a batch of the buffer or a row group of a Parquet file, both as columns of a table batch.
 * Files are sorted by series, so their tags are kept as runs: an index of which rows belong to which value.
 */
import { ENCODED } from "../../columns/column-type.ts";
import type { ColumnView, TableBatchView } from "../../columns/table-batch.ts";

export interface TagRows {
  /** Holds the texts. */
  readonly dictionary: ColumnView;
  /** Rows that stand before the texts in the dictionary's body. */
  readonly dictionaryRows: number;
  /** By row: entries of the dictionary; the validity bits of absent ones are 0. */
  readonly indexes?: { readonly entries: Uint32Array; readonly validity: Uint8Array | undefined };
  /** Or by run: where each ends, and its entry or -1. */
  readonly runs?: { readonly ends: Uint32Array; readonly entries: Int32Array };
}

export interface Unit {
  readonly rowCount: number;
  readonly timeMin: bigint;
  readonly timeMax: bigint;
  /** A field or the time; undefined: no row has a value. */
  column(name: string): ColumnView | undefined;
  tag(name: string): TagRows | undefined;
}

/** 8-byte values as words, low before high. The body is copied only where it is not aligned. */
export function wordsOf(column: ColumnView): Int32Array {
  const { buffer, byteOffset, byteLength } = aligned(column.body);
  return new Int32Array(buffer, byteOffset, byteLength >> 2);
}

export function floatsOf(column: ColumnView): Float64Array {
  const { buffer, byteOffset, byteLength } = aligned(column.body);
  return new Float64Array(buffer, byteOffset, byteLength >> 3);
}

const aligned = (body: Uint8Array): Uint8Array => (body.byteOffset % 8 === 0 ? body : body.slice());

const units = new WeakMap<TableBatchView, BatchUnit>();

/** The same unit for the same view, so that names are looked up once. */
export function batchUnit(batch: TableBatchView): Unit {
  let unit = units.get(batch);
  if (unit === undefined) units.set(batch, (unit = new BatchUnit(batch)));
  return unit;
}

class BatchUnit implements Unit {
  readonly rowCount: number;
  readonly timeMin: bigint;
  readonly timeMax: bigint;
  readonly #columns: ReadonlyMap<string, ColumnView>;

  constructor({ rowCount, timeMin, timeMax, columns }: TableBatchView) {
    this.rowCount = rowCount;
    this.timeMin = timeMin;
    this.timeMax = timeMax;
    this.#columns = new Map(columns.filter(({ type }) => type !== ENCODED.null).map((column) => [column.name, column]));
  }

  column(name: string): ColumnView | undefined {
    return this.#columns.get(name);
  }

  tag(name: string): TagRows | undefined {
    const column = this.#columns.get(name);
    if (column === undefined) return undefined;
    const { buffer, byteOffset } = aligned(column.body);
    return { dictionary: column, dictionaryRows: this.rowCount, indexes: { entries: new Uint32Array(buffer, byteOffset + 4, this.rowCount), validity: column.validity } };
  }
}

/** A tag column with one index a row as runs, without the indexes: a sorted file has one run a series at most. */
export function toRuns(column: ColumnView, rowCount: number): TagRows {
  const { body, validity } = column;
  const entries = new Uint32Array(body.buffer, body.byteOffset + 4, rowCount);
  const at = (row: number): number => (validity !== undefined && (((validity[row >> 3] as number) >> (row & 7)) & 1) === 0 ? -1 : (entries[row] as number));
  const ends: number[] = [];
  const values: number[] = [];
  for (let row = 0; row < rowCount; row++) {
    const entry = at(row);
    if (row > 0 && entry === values.at(-1)) ends[ends.length - 1] = row + 1;
    else {
      ends.push(row + 1);
      values.push(entry);
    }
  }
  const texts = new Uint8Array(4 + body.length - 4 - rowCount * 4);
  texts.set(body.subarray(0, 4));
  texts.set(body.subarray(4 + rowCount * 4), 4);
  return { dictionary: { name: column.name, type: column.type, validity: undefined, body: texts }, dictionaryRows: 0, runs: { ends: Uint32Array.from(ends), entries: Int32Array.from(values) } };
}

/** Bytes that such a column holds. */
export const tagRowsBytes = ({ dictionary, runs }: TagRows): number => dictionary.body.length + (runs === undefined ? 0 : runs.ends.length * 8);
