/**
 * One field (or the time) of a chunk in the order of its file: of each group of rows with one series and time the newest
 * value that is not NULL (design §8.7).
 */
import { type ColumnType, ENCODED } from "../columns/column-type.ts";
import type { ColumnValues, ColumnView } from "../columns/table-batch.ts";
import type { ChunkPiece, ChunkRows } from "./chunk-rows.ts";
import { SLICE_ROWS } from "./limits.ts";
import type { RowOrder } from "./row-order.ts";
import { isValid } from "./validity.ts";

type FieldType = Exclude<ColumnType, "tag">;

/** Row of the chunk that each output row takes its value from; `valid` 0: there is none. */
interface Sources {
  readonly rows: Uint32Array;
  readonly valid: Uint8Array | undefined;
}

/** Memory for one column in the order of the chunk, for all columns of a chunk: fresh pages cost more than filling them. */
export class GatherMemory {
  #words = new Uint32Array(0);

  /** Holds anything. */
  words(count: number): Uint32Array {
    if (this.#words.length < count) this.#words = new Uint32Array(count);
    return this.#words.subarray(0, count);
  }
}

export function* gatherField(name: string, type: FieldType, chunk: ChunkRows, order: RowOrder, memory: GatherMemory): Generator<undefined, ColumnValues> {
  const columns = chunk.pieces.map(({ batch }) => batch.columns.find((column) => column.name === name && column.type === ENCODED[type]));
  if (columns.every((column) => column === undefined)) return { name, type: "null" };
  const sources = yield* chooseSources(order, yield* readValidity(columns, chunk));
  const base = { name, valid: sources.valid };
  switch (type) {
    case "utf8":
      return { ...base, type, ...(yield* gatherTexts(columns, chunk, sources)) };
    case "bool":
      return { ...base, type, values: yield* gatherBytes(columns, chunk, sources) };
    case "uint64":
      return { ...base, type, values: new BigUint64Array(yield* gatherWords(columns, chunk, sources, memory)) };
    case "float64":
      return { ...base, type, values: new Float64Array(yield* gatherWords(columns, chunk, sources, memory)) };
    default:
      return { ...base, type, values: new BigInt64Array(yield* gatherWords(columns, chunk, sources, memory)) };
  }
}

type Columns = readonly (ColumnView | undefined)[];

/** One byte a row of the chunk; undefined: every row has a value. */
function* readValidity(columns: Columns, chunk: ChunkRows): Generator<undefined, Uint8Array | undefined> {
  if (columns.every((column) => column !== undefined && column.validity === undefined)) return undefined;
  const valid = new Uint8Array(chunk.rowCount);
  let at = 0;
  for (const [index, piece] of chunk.pieces.entries()) {
    const column = columns[index];
    if (column !== undefined) for (let row = 0; row < piece.rowCount; row++) valid[at + row] = isValid(column.validity, rowOf(piece, row)) ? 1 : 0;
    at += piece.rowCount;
    yield;
  }
  return valid;
}

const rowOf = ({ rows }: ChunkPiece, index: number): number => (rows === undefined ? index : (rows[index] as number));

function* chooseSources({ rows, groupEnds }: RowOrder, valid: Uint8Array | undefined): Generator<undefined, Sources> {
  if (valid === undefined && groupEnds.length === rows.length) return { rows, valid: undefined };
  const chosen = new Uint32Array(groupEnds.length);
  const chosenValid = valid === undefined ? undefined : new Uint8Array(groupEnds.length);
  for (let group = 0; group < groupEnds.length; group++) {
    const first = group === 0 ? 0 : (groupEnds[group - 1] as number);
    let at = (groupEnds[group] as number) - 1;
    if (valid !== undefined && chosenValid !== undefined) {
      while (at > first && valid[rows[at] as number] === 0) at--;
      chosenValid[group] = valid[rows[at] as number] as number;
    }
    chosen[group] = rows[at] as number;
    if (group % SLICE_ROWS === SLICE_ROWS - 1) yield;
  }
  return { rows: chosen, valid: chosenValid };
}

/** 64-bit values as pairs of words: through a float they could change (NaN payloads of integers). */
function* gatherWords(columns: Columns, chunk: ChunkRows, { rows }: Sources, memory: GatherMemory): Generator<undefined, ArrayBuffer> {
  const all = memory.words(chunk.rowCount * 2);
  let at = 0;
  for (const [index, piece] of chunk.pieces.entries()) {
    const column = columns[index];
    // Files are to be the same whatever the memory held before.
    if (column === undefined) all.fill(0, at * 2, (at + piece.rowCount) * 2);
    else {
      const words = new Uint32Array(column.body.buffer, column.body.byteOffset, piece.batch.rowCount * 2);
      if (piece.rows === undefined) all.set(words, at * 2);
      else copyPairs(words, piece.rows, all.subarray(at * 2));
    }
    at += piece.rowCount;
    yield;
  }
  const out = new Uint32Array(rows.length * 2);
  for (let from = 0; from < rows.length; from += SLICE_ROWS) {
    copyPairs(all, rows.subarray(from, from + SLICE_ROWS), out.subarray(from * 2));
    yield;
  }
  return out.buffer;
}

/** The pairs of words of these rows, one after another. */
function copyPairs(words: Uint32Array, rows: Uint32Array, out: Uint32Array): void {
  for (let index = 0; index < rows.length; index++) {
    const source = (rows[index] as number) * 2;
    out[index * 2] = words[source] as number;
    out[index * 2 + 1] = words[source + 1] as number;
  }
}

function* gatherBytes(columns: Columns, chunk: ChunkRows, { rows }: Sources): Generator<undefined, Uint8Array> {
  const all = new Uint8Array(chunk.rowCount);
  let at = 0;
  for (const [index, piece] of chunk.pieces.entries()) {
    const column = columns[index];
    if (column !== undefined) for (let row = 0; row < piece.rowCount; row++) all[at + row] = column.body[rowOf(piece, row)] as number;
    at += piece.rowCount;
    yield;
  }
  return Uint8Array.from(rows, (row) => all[row] as number);
}

/** Texts are copied once, straight from the batches. */
function* gatherTexts(columns: Columns, chunk: ChunkRows, sources: Sources): Generator<undefined, { offsets: Uint32Array; bytes: Uint8Array }> {
  const texts = new Array<Uint8Array | undefined>(chunk.rowCount);
  let at = 0;
  for (const [index, piece] of chunk.pieces.entries()) {
    const column = columns[index];
    if (column !== undefined) {
      const offsets = new Uint32Array(column.body.buffer, column.body.byteOffset, piece.batch.rowCount + 1);
      const textAt = offsets.length * 4;
      for (let row = 0; row < piece.rowCount; row++) {
        const from = rowOf(piece, row);
        texts[at + row] = column.body.subarray(textAt + (offsets[from] as number), textAt + (offsets[from + 1] as number));
      }
    }
    at += piece.rowCount;
    yield;
  }
  const { rows, valid } = sources;
  const offsets = new Uint32Array(rows.length + 1);
  const sizeOf = (index: number): number => (valid?.[index] === 0 ? 0 : (texts[rows[index] as number]?.length ?? 0));
  for (let index = 0; index < rows.length; index++) offsets[index + 1] = (offsets[index] as number) + sizeOf(index);
  const bytes = new Uint8Array(offsets[rows.length] as number);
  for (let index = 0; index < rows.length; index++) {
    if (sizeOf(index) > 0) bytes.set(texts[rows[index] as number] as Uint8Array, offsets[index]);
    if (index % SLICE_ROWS === SLICE_ROWS - 1) yield;
  }
  return { offsets, bytes };
}
