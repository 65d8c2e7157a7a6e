/** Hard bounds of the SQL front end: hostile text costs at most these, whatever it says. */

/** 1 MiB of query text: the longest dashboards' IN lists stay far below it. */
export const SQL_TEXT_CHARACTERS_MAX = 1_048_576;
/**
 * Tokens of one statement: an IN list of 10,000 values. Binding is one task on the thread that takes writes; 180,000 tokens
 * held it for 1.6 s, and a plugin may send as many as it likes.
 */
export const SQL_TOKENS_MAX = 20_000;
/** Nesting of expressions and subqueries; each level costs about ten stack frames here and in the engine. */
export const SQL_DEPTH_MAX = 100;
/** Characters of emitted engine text: macros-by-text may repeat an operand, and repeats multiply when nested. */
export const EMITTED_CHARACTERS_MAX = 8_388_608;
/** Columns of one result or relation. */
export const SQL_COLUMNS_MAX = 65_536;
/** CUBE(n) makes 2^n grouping sets. */
export const CUBE_COLUMNS_MAX = 10;
/** Bins that one gap-filling query makes: a year of minutes is half of it. */
export const GAPFILL_BINS_MAX = 1_000_000;
/** Tables read by one query; each one costs a scan. */
export const SQL_RELATIONS_MAX = 256;
/** Left-leaning chains (`a + b + c …`, `x[1][2]…`) deepen the tree without recursion in the parser; AND and OR are balanced instead. */
export const SQL_CHAIN_MAX = 400;
/**
 * Bytes of one text that a function makes from nothing or by repeating. The engine works on 2,048 rows at once and cannot be
 * stopped, nor counts its memory, within them: this times that is what one call may hold.
 */
export const TEXT_GROWTH_MAX = 16_384;
/** Bytes of a text put together from given ones. */
export const TEXT_JOINED_MAX = 131_072;
/** Calls of functions that make longer texts than they are given, in one query. */
export const TEXT_GROWTH_CALLS_MAX = 32;
/** Characters of one literal or parameter: what a function makes of it may stand in each of 2,048 rows at once. */
export const TEXT_LITERAL_MAX = 65_536;
/** Product of the lengths that `levenshtein` compares: its time grows with it. */
export const LEVENSHTEIN_PRODUCT_MAX = 262_144;
