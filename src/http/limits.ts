/** Limits of the HTTP edge. The body limit itself is a setting (`--max-http-request-size`). */

/** Longest hint or code that is copied into a response header; header lines of 8 KiB are what proxies allow. */
export const HEADER_TEXT_LENGTH_MAX = 512;

/** Seconds a client is told to wait after a `capacity` error (spec: http-api §14, Telegraf honours `Retry-After`). */
export const RETRY_AFTER_SECONDS = 1;

/** Results up to this size are sent whole; beyond it the first bytes leave before the last row is known. */
export const BUFFERED_RESULT_SIZE_MAX = 64 * 1024;

/** Compressed writes that are inflated and held at the same time: more than are parsed at once would only wait. */
export const INFLATED_BODIES_MAX = 8;

/** Compressed writes that wait for that, and how long each does, in milliseconds. */
export const INFLATIONS_WAITING_MAX = 1_024;
export const INFLATION_WAIT_MS_MAX = 10_000;
