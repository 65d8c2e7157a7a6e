/**
 * Remembers the newest time of every series, to tell whether a table may hold two points of one series and time. Series
 * are known by 64 bits of hash only: a collision (or a late point) makes a query deduplicate without need, never the
 * other way round. Times are kept as two 32-bit words, because BigInt arithmetic allocates. Where the series of the batch
 * before come again row for row, their places are known.
 */
import type { SeriesHashes } from "./series-hash.ts";
import { COMPARED_ROWS_MIN, SERIES_SLOT_BYTES, SERIES_SLOTS_MIN } from "./limits.ts";

/** High word of the time of a series that has no point yet. */
const NO_TIME = -(2 ** 31);

export class SeriesTimes {
  /** For any table, until the call returns. */
  static readonly #fewSlots = new Uint32Array(COMPARED_ROWS_MIN);
  #hashLow = new Int32Array(SERIES_SLOTS_MIN);
  #hashHigh = new Int32Array(SERIES_SLOTS_MIN);
  /** By slot: low, high. */
  #times = new Int32Array(SERIES_SLOTS_MIN * 2);
  #count = 0;
  /** Slots of the rows of the last batch. */
  #slots = new Uint32Array(0);
  /** Number of the hashes that these are the slots of; 0: of none. */
  #slotsOf = 0;

  /** Bytes held. */
  get bytes(): number {
    return this.#hashLow.length * SERIES_SLOT_BYTES + this.#slots.byteLength;
  }

  /**
   * Notes points, two words of time each; returns the rows whose time is not after the newest one of their series. Hashes
   * always come from the same hasher.
   */
  advance(hashes: SeriesHashes, times: Int32Array, rowCount: number): number[] {
    const slots = hashes.id > 0 && hashes.id === this.#slotsOf ? this.#slots : this.#place(hashes, rowCount);
    const late: number[] = [];
    advanceRows(slots, times, rowCount, this.#times, late);
    return late;
  }

  /** Finds the slot of each row; a new series gets one. They are kept where the hashes may come again. */
  #place(hashes: SeriesHashes, rowCount: number): Uint32Array {
    this.#slotsOf = 0;
    const slots = this.#slotsFor(hashes, rowCount);
    // A larger table has other slots for all rows.
    while (!this.#placeAll(hashes, rowCount, slots)) this.#grow();
    this.#slotsOf = hashes.id;
    return slots;
  }

  #slotsFor({ id }: SeriesHashes, rowCount: number): Uint32Array {
    if (id === 0) return rowCount < COMPARED_ROWS_MIN ? SeriesTimes.#fewSlots : new Uint32Array(rowCount);
    if (this.#slots.length < rowCount) this.#slots = new Uint32Array(rowCount);
    return this.#slots;
  }

  /** False: the table is too full. */
  #placeAll({ low, high }: SeriesHashes, rowCount: number, slots: Uint32Array): boolean {
    const [hashLow, hashHigh] = [this.#hashLow, this.#hashHigh];
    const mask = hashLow.length - 1;
    for (let row = 0; row < rowCount; row++) {
      const rowLow = low[row] as number;
      // A slot with both words 0 is free, so that hash is moved aside.
      const rowHigh = rowLow === 0 && high[row] === 0 ? 1 : (high[row] as number);
      let slot = rowLow & mask;
      while ((hashLow[slot] !== rowLow || hashHigh[slot] !== rowHigh) && (hashLow[slot] !== 0 || hashHigh[slot] !== 0)) slot = (slot + 1) & mask;
      slots[row] = slot;
      if (hashLow[slot] !== 0 || hashHigh[slot] !== 0) continue;
      this.#put(slot, rowLow, rowHigh, 0, NO_TIME);
      this.#count += 1;
      if (this.#count * 4 > hashLow.length * 3) return false;
    }
    return true;
  }

  #find(hashLow: number, hashHigh: number): number {
    const mask = this.#hashLow.length - 1;
    let slot = hashLow & mask;
    while ((this.#hashLow[slot] !== 0 || this.#hashHigh[slot] !== 0) && (this.#hashLow[slot] !== hashLow || this.#hashHigh[slot] !== hashHigh)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #put(slot: number, hashLow: number, hashHigh: number, timeLow: number, timeHigh: number): void {
    this.#hashLow[slot] = hashLow;
    this.#hashHigh[slot] = hashHigh;
    this.#times[slot * 2] = timeLow;
    this.#times[slot * 2 + 1] = timeHigh;
  }

  #grow(): void {
    const [lows, highs, times] = [this.#hashLow, this.#hashHigh, this.#times];
    const slots = lows.length * 2;
    this.#hashLow = new Int32Array(slots);
    this.#hashHigh = new Int32Array(slots);
    this.#times = new Int32Array(slots * 2);
    for (let old = 0; old < lows.length; old++) {
      const [low, high] = [lows[old] as number, highs[old] as number];
      if (low !== 0 || high !== 0) this.#put(this.#find(low, high), low, high, times[old * 2] as number, times[old * 2 + 1] as number);
    }
  }
}

/** Sets the newest time of each row's slot in `newest`, or notes the row as late. */
function advanceRows(slots: Uint32Array, times: Int32Array, rowCount: number, newest: Int32Array, late: number[]): void {
  for (let row = 0; row < rowCount; row++) {
    const at = (slots[row] as number) * 2;
    const low = times[row * 2] as number;
    const high = times[row * 2 + 1] as number;
    const lastHigh = newest[at + 1] as number;
    if (high < lastHigh || (high === lastHigh && low >>> 0 <= (newest[at] as number) >>> 0)) {
      late.push(row);
      continue;
    }
    newest[at] = low;
    newest[at + 1] = high;
  }
}
