/**
 * Shared memory for what runs are handed. A new buffer of some megabytes costs a page fault for each of its pages, so one
 * that a run is through with is kept for the next run of any trigger: executors read only the slices they are told of.
 */
import { BULK_ROUNDING_BYTES, BULK_SPARE_BYTES_MAX } from "./limits.ts";

export class BulkBuffers {
  #spare: SharedArrayBuffer | undefined;

  /** At least `bytes` long; what is in it is of an earlier run. */
  take(bytes: number): SharedArrayBuffer {
    // Small ones are cheap.
    if (bytes < BULK_ROUNDING_BYTES) return new SharedArrayBuffer(bytes);
    const spare = this.#spare;
    if (spare !== undefined && spare.byteLength >= bytes) {
      this.#spare = undefined;
      return spare;
    }
    // Rounded, so that a run with a few rows more can use it too.
    return new SharedArrayBuffer(Math.ceil(bytes / BULK_ROUNDING_BYTES) * BULK_ROUNDING_BYTES);
  }

  /** Only when no executor reads it any more. */
  giveBack(bulk: SharedArrayBuffer): void {
    if (bulk.byteLength >= BULK_ROUNDING_BYTES && bulk.byteLength <= BULK_SPARE_BYTES_MAX && bulk.byteLength > (this.#spare?.byteLength ?? 0)) this.#spare = bulk;
  }
}
