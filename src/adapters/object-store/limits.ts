/** Bounds of the object stores. */

/** Requests to a store that run at once (spec: storage §7). */
export const CONNECTIONS_DEFAULT = 64;
/** Requests that may wait for their turn. */
export const WAITING_MAX = 65_536;
/** Parquet files that are fetched into the cache at once: each is in memory while it comes. */
export const DOWNLOADS_MAX = 4;
/** From the first byte sent to the last byte received. */
export const REQUEST_TIMEOUT_MS_DEFAULT = 30_000;
/** Attempts after the first one. */
export const RETRIES_DEFAULT = 6;
/** No attempt begins later than this after the first one: who waits for a store should learn soon that it is down. */
export const RETRY_TIMEOUT_MS_DEFAULT = 10_000;
/** The pause before attempt n is random below this times 2^n. */
export const RETRY_PAUSE_MS = 100;
export const RETRY_PAUSE_MS_MAX = 5_000;

/** Objects above it go up in parts of this size: 8 MiB within the request timeout need an uplink of 2.2 Mbit/s. */
export const PART_BYTES = 8_388_608;
/** Of one upload; the parts are sent one after another. S3's own limit. */
export const PARTS_MAX = 10_000;

/** Pages of one listing: a store that never ends a listing must not hold us for ever. */
export const LIST_PAGES_MAX = 100_000;

/** A store's error text is cut to this length. */
export const ERROR_TEXT_MAX = 300;

/** A credentials file without expiry is read again after this time (spec: cli §3.1). */
export const CREDENTIALS_MS_MAX = 3_600_000;
/** It is read again this long before its expiry. */
export const CREDENTIALS_MARGIN_MS = 60_000;

/** A file that could not be read is read again after this time, as long as the old credentials are good. */
export const CREDENTIALS_RETRY_MS = 5_000;

/** The reference's model of a slow store: a pause before each call, and a bandwidth (spec: storage §7). */
export const THROTTLED_CALL_MS = 100;
export const THROTTLED_BYTES_PER_MS = 1_000_000;
