/** Bounds of the DuckDB adapter. */

/** libuv has four threads and fdatasync, gunzip and others need two of them (design §8.3). */
export const CONCURRENT_QUERIES_DEFAULT = 2;
/** Queries that may wait for a place: about a dashboard's worth of panels. */
export const WAITING_QUERIES_MAX = 256;
/** Engine memory. Intermediate results (hash tables, sorts) live there; table data stays in ours. */
export const ENGINE_MEMORY_DEFAULT = 512_000_000;
/** How often its memory is looked at while queries run. */
export const MEMORY_LOOK_MS = 500;
/** Worker threads of the engine beside the caller's. */
export const ENGINE_THREADS_DEFAULT = 2;
/** Tag dictionaries kept between queries, one per table and tag column. */
export const TAG_DICTIONARIES_MAX = 4096;
/** Values of one dictionary before it is dropped and rebuilt from live batches. */
export const TAG_DICTIONARY_VALUES_MAX = 4_194_304;
/** Tag values mapped between two chances for other work: about 4 ms. */
export const TAGS_PER_SLICE = 10_000;
