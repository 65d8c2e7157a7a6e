/**
 * Buffers for write bodies: taken for one request, grown as bytes come in, given back and reused. A fresh buffer per body
 * costs more than parsing it: its pages must be zeroed and the collector runs for it.
 */
import { Spares } from "../../core/memory/spares.ts";
import { BODY_BUFFERS_KEPT_BYTES, BODY_BUFFER_GROWTH, BODY_BUFFER_INITIAL_SIZE } from "./limits.ts";

export class BodyBuffer {
  #bytes: Uint8Array;
  #size = 0;
  #expected = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#size;
  }

  get capacity(): number {
    return this.#bytes.length;
  }

  /** Empties the buffer for a body of about `expected` bytes: a claim, so no memory is taken before its bytes come. */
  reset(expected: number): void {
    this.#size = 0;
    this.#expected = expected;
  }

  append(chunk: Uint8Array): void {
    const needed = this.#size + chunk.length;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#bytes.set(chunk, this.#size);
    this.#size = needed;
  }

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  #grow(needed: number): void {
    const ahead = Math.max(BODY_BUFFER_INITIAL_SIZE, needed * BODY_BUFFER_GROWTH);
    const claimed = this.#expected >= needed ? this.#expected : ahead;
    const grown = new Uint8Array(Math.min(ahead, claimed));
    grown.set(this.view());
    this.#bytes = grown;
  }
}

export class BodyBufferPool {
  readonly #free = new Spares<BodyBuffer>(BODY_BUFFERS_KEPT_BYTES, ({ capacity }) => capacity);

  /** The smallest kept buffer that holds `expected` bytes, else the largest kept one, else a new one. */
  take(expected: number): BodyBuffer {
    const buffer = this.#free.take(expected) ?? this.#free.takeLargest() ?? new BodyBuffer(new Uint8Array(0));
    buffer.reset(expected);
    return buffer;
  }

  /** The smallest buffers go when the kept ones take too much together. */
  giveBack(buffer: BodyBuffer): void {
    this.#free.giveBack(buffer);
  }
}
