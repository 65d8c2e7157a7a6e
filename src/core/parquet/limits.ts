/** Sizes inside a Parquet file. */

/** Rows of a row group. One column of it is encoded without a pause, so this bounds the time a task takes (about 5 ms). */
export const ROW_GROUP_ROWS = 65_536;

/** Distinct values of a dictionary page for numbers; more are written plainly. */
export const DICTIONARY_VALUES_MAX = 16_384;

/** After this many rows a dictionary that is nearly as long as the rows is given up. */
export const DICTIONARY_PROBE_ROWS = 4_096;

/** Longer texts are no bounds in the statistics: they would weigh more than they save. */
export const STATISTICS_TEXT_BYTES_MAX = 256;

/** One page that is read back, uncompressed: a row group's texts. */
export const PAGE_BYTES_MAX = 268_435_456;

/** Rows of one file that is read back. */
export const PARQUET_FILE_ROWS_MAX = 67_108_864;
