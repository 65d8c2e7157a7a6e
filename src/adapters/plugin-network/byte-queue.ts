/** Bytes that wait to be taken: small pieces are joined, so that a peer that sends single bytes costs no more than their number. */

const BLOCK_BYTES = 16_384;

export class ByteQueue {
  readonly #blocks: Uint8Array[] = [];
  /** Bytes of the first block that were taken, and bytes of the last that are in use. */
  #taken = 0;
  #used = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      let last = this.#blocks.at(-1);
      if (last === undefined || this.#used === last.length) {
        this.#blocks.push((last = new Uint8Array(BLOCK_BYTES)));
        this.#used = 0;
      }
      const part = bytes.subarray(at, at + last.length - this.#used);
      last.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
    }
    this.#length += bytes.length;
  }

  /** Up to so many, as a copy. */
  take(bytesMax: number): Uint8Array {
    const taken = new Uint8Array(Math.min(bytesMax, this.#length));
    for (let at = 0; at < taken.length; ) {
      const first = this.#blocks[0] as Uint8Array;
      const end = this.#blocks.length === 1 ? this.#used : first.length;
      const part = first.subarray(this.#taken, Math.min(end, this.#taken + taken.length - at));
      taken.set(part, at);
      at += part.length;
      this.#taken += part.length;
      if (this.#taken < end) continue;
      this.#blocks.shift();
      this.#taken = 0;
      if (this.#blocks.length === 0) this.#used = 0;
    }
    this.#length -= taken.length;
    return taken;
  }

  clear(): void {
    this.#blocks.length = 0;
    this.#taken = 0;
    this.#used = 0;
    this.#length = 0;
  }
}
