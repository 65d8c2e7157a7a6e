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
  const samples: number[] = [];
  const table = new SeriesTable(tags, samples);
  for (let from = 0; from < rowCount; from += SLICE_ROWS) {
    const to = Math.min(rowCount, from + SLICE_ROWS);
    const hashes = hashRows(tags, from, to);
    for (let row = from; row < to; row++) ids[row] = table.idOf(row, hashes[row - from] as number);
    yield;
  }
  return { ids, samples };
}

function hashRows(tags: readonly TagCodes[], from: number, to: number): Uint32Array {
  const hashes = new Uint32Array(to - from);
  for (const { codes } of tags) {
    for (let index = 0; index < hashes.length; index++) {
      const hash = Math.imul((hashes[index] as number) ^ (codes[from + index] as number), 0x9e3779b1);
      hashes[index] = hash ^ (hash >>> 15);
    }
  }
  return hashes;
}

class SeriesTable {
  readonly #tags: readonly TagCodes[];
  readonly #samples: number[];
  readonly #hashes: number[] = [];
  #slots = new Uint32Array(1024);

  constructor(tags: readonly TagCodes[], samples: number[]) {
    this.#tags = tags;
    this.#samples = samples;
  }

  idOf(row: number, hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let entry = this.#slots[slot] as number; entry !== 0; entry = this.#slots[slot] as number) {
      if (this.#hashes[entry - 1] === hash && this.#same(row, this.#samples[entry - 1] as number)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    this.#hashes.push(hash);
    const count = this.#samples.push(row);
    this.#slots[slot] = count;
    if (count * 2 > this.#slots.length) this.#grow();
    return count - 1;
  }

  #same(row: number, sample: number): boolean {
    for (const { codes } of this.#tags) if (codes[row] !== codes[sample]) return false;
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
