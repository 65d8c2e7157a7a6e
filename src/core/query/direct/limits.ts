/** Bounds of the direct executor. What goes beyond them is left to the query engine. */

/** Rows of a LIMIT with ORDER BY time. */
export const DIRECT_ORDERED_ROWS_MAX = 10_000;

/** Rows without a LIMIT, of the series that were named: their places take eight bytes each. */
export const DIRECT_ROWS_MAX = 1_000_000;

/** Groups: each costs about 50 bytes and 20 for each aggregate. */
export const DIRECT_GROUPS_MAX = 500_000;

/** Groups that are sorted in one task, about 10 ms. */
export const DIRECT_ORDERED_GROUPS_MAX = 10_000;

/** Rows in contested times that are compared with one another. */
export const DIRECT_CONTESTED_ROWS_MAX = 500_000;

/** Times are floats that count nanoseconds from the first row; beyond 2^53 (104 days) they would not be exact. */
export const DIRECT_SPAN_NS_MAX = 2 ** 53;

/** Slots of a dense table of pairs of codes; beyond it a map serves. */
export const DENSE_PAIRS_MAX = 4_194_304;

/** Rows of an answer that are made at once. */
export const DIRECT_RESULT_ROWS = 2_048;

/** Rows in memory from which on a search for the named series pays for the query engine. */
export const WIDE_ROWS_MIN = 20_000;

/** Rows that are copied for it at most, and the part of all. */
export const NARROWED_ROWS_MAX = 10_000;
export const NARROWED_SHARE_MAX = 0.2;
