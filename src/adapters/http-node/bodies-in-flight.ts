/** Counts the body bytes of all running requests, so that many large bodies at once cannot fill the memory. */
import { BODY_BYTES_IN_FLIGHT_MAX, LARGEST_BODIES_IN_FLIGHT_MIN } from "./limits.ts";
import { BodyBufferPool, type BodyBuffer } from "./body-buffers.ts";

export type BodyRefusal = "tooLarge" | "overloaded";

export class BodiesInFlight {
  readonly #bodySizeMax: number;
  readonly #bytesMax: number;
  readonly #buffers = new BodyBufferPool();
  #bytes = 0;

  constructor(bodySizeMax: number) {
    this.#bodySizeMax = bodySizeMax;
    this.#bytesMax = Math.max(BODY_BYTES_IN_FLIGHT_MAX, LARGEST_BODIES_IN_FLIGHT_MIN * bodySizeMax);
  }

  /** A buffer for a body of about `expected` bytes; give it back with `free`. */
  take(expected: number): BodyBuffer {
    return this.#buffers.take(expected);
  }

  /** Appends unless a limit forbids it. */
  append(buffer: BodyBuffer, chunk: Uint8Array): BodyRefusal | undefined {
    if (buffer.size + chunk.length > this.#bodySizeMax) return "tooLarge";
    if (this.#bytes + chunk.length > this.#bytesMax) return "overloaded";
    buffer.append(chunk);
    this.#bytes += chunk.length;
    return undefined;
  }

  free(buffer: BodyBuffer): void {
    this.#bytes -= buffer.size;
    this.#buffers.giveBack(buffer);
  }
}
