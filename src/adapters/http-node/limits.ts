/** Limits of the Node server. */

/** How often a closing server looks for what has ended meanwhile. */
export const CLOSE_SWEEP_MS = 20;

/** A refused body is read on for this long, so that the client sees the answer instead of a reset. */
export const REFUSED_BODY_DRAIN_MS = 500;

/** Buffers of write bodies that are kept for reuse, together: the most memory that idle writes pin. */
export const BODY_BUFFERS_KEPT_BYTES = 32 * 1024 * 1024;

/** A buffer grows to this many times of what has come in, but not past the declared length. */
export const BODY_BUFFER_GROWTH = 4;

/** Bodies of all running writes together; at least four of the largest ones must fit. */
export const BODY_BYTES_IN_FLIGHT_MAX = 128 * 1024 * 1024;
export const LARGEST_BODIES_IN_FLIGHT_MIN = 4;

export const BODY_BUFFER_INITIAL_SIZE = 64 * 1024;

/** Room for inflated bytes that is taken at once, at least. */
export const GUNZIP_PIECE_BYTES_MIN = 16_384;

/** … and at most this many times the compressed size. Line protocol comes to a fifth or a tenth of itself. */
export const GUNZIP_RATIO_GUESS_MAX = 16;

/** Request line and headers together; more is answered 431. */
export const HEADER_BYTES_MAX = 16 * 1024;

/** A client that sends its headers more slowly is cut off; an honest one sends them in one piece. */
export const HEADERS_MS_MAX = 20_000;

/** From the first byte of a request to its last; 10 MB over a bad line may take minutes. */
export const REQUEST_MS_MAX = 300_000;

/** How often slow clients are looked for. */
export const SLOW_CLIENTS_CHECK_MS = 5_000;

/** Open sockets; each idle one costs about 4 KB. Further ones are closed at once. */
export const CONNECTIONS_MAX = 20_000;
