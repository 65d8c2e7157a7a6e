/**
 * Shared memory for what runs are handed. A new buffer of some megabytes costs a page fault for each of its pages, and V8
 * does not count shared memory: under load what it has not collected yet came to hundreds of megabytes. So one that a run
 * is through with is kept for the next run of any trigger: executors read only the slices they are told of.
 */
import { BULK_REUSED_BYTES_MIN, BULK_ROUNDING_BYTES, BULK_SPARE_BYTES_MAX } from "./limits.ts";

export class BulkBuffers {
  /** Ascending in size. */
  readonly #spare: SharedArrayBuffer[] = [];
  #spareBytes = 0;

  /** At least `bytes` long; what is in it is of an earlier run. */
  take(bytes: number): SharedArrayBuffer {
    // Small ones are cheap.
    if (bytes < BULK_REUSED_BYTES_MIN) return new SharedArrayBuffer(bytes);
    const fitting = this.#spare.findIndex(({ byteLength }) => byteLength >= bytes);
    const [spare] = fitting < 0 ? [] : this.#spare.splice(fitting, 1);
    this.#spareBytes -= spare?.byteLength ?? 0;
    // Rounded, so that a run with a few rows more can use it too.
    return spare ?? new SharedArrayBuffer(Math.ceil(bytes / BULK_ROUNDING_BYTES) * BULK_ROUNDING_BYTES);
  }

  /** Only when no executor reads it any more. The smallest ones go when they are too much together. */
  giveBack(bulk: SharedArrayBuffer): void {
    if (bulk.byteLength < BULK_ROUNDING_BYTES || bulk.byteLength > BULK_SPARE_BYTES_MAX) return;
    const place = this.#spare.findIndex(({ byteLength }) => byteLength >= bulk.byteLength);
    this.#spare.splice(place < 0 ? this.#spare.length : place, 0, bulk);
    this.#spareBytes += bulk.byteLength;
    while (this.#spareBytes > BULK_SPARE_BYTES_MAX) this.#spareBytes -= (this.#spare.shift() as SharedArrayBuffer).byteLength;
  }
}
