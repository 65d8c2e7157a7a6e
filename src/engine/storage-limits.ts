import { RING_BYTES_DEFAULT, RING_WAIT_MS_MAX, RING_WAITERS_MAX, WAL_FILE_BYTES } from "../core/wal/limits.ts";

/** Limits of the write path; sizes in bytes. Defaults suit a machine with 1 GB. */
export interface StorageLimits {
  /** WAL ring: encoded records that are not committed yet. A record may fill at most half of it. */
  readonly ringBytes: number;
  /** Queryable buffer with its series indexes. */
  readonly bufferBytes: number;
  /** A WAL file is followed by the next one once it has this size. */
  readonly walFileBytes: number;
  /** Records of one commit together; a single larger one goes alone. Bounds the time the event loop is held. */
  readonly groupBytes: number;
  /** Writers waiting for room in the ring, or for a parser. */
  readonly writersWaitingMax: number;
  /** How long one waits. */
  readonly writerWaitMs: number;
  /** The least time between the starts of two commits, unless much waits; 0: a commit begins as soon as the last one ended. */
  readonly commitIntervalMs: number;
  /** How long a writer waits for its commit; then it is told that the outcome is not known. */
  readonly commitWaitMs: number;
  /** How long the last commit may take when the server stops. */
  readonly closeWaitMs: number;
  /** Parsers, each with column memory of its own: requests that are being parsed or wait for a schema change. */
  readonly parsersMax: number;
}

const MIB = 1_048_576;

export const DEFAULT_STORAGE_LIMITS: StorageLimits = {
  ringBytes: RING_BYTES_DEFAULT,
  bufferBytes: 256 * MIB,
  walFileBytes: WAL_FILE_BYTES,
  groupBytes: 2 * MIB,
  writersWaitingMax: RING_WAITERS_MAX,
  writerWaitMs: RING_WAIT_MS_MAX,
  commitIntervalMs: 0,
  commitWaitMs: 10_000,
  closeWaitMs: 5_000,
  parsersMax: 4,
};

/** Bytes replayed between two chances for the event loop: about 5 ms. */
export const REPLAY_SLICE_BYTES = 2 * MIB;

/** `Retry-After` of a refused write, in seconds. */
export const RETRY_AFTER_SECONDS = 1;

/** Bodies from this size on take turns of the event loop. */
export const LONG_BODY_BYTES = 262_144;

/** Part of the buffer's limit that rows take before a snapshot begins: the rest is for its working memory and new rows. */
export const SNAPSHOT_BUFFER_SHARE = 0.35;

/** Part of the buffer's limit that one snapshot takes at most: its working memory is about eight times that. */
export const SNAPSHOT_PREFIX_SHARE = 1 / 20;

/** Part of the buffer's limit that rows never take: a snapshot needs it to make room. */
export const SNAPSHOT_WORKING_SHARE = 8 * SNAPSHOT_PREFIX_SHARE;

/** How often the age of the buffered rows is looked at, in milliseconds. */
export const SNAPSHOT_CHECK_MS = 1_000;

/** Memory of the buffer that holds no rows goes back to the system when it was not needed for so long. */
export const KEPT_MEMORY_MS = 60_000;

/** Pause after a snapshot that failed, in milliseconds: the store may be down. */
export const SNAPSHOT_RETRY_MS = 5_000;

/** Changes of the Parquet files that wait for their manifest: snapshots, merges, retention and deletion each have one at a time. */
export const MANIFEST_CHANGES_WAITING_MAX = 64;

/** Manifests after which a checkpoint replaces them: a start reads about so many objects. */
export const MANIFESTS_PER_CHECKPOINT = 100;

/** Pause before a Parquet file that could not be deleted is tried again. */
export const DELETE_RETRY_MS = 30_000;

/** Files that one manifest takes out: it stays below a megabyte. */
export const FILES_PER_REMOVAL_MAX = 10_000;

/** Rest after a merge, as a multiple of the time it took: merges use a quarter of the thread at most. */
export const MERGE_REST = 3;
export const MERGE_REST_MS_MIN = 50;

/** Pause after a merge that failed. */
export const MERGE_RETRY_MS = 10_000;

/** Pause before the first merge after a start: the first queries come first. */
export const MERGE_START_MS = 1_000;

/** How often time windows that ended are looked for. */
export const MERGE_CHECK_MS = 600_000;

/** A time window counts as over so long after its end: its last rows lie in memory for ten minutes. */
export const MERGE_CLOSED_AFTER_NS = 1_800_000_000_000n;

/** Memory of a merge, where no memory limit says otherwise. */
export const MERGE_MEMORY_BYTES_DEFAULT = 48 * MIB;

/** How often deleted databases and tables are looked at. */
export const HARD_DELETE_CHECK_MS = 60_000;

/** `--retention-check-interval` (spec: storage §9). */
export const RETENTION_CHECK_MS_DEFAULT = 1_800_000;

/** A query may take 60 s. */
export const DELETE_GRACE_MS_DEFAULT = 65_000;
