/** Limits and costs of the queryable buffer. */

/** Counted for each batch beside its bytes: its record and its places in the lists. */
export const BATCH_OVERHEAD_BYTES = 256;

/** Counted for each column of a batch whose decoded view is kept. */
export const COLUMN_OVERHEAD_BYTES = 256;

/** Smaller batches are viewed anew for each query: a kept view would weigh more than the rows. */
export const KEPT_VIEW_ROWS_MIN = 256;

/** A power of two; slots of a table's first series index. */
export const SERIES_SLOTS_MIN = 16;

/** Four 32-bit words: two of the hash, two of the time. */
export const SERIES_SLOT_BYTES = 16;

/**
 * Part of the buffer's limit that all series indexes may take. Past it a table gives its index up and counts as having
 * duplicates: queries then work more, but memory stays bounded whatever the number of series.
 */
export const SERIES_INDEX_SHARE = 0.25;

/** Batches that may be searched for each batch with late points: a writer a few batches behind the others. */
export const LATE_BATCHES_MAX = 32;

/** Batches whose time range is looked at for that. */
export const LATE_SCAN_MAX = 4_096;

/** Searched batches whose points are kept for the next search, for each table. */
export const POINT_SETS_KEPT = 8;

/** Rows, and batches, that are indexed anew when the rows before them leave the buffer: about 10 ms of work. */
export const REINDEX_ROWS_MAX = 65_536;
export const REINDEX_BATCHES_MAX = 1_024;

/** Rows of a batch for whose hashes memory is kept (1 MB). */
export const KEPT_HASHES_MAX = 131_072;

/** Smaller batches are hashed without a look at the one before. */
export const COMPARED_ROWS_MIN = 64;

/** Ranges of times in which points of a table may stand twice. */
export const REPEATED_RANGES_MAX = 16;

/** Small batches in a row are combined once they have so many rows; fewer than this many batches are not worth it. */
export const COMBINED_ROWS = 512;
export const COMBINED_BATCHES_MIN = 8;

/** Smaller batches are left to the collector: they would make lists of thousands. */
export const REUSED_BYTES_MIN = 65_536;

/** Sizes of memory between one power of two and the next: a batch wastes a sixteenth at most. */
export const MEMORY_CLASSES_PER_OCTAVE = 16;

/** Part of the buffer's limit that memory without rows may take; what nobody needed for a while goes earlier. */
export const MEMORY_KEPT_SHARE = 0.5;

/** Part of it that is kept for copies: those of one step of a snapshot. */
export const COPIES_KEPT_SHARE = 0.05;
