/** Default of `--wal-ring-size`: on a box with 1 GB it leaves room for the buffer, DuckDB and plugins. */
export const RING_BYTES_DEFAULT = 67_108_864;

/** Smallest ring that is of use: it must hold one large request. */
export const RING_BYTES_MIN = 1_048_576;

/** A record may take at most this share of the ring, so that the next one can be encoded while it is committed. */
export const RECORD_RING_SHARE = 2;

/** A WAL file is closed when it has passed this size; replay reads whole files, so it bounds replay's memory. */
export const WAL_FILE_BYTES = 33_554_432;

/** Writers that wait for room in the ring. More are refused at once. */
export const RING_WAITERS_MAX = 1_024;

/** How long a writer waits for room before it is told to come back. */
export const RING_WAIT_MS_MAX = 10_000;

/** Tables of one record; the catalog allows 2,000 by default. */
export const RECORD_BATCHES_MAX = 65_536;
