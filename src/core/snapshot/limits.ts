/** Limits of snapshot work. */

/** Rows handled between two pauses: a few milliseconds at most. */
export const SLICE_ROWS = 65_536;

/** Working memory of a merge for each row and column: values, validity, places, and the encoded page. */
export const MERGE_BYTES_PER_CELL = 24;

/** Working memory of a merge for each row: series, order, times. */
export const MERGE_BYTES_PER_ROW = 40;

/** Working memory of merging files, for each row: times, order, series, and one column twice. */
export const MERGED_BYTES_PER_ROW = 84;

/** … for each row and tag: its code. */
export const MERGED_BYTES_PER_TAG = 4;

/** … for each row when there is a column of texts: a view of each text. */
export const MERGED_BYTES_PER_TEXT = 112;

/** Texts of one column for each row; files with longer ones are left as they are. */
export const MERGE_TEXT_BYTES_PER_ROW = 256;

/** … for each byte of the files: they themselves, the new file in pieces, and as a whole. */
export const MERGED_BYTES_FACTOR = 3.5;

/** Files that one merge takes: an hour of chunks of one minute. */
export const MERGE_FILES_MAX = 64;

/** Files in a time window that may still get more before they are merged; in one that is over, two are enough. */
export const MERGE_FILES_MIN = 8;

/** A file up to this size is merged with a smaller one whatever that one's size. */
export const MERGE_TINY_BYTES = 65_536;

/** Rows of a row group of a merged file: a column of one is encoded without a pause, on the thread that takes writes (about 6 ms). */
export const MERGED_ROW_GROUP_ROWS = 32_768;
