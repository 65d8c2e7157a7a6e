/**
 * Hashes of the series of a batch's rows. A row's hash is the sum of the hashes of its (tag, value) pairs, so the order
 * of tags does not matter and an absent tag adds nothing: all spellings of a tag set are one series, and a tag column
 * that appears later leaves the older series as they were (design §8.7).
 */
import { sameBytes } from "../bytes/same-bytes.ts";
import { ENCODED } from "../columns/column-type.ts";
import type { ColumnView, TableBatchView } from "../columns/table-batch.ts";
import { COMPARED_ROWS_MIN, KEPT_HASHES_MAX } from "./limits.ts";

const encoder = new TextEncoder();

/** murmur3's mixing of a byte string, with a seed. */
function hashBytes(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let hash = seed;
  for (let at = from; at < to; at++) {
    hash = Math.imul(hash ^ (bytes[at] as number), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (to - from), 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

const SEED_LOW = 0x2c1b3c6d;
const SEED_HIGH = 0x297a2d39;

export interface SeriesHashes {
  readonly low: Int32Array;
  readonly high: Int32Array;
  /** The same number stands for the same series row for row; 0: they do not come again. */
  readonly id: number;
}

/** Memory for the hashes of one batch at a time. */
export class SeriesHasher {
  #low = new Int32Array(0);
  #high = new Int32Array(0);
  #lastId = 0;
  /** Whose hashes the memory holds. */
  #last: { readonly batch: TableBatchView; readonly hashes: SeriesHashes } | undefined;

  /** The memory of these bytes is about to hold something else. */
  forget({ buffer }: Uint8Array): void {
    if (this.#last?.batch.bytes.buffer === buffer) this.#last = undefined;
  }

  /** One pair of hash words a row; valid until the next call. */
  hash(batch: TableBatchView): SeriesHashes {
    // Agents send the same series in the same order again and again: comparing costs a fraction of hashing.
    if (this.#last !== undefined && haveSameTags(this.#last.batch, batch)) return this.#last.hashes;
    const { rowCount } = batch;
    this.#last = undefined;
    if (rowCount > KEPT_HASHES_MAX) return hashInto(batch, new Int32Array(rowCount), new Int32Array(rowCount), 0);
    if (this.#low.length < rowCount) {
      this.#low = new Int32Array(rowCount);
      this.#high = new Int32Array(rowCount);
    }
    const isKept = rowCount >= COMPARED_ROWS_MIN;
    const hashes = hashInto(batch, this.#low.subarray(0, rowCount).fill(0), this.#high.subarray(0, rowCount).fill(0), isKept ? ++this.#lastId : 0);
    if (isKept) this.#last = { batch, hashes };
    return hashes;
  }
}

const tagsOf = (batch: TableBatchView): readonly ColumnView[] => batch.columns.filter((column) => column.type === ENCODED.tag);

/** True when the tag columns are the same bytes, so that every row has the series that it has in the other batch. */
function haveSameTags(left: TableBatchView, right: TableBatchView): boolean {
  if (left.tableId !== right.tableId || left.rowCount !== right.rowCount) return false;
  const [tags, others] = [tagsOf(left), tagsOf(right)];
  return tags.length === others.length && tags.every((tag, index) => isSameColumn(tag, others[index] as ColumnView));
}

const isSameColumn = (left: ColumnView, right: ColumnView): boolean =>
  left.name === right.name && sameBytes(left.body, right.body) && (left.validity === undefined ? right.validity === undefined : right.validity !== undefined && sameBytes(left.validity, right.validity));

function hashInto(batch: TableBatchView, low: Int32Array, high: Int32Array, id: number): SeriesHashes {
  for (const column of batch.columns) if (column.type === ENCODED.tag) addTag(column, batch.rowCount, low, high);
  return { low, high, id };
}

function addTag(column: ColumnView, rowCount: number, low: Int32Array, high: Int32Array): void {
  const { body, validity } = column;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const entries = view.getUint32(0, true);
  const offsetsAt = 4 + rowCount * 4;
  const textAt = offsetsAt + (entries + 1) * 4;
  const name = encoder.encode(column.name);
  const seedLow = hashBytes(name, 0, name.length, SEED_LOW);
  const seedHigh = hashBytes(name, 0, name.length, SEED_HIGH);
  const entryLow = new Int32Array(entries);
  const entryHigh = new Int32Array(entries);
  for (let entry = 0; entry < entries; entry++) {
    const from = textAt + view.getUint32(offsetsAt + entry * 4, true);
    const to = textAt + view.getUint32(offsetsAt + entry * 4 + 4, true);
    entryLow[entry] = hashBytes(body, from, to, seedLow);
    entryHigh[entry] = hashBytes(body, from, to, seedHigh);
  }
  const indexes = new Uint32Array(body.buffer, body.byteOffset + 4, rowCount);
  if (validity === undefined) {
    addRows(indexes, entryLow, low);
    addRows(indexes, entryHigh, high);
    return;
  }
  for (let row = 0; row < rowCount; row++) {
    if ((((validity[row >> 3] as number) >> (row & 7)) & 1) === 0) continue;
    const entry = indexes[row] as number;
    low[row] = ((low[row] as number) + (entryLow[entry] as number)) | 0;
    high[row] = ((high[row] as number) + (entryHigh[entry] as number)) | 0;
  }
}

function addRows(indexes: Uint32Array, entries: Int32Array, sums: Int32Array): void {
  for (let row = 0; row < indexes.length; row++) sums[row] = ((sums[row] as number) + (entries[indexes[row] as number] as number)) | 0;
}
