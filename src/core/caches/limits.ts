/** Costs and bounds of the declared caches. */

/** Counted for each key or leaf beside its values: the map's slot, the record, the arrays. */
export const CACHE_ENTRY_BYTES = 160;

/** Counted for each kept row beside its values. */
export const CACHE_ROW_BYTES = 80;

/** Counted for each value; texts by their length on top. */
export const CACHE_VALUE_BYTES = 16;

/** A distinct value cache may pass its cardinality by this share until the oldest values go, so that not every insert searches for them. */
export const CARDINALITY_SLACK = 0.1;

/** Entries that are looked at between two chances for other work. */
export const CACHE_SLICE_ENTRIES = 5_000;
