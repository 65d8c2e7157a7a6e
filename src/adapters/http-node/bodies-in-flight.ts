/** Counts the body bytes of all running requests, so that many large bodies at once cannot fill the memory. */
import type { BodyMeter } from "../../ports/http-listener.ts";
import { BODY_BYTES_IN_FLIGHT_MAX, LARGEST_BODIES_IN_FLIGHT_MIN } from "./limits.ts";
import { BodyBufferPool, type BodyBuffer } from "./body-buffers.ts";

export type BodyRefusal = "tooLarge" | "overloaded";

export class BodiesInFlight {
  readonly #bodySizeMax: number;
  readonly #bytesMax: number;
  readonly #meter: BodyMeter;
  readonly #buffers = new BodyBufferPool();

  constructor(bodySizeMax: number, meter: BodyMeter = { limitBytes: BODY_BYTES_IN_FLIGHT_MAX, usedBytes: 0 }) {
    this.#bodySizeMax = bodySizeMax;
    this.#meter = meter;
    this.#bytesMax = Math.max(meter.limitBytes, LARGEST_BODIES_IN_FLIGHT_MIN * bodySizeMax);
  }

  /** A buffer for a body of about `expected` bytes; give it back with `free`. */
  take(expected: number): BodyBuffer {
    return this.#buffers.take(expected);
  }

  /** Appends unless a limit forbids it. */
  append(buffer: BodyBuffer, chunk: Uint8Array): BodyRefusal | undefined {
    if (buffer.size + chunk.length > this.#bodySizeMax) return "tooLarge";
    if (this.#meter.usedBytes + chunk.length > this.#bytesMax) return "overloaded";
    buffer.append(chunk);
    this.#meter.usedBytes += chunk.length;
    return undefined;
  }

  free(buffer: BodyBuffer): void {
    this.#meter.usedBytes -= buffer.size;
    this.#buffers.giveBack(buffer);
  }
}
