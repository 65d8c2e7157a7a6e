/**
 * Series of a chunk's rows: rows with the same tag values share an id, whatever the order of tags was and whichever tags
 * are absent. Hashes only find candidates; ids are equal only if the codes are.
 */
import { SLICE_ROWS } from "./limits.ts";
import { rankCodes, type TagCodes } from "./tag-codes.ts";

export interface SeriesIds {
  readonly ids: Uint32Array;
  /** A row of each series. */
  readonly samples: readonly number[];
}

/** Series that a table has room for at first. */
const SERIES_MIN = 512;

export function* numberSeries(tags: readonly TagCodes[], rowCount: number): Generator<undefined, SeriesIds> {
  const ids = new Uint32Array(rowCount);
  const table = new SeriesTable(tags.map(({ codes }) => codes));
  for (let from = 0; from < rowCount; from += SLICE_ROWS) {
    table.number(ids, from, Math.min(rowCount, from + SLICE_ROWS));
    yield;
  }
  return { ids, samples: table.samples };
}

class SeriesTable {
  readonly samples: number[] = [];
  readonly #columns: readonly Uint32Array[];
  readonly #hashes: number[] = [];
  #followed: Followed;
  #last = -1;
  #slots = new Uint32Array(2 * SERIES_MIN);

  constructor(columns: readonly Uint32Array[]) {
    this.#columns = columns;
    this.#followed = { columns, next: new Int32Array(SERIES_MIN), rows: new Uint32Array(SERIES_MIN) };
  }

  number(ids: Uint32Array, from: number, to: number): void {
    for (let row = from; row < to; row++) {
      row = followSeries(this.#followed, this.#last, ids, row, to);
      if (row > from) this.#last = ids[row - 1] as number;
      if (row === to) return;
      const id = this.#idOf(row);
      if (this.#last >= 0) this.#followed.next[this.#last] = id;
      ids[row] = this.#last = id;
    }
  }

  #hash(row: number): number {
    let hash = 0;
    for (const codes of this.#columns) {
      hash = Math.imul(hash ^ (codes[row] as number), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  #idOf(row: number): number {
    const hash = this.#hash(row);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let entry = this.#slots[slot] as number; entry !== 0; entry = this.#slots[slot] as number) {
      if (this.#hashes[entry - 1] === hash && isSame(this.#columns, row, this.samples[entry - 1] as number)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    this.#hashes.push(hash);
    const count = this.samples.push(row);
    this.#slots[slot] = count;
    if (count * 2 > this.#slots.length) this.#grow();
    this.#followed.next[count - 1] = -1;
    this.#followed.rows[count - 1] = row;
    return count - 1;
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    this.#hashes.forEach((hash, id) => {
      let slot = hash & (slots.length - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = id + 1;
    });
    this.#slots = slots;
    const { columns, next, rows } = this.#followed;
    this.#followed = { columns, next: new Int32Array(slots.length), rows: new Uint32Array(slots.length) };
    this.#followed.next.set(next);
    this.#followed.rows.set(rows);
  }
}

/** Writers send their series in the same order again and again. */
interface Followed {
  readonly columns: readonly Uint32Array[];
  /** By series: the one whose row followed its last one; -1: none has. */
  readonly next: Int32Array;
  /** By series: one of its rows. */
  readonly rows: Uint32Array;
}

/** Numbers rows as long as each is of the series that followed the one before it last time; the first row that is not. */
function followSeries({ columns, next, rows }: Followed, last: number, ids: Uint32Array, from: number, to: number): number {
  let id = last;
  for (let row = from; row < to; row++) {
    id = id < 0 ? -1 : (next[id] as number);
    if (id < 0 || !isSame(columns, row, rows[id] as number)) return row;
    ids[row] = id;
  }
  return to;
}

function isSame(columns: readonly Uint32Array[], row: number, sample: number): boolean {
  for (let tag = 0; tag < columns.length; tag++) {
    const codes = columns[tag] as Uint32Array;
    if (codes[row] !== codes[sample]) return false;
  }
  return true;
}

/** Place of each series in the order of its tag values, in series key order. */
export function rankSeries({ samples }: SeriesIds, tags: readonly TagCodes[]): Uint32Array {
  const ranks = tags.map(rankCodes);
  const keys = tags.map(({ codes }, tag) => Uint32Array.from(samples, (row) => (ranks[tag] as Uint32Array)[codes[row] as number] as number));
  const order = Uint32Array.from(samples, (_, id) => id).sort((left, right) => {
    for (const key of keys) if (key[left] !== key[right]) return (key[left] as number) - (key[right] as number);
    return 0;
  });
  const places = new Uint32Array(samples.length);
  order.forEach((id, place) => (places[id] = place));
  return places;
}
