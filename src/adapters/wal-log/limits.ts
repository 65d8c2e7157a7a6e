/** Bytes handed to the disk thread at a time: a 5 MB hop costs 0.55 ms, so larger blocks would only hold memory. */
export const MAILBOX_BYTES = 4_194_304;

/** What the disk thread may say of a failure. */
export const FAILURE_BYTES_MAX = 4_096;

/** Pause before a commit to an object store is tried again; the store tells at once while it knows that it is down. */
export const OBJECT_RETRY_MS = 1_000;

/** WAL objects fetched ahead of a replay: one object takes one round trip, and all of these are in memory. */
export const OBJECTS_READ_AHEAD = 8;

/** How often a number may be taken by the process that is to be replaced. */
export const TAKE_OVER_ATTEMPTS_MAX = 16;

/** Before a commit the claim is looked at unless that was done within this time. */
export const CONFIRMED_MS_MAX = 5_000;
