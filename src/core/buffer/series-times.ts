/**
 * Remembers the newest time of every series, to tell whether a table may hold two points of one series and time. Series
 * are known by 64 bits of hash only: a collision (or a late point) makes a query deduplicate without need, never the
 * other way round. Times are kept as two 32-bit words, because BigInt arithmetic allocates.
 */
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

  /** Notes a point; false when its time is not after the newest one of its series. */
  advance(hashLow: number, hashHigh: number, timeLow: number, timeHigh: number): boolean {
    // A slot with both words 0 is free, so that hash is moved aside.
    const high = hashLow === 0 && hashHigh === 0 ? 1 : hashHigh;
    const slot = this.#find(hashLow, high);
    if (this.#hashLow[slot] === 0 && this.#hashHigh[slot] === 0) {
      this.#put(slot, hashLow, high, timeLow, timeHigh);
      this.#count += 1;
      if (this.#count * 4 > this.#hashLow.length * 3) this.#grow();
      return true;
    }
    const lastHigh = this.#timeHigh[slot] as number;
    if (timeHigh < lastHigh || (timeHigh === lastHigh && timeLow >>> 0 <= (this.#timeLow[slot] as number))) return false;
    this.#timeLow[slot] = timeLow;
    this.#timeHigh[slot] = timeHigh;
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
