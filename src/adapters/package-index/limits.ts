/** One request to an index. */
export const REQUEST_MS_MAX = 60_000;
export const REDIRECTS_MAX = 5;
/** A failing request is tried again; what fails three times is told. */
export const TRIES_MAX = 3;
export const TRY_AGAIN_MS = 500;
