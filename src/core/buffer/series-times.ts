/**
 * Remembers the newest time of every series, to tell whether a table may hold two points of one series and time. Series
 * are known by 64 bits of hash only: a collision (or a late point) makes a query deduplicate without need, never the
 * other way round. Times are kept as two 32-bit words, because BigInt arithmetic allocates.
 */
import type { SeriesHashes } from "./series-hash.ts";
import { SERIES_SLOT_BYTES, SERIES_SLOTS_MIN } from "./limits.ts";

export class SeriesTimes {
  #hashLow = new Int32Array(SERIES_SLOTS_MIN);
  #hashHigh = new Int32Array(SERIES_SLOTS_MIN);
  #timeLow = new Uint32Array(SERIES_SLOTS_MIN);
  #timeHigh = new Int32Array(SERIES_SLOTS_MIN);
  #count = 0;

  /** Bytes held. */
  get bytes(): number {
    return this.#hashLow.length * SERIES_SLOT_BYTES;
  }

  /** Notes points, two words of time each; returns the rows whose time is not after the newest one of their series. */
  advance({ low, high }: SeriesHashes, times: Int32Array, rowCount: number): number[] {
    const late: number[] = [];
    for (let row = 0; row < rowCount; ) row = this.#advanceFrom(row, { low, high }, times, rowCount, late);
    return late;
  }

  /** Up to the first row that makes the table larger; the row to go on with. */
  #advanceFrom(from: number, { low, high }: SeriesHashes, times: Int32Array, rowCount: number, late: number[]): number {
    const [hashLow, hashHigh, timeLow, timeHigh] = [this.#hashLow, this.#hashHigh, this.#timeLow, this.#timeHigh];
    const mask = hashLow.length - 1;
    for (let row = from; row < rowCount; row++) {
      const rowLow = low[row] as number;
      // A slot with both words 0 is free, so that hash is moved aside.
      const rowHigh = rowLow === 0 && high[row] === 0 ? 1 : (high[row] as number);
      let slot = rowLow & mask;
      while ((hashLow[slot] !== rowLow || hashHigh[slot] !== rowHigh) && (hashLow[slot] !== 0 || hashHigh[slot] !== 0)) slot = (slot + 1) & mask;
      const newLow = (times[row * 2] as number) >>> 0;
      const newHigh = times[row * 2 + 1] as number;
      if (hashLow[slot] === 0 && hashHigh[slot] === 0) {
        this.#put(slot, rowLow, rowHigh, newLow, newHigh);
        this.#count += 1;
        if (this.#count * 4 <= hashLow.length * 3) continue;
        this.#grow();
        return row + 1;
      }
      const lastHigh = timeHigh[slot] as number;
      if (newHigh < lastHigh || (newHigh === lastHigh && newLow <= (timeLow[slot] as number))) {
        late.push(row);
        continue;
      }
      timeLow[slot] = newLow;
      timeHigh[slot] = newHigh;
    }
    return rowCount;
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
    this.#timeLow[slot] = timeLow;
    this.#timeHigh[slot] = timeHigh;
  }

  #grow(): void {
    const [lows, highs, timeLows, timeHighs] = [this.#hashLow, this.#hashHigh, this.#timeLow, this.#timeHigh];
    const slots = lows.length * 2;
    this.#hashLow = new Int32Array(slots);
    this.#hashHigh = new Int32Array(slots);
    this.#timeLow = new Uint32Array(slots);
    this.#timeHigh = new Int32Array(slots);
    for (let old = 0; old < lows.length; old++) {
      const [low, high] = [lows[old] as number, highs[old] as number];
      if (low !== 0 || high !== 0) this.#put(this.#find(low, high), low, high, timeLows[old] as number, timeHighs[old] as number);
    }
  }
}
