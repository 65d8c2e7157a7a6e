/** Limits of line protocol parsing. */

/** Measurements, keys, tag values and strings (spec: line-protocol-and-write §3; the reference's default build). */
export const STRING_BYTES_MAX = 1_048_576;

/** Column names: the table batch counts their bytes in 16 bits. */
export const COLUMN_NAME_BYTES_MAX = 65_535;

/** Characters of offending text that an error message repeats. */
export const ERROR_CONTEXT_CHARACTERS = 10;

/** Bytes of `original_line` in an error object (spec: http-api §6.1). */
export const ORIGINAL_LINE_BYTES_MAX = 20;

/** Bytes parsed between two chances for the event loop: 1 MB takes 2 to 5 ms. */
export const PARSE_SLICE_BYTES = 1_048_576;

/** Slow lines parsed between two chances for the event loop, up to ~10 µs each; a longer one counts as several. */
export const PARSE_SLICE_SLOW_LINES = 500;
export const SLOW_LINE_BYTES = 128;

/** Lines judged again between two chances for the event loop, counted alike. */
export const JUDGE_SLICE_LINES = 250;

/** Tags and fields of one line: it is read in one go, in 40 to 80 ms. The default for a table is 500. */
export const LINE_COLUMNS_MAX = 8_192;

/** Column memory of one request: a hostile mix of many rows and many sparse fields is cut off here. */
export const PARSED_BYTES_MAX = 134_217_728;

/** Column memory that a parser keeps for the next request. */
export const PARSED_BYTES_KEPT = 16_777_216;

/** Raw `measurement,tags` prefixes that a parser remembers; past it the memory starts anew with the next request. */
export const PREFIXES_KEPT = 65_536;

/** Bytes of those prefixes. */
export const PREFIX_BYTES_KEPT = 16_777_216;

/** Field keys that a parser remembers. */
export const FIELD_KEYS_KEPT = 65_536;

/** Errors reported one by one for one request; the rest is counted (bounds the answer, not the check). Docs recommend 10,000 lines. */
export const LINE_ERRORS_MAX = 20_000;
