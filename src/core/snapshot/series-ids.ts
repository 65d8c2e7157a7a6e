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
  /** By series: the one whose row followed last. Writers send their series in the same order again and again. */
  readonly #next: number[] = [];
  #last = -1;
  #slots = new Uint32Array(1024);

  constructor(columns: readonly Uint32Array[]) {
    this.#columns = columns;
  }

  number(ids: Uint32Array, from: number, to: number): void {
    let last = this.#last;
    for (let row = from; row < to; row++) {
      let id = last < 0 ? -1 : (this.#next[last] as number);
      if (id < 0 || !this.#same(row, this.samples[id] as number)) {
        id = this.#idOf(row);
        if (last >= 0) this.#next[last] = id;
      }
      ids[row] = last = id;
    }
    this.#last = last;
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
      if (this.#hashes[entry - 1] === hash && this.#same(row, this.samples[entry - 1] as number)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    this.#hashes.push(hash);
    this.#next.push(-1);
    const count = this.samples.push(row);
    this.#slots[slot] = count;
    if (count * 2 > this.#slots.length) this.#grow();
    return count - 1;
  }

  #same(row: number, sample: number): boolean {
    const columns = this.#columns;
    for (let tag = 0; tag < columns.length; tag++) {
      const codes = columns[tag] as Uint32Array;
      if (codes[row] !== codes[sample]) return false;
    }
    return true;
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    this.#hashes.forEach((hash, id) => {
      let slot = hash & (slots.length - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = id + 1;
    });
    this.#slots = slots;
  }
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
