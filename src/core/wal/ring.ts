/**
 * The WAL ring: a fixed piece of memory that holds encoded records until they are durable, copied to the buffer and
 * handed to the triggers. Space is given out in order and comes back in order, whatever the order of release. A record
 * lies in one piece; what is left at the end of the memory is skipped and counted as used.
 */
import { assert } from "../errors/assert.ts";

/** Room for one record. */
export interface RingSlot {
  readonly bytes: Uint8Array;
}

interface Slot extends RingSlot {
  /** Bytes skipped before it plus its own. */
  readonly cost: number;
  readonly end: number;
  released: boolean;
}

export class WalRing {
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly #slots: Slot[] = [];
  #head = 0;
  #used = 0;

  /** `capacityBytes`: a multiple of 8. */
  constructor(capacityBytes: number) {
    assert(capacityBytes % 8 === 0 && capacityBytes > 0, "the ring's capacity is a multiple of 8");
    this.#memory = new Uint8Array(capacityBytes);
  }

  get capacityBytes(): number {
    return this.#memory.length;
  }

  /** Bytes given out, with what had to be skipped. */
  get usedBytes(): number {
    return this.#used;
  }

  /** Undefined: no room now. `size` is a multiple of 8. */
  allocate(size: number): RingSlot | undefined {
    assert(size > 0 && size % 8 === 0, "a record's size is a multiple of 8");
    if (this.#used === 0) this.#head = 0;
    const skip = this.#head + size > this.capacityBytes ? this.capacityBytes - this.#head : 0;
    const cost = skip + size;
    if (this.#used + cost > this.capacityBytes) return undefined;
    const start = skip > 0 ? 0 : this.#head;
    const slot: Slot = { bytes: this.#memory.subarray(start, start + size), cost, end: start + size, released: false };
    this.#slots.push(slot);
    this.#head = slot.end;
    this.#used += cost;
    return slot;
  }

  /** The slot's bytes must not be used afterwards. */
  release(slot: RingSlot): void {
    const known = slot as Slot;
    assert(!known.released, "a slot is released once");
    known.released = true;
    let count = 0;
    for (; count < this.#slots.length && (this.#slots[count] as Slot).released; count++) this.#used -= (this.#slots[count] as Slot).cost;
    if (count > 0) this.#slots.splice(0, count);
    assert(this.#used >= 0 && (this.#slots.length > 0 || this.#used === 0), "an empty ring has nothing in use");
  }
}
