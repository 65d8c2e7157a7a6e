/** Limits of the queryable buffer. */

/** Fixed cost counted for each batch kept: its objects in this file, and its decoded view once a query has asked. */
export const BATCH_OVERHEAD_BYTES = 512;

/** Part of the buffer's limit that the series indexes may take before they are given up (tables then count as having duplicates). */
export const SERIES_INDEX_SHARE = 0.25;
