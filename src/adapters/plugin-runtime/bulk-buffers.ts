/**
 * Shared memory for what runs are handed. A new buffer of some megabytes costs a page fault for each of its pages, and V8
 * does not count shared memory: under load what it has not collected yet came to hundreds of megabytes. So one that a run
 * is through with is kept for the next run of any trigger: executors read only the slices they are told of.
 */
import { Spares } from "../../core/memory/spares.ts";
import { BULK_REUSED_BYTES_MIN, BULK_ROUNDING_BYTES, BULK_SPARE_BYTES_MAX } from "./limits.ts";

export class BulkBuffers {
  readonly #spare = new Spares<SharedArrayBuffer>(BULK_SPARE_BYTES_MAX, ({ byteLength }) => byteLength);

  /** At least `bytes` long; what is in it is of an earlier run. */
  take(bytes: number): SharedArrayBuffer {
    // Small ones are cheap.
    if (bytes < BULK_REUSED_BYTES_MIN) return new SharedArrayBuffer(bytes);
    // Rounded, so that a run with a few rows more can use it too.
    return this.#spare.take(bytes) ?? new SharedArrayBuffer(Math.ceil(bytes / BULK_ROUNDING_BYTES) * BULK_ROUNDING_BYTES);
  }

  /** Only when no executor reads it any more. */
  giveBack(bulk: SharedArrayBuffer): void {
    if (bulk.byteLength >= BULK_ROUNDING_BYTES && bulk.byteLength <= BULK_SPARE_BYTES_MAX) this.#spare.giveBack(bulk);
  }
}
