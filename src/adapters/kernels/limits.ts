/** Limits of the encoding thread. */

/** Bytes copied between two chances for the event loop: about a millisecond. */
export const COPY_SLICE_BYTES = 2_097_152;

/**
 * Batches are copied whole, also when few of their rows lie in the chunk. When that would copy more than so many times the
 * rows' own share, the chunk is encoded where it is.
 */
export const COPY_FACTOR_MAX = 4;
