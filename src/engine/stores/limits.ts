/** While a store is down one call of each kind in this time finds out whether it still is; the others are told at once. */
export const PROBE_MS = 1_000;

/** A kind of call that has not failed for so long is not held against a store that answers others. */
export const TROUBLE_MS_MAX = 60_000;

/** How often a node looks whether another process has taken its place. */
export const CLAIM_CHECK_MS = 10_000;

/** Upper ends of the classes of `object_store_op_duration_seconds`. */
export const DURATION_CLASSES_SECONDS: readonly number[] = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30];
