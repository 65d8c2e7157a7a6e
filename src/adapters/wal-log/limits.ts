/** Bytes handed to the disk thread at a time: a 5 MB hop costs 0.55 ms, so larger blocks would only hold memory. */
export const MAILBOX_BYTES = 4_194_304;

/** What the disk thread may say of a failure. */
export const FAILURE_BYTES_MAX = 4_096;
