/** Named limits of the triggers' feed. */

const MIB = 1_048_576;

export interface FeedLimits {
  /** Persisted rows kept in memory for triggers that have not read them; older ones are read again from WAL files. */
  readonly memoryBytesMax: number;
  /** WAL files kept for triggers that have not read them (`--wal-retain-bytes`); what goes beyond is a gap. */
  readonly retainBytesMax: number;
}

export const DEFAULT_FEED_LIMITS: FeedLimits = { memoryBytesMax: 32 * MIB, retainBytesMax: 1024 * MIB };

/** Encoded rows that a trigger takes at a time: what it holds while a run is under way. */
export const SLICE_BYTES_MAX = 8 * MIB;

/** The last WAL file read stays in memory for this long: triggers that read again follow each other. */
export const FILE_CACHE_MS = 2_000;
