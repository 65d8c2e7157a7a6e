/** Buffers for write bodies: taken for one request, grown by doubling, given back and reused. */
import { BODY_BUFFERS_KEPT_MAX, BODY_BUFFER_INITIAL_SIZE, BODY_BUFFER_KEPT_SIZE_MAX } from "./limits.ts";

export class BodyBuffer {
  #bytes: Uint8Array;
  #size = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#size;
  }

  get capacity(): number {
    return this.#bytes.length;
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

  clear(): void {
    this.#size = 0;
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.view());
    this.#bytes = grown;
  }
}

export class BodyBufferPool {
  readonly #free: BodyBuffer[] = [];

  take(): BodyBuffer {
    return this.#free.pop() ?? new BodyBuffer(new Uint8Array(BODY_BUFFER_INITIAL_SIZE));
  }

  giveBack(buffer: BodyBuffer): void {
    if (this.#free.length >= BODY_BUFFERS_KEPT_MAX || buffer.capacity > BODY_BUFFER_KEPT_SIZE_MAX) return;
    buffer.clear();
    this.#free.push(buffer);
  }
}
