/** Limits of snapshot work. */

/** Rows handled between two pauses: a few milliseconds at most. */
export const SLICE_ROWS = 65_536;

/** Working memory of a merge for each row and column: values, validity, places, and the encoded page. */
export const MERGE_BYTES_PER_CELL = 24;

/** Working memory of a merge for each row: series, order, times. */
export const MERGE_BYTES_PER_ROW = 40;
