/** Named limits of the outside network. */

/** Received bytes of one connection that wait for the plugin; beyond that the peer is not read. One read of the system may go over it. */
export const RECEIVE_BYTES_MAX = 131_072;

/** Bytes of one connection that were taken over from the plugin and are not on their way yet. */
export const SEND_BYTES_MAX = 131_072;

/** What one piece of them costs besides, so that single bytes are not free. */
export const PIECE_BYTES = 256;

/** Encrypted bytes that an end of TLS holds for the plugin to carry: handshakes are smaller, and `send` waits before. */
export const ENCRYPTED_BYTES_MAX = 1_048_576;

/** A closed connection may take so long to bring what it has taken over on its way, and so many connections do at once. */
export const LINGER_MS_MAX = 5_000;
export const LINGERING_MAX = 64;

/** Certificates that one connection trusts besides the host's, their text, and how many Node reads in one turn of the event loop. */
export const TRUST_CERTIFICATES_MAX = 500;
export const TRUST_CERTIFICATES_AT_ONCE = 8;
export const TRUST_TEXT_LENGTH_MAX = 1_048_576;

/** TLS settings with what is prepared of them that are kept for the next connection. */
export const SECURE_CONTEXTS_MAX = 32;

/** Names that are looked up at once: each takes a thread of the pool that files and queries use too. */
export const LOOKUPS_AT_ONCE_MAX = 1;

/** A name that takes longer is answered with `EAI_AGAIN`. */
export const LOOKUP_MS_MAX = 10_000;

/** Addresses of one name that are told. */
export const ADDRESSES_MAX = 64;

/** Turns of the event loop in which an end of TLS does nothing: then it is done; and those after which it is believed. */
export const QUIET_TURNS = 4;
export const SETTLE_TURNS_MAX = 1_000;
