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
/** What its peer may still say meanwhile. */
export const LINGER_BYTES_MAX = 1_048_576;

/** Certificates that one connection trusts besides the host's, their text, and how many Node reads in one turn of the event loop. */
export const TRUST_CERTIFICATES_MAX = 500;
export const TRUST_CERTIFICATES_AT_ONCE = 8;
export const TRUST_TEXT_LENGTH_MAX = 1_048_576;

/** TLS settings with what is prepared of them that are kept for the next connection: so many, of so many characters together. */
export const SECURE_CONTEXTS_MAX = 32;
export const SECURE_CONTEXTS_TEXT_LENGTH_MAX = 4_194_304;

/** What one run may have prepared that was not kept, in characters; each costs this besides its text, and the host's trust where it is read anew that. */
export const RUN_CONTEXTS_TEXT_LENGTH_MAX = 4_194_304;
export const CONTEXT_TEXT_LENGTH = 16_384;
export const HOST_TRUST_TEXT_LENGTH = 262_144;

/** A plugin's own certificate or key: the file they come from, the key in it (of RSA, 4096 bits need 3,300 characters; signing takes time with the third power of them), its chain. */
export const IDENTITY_TEXT_LENGTH_MAX = 65_536;
export const KEY_TEXT_LENGTH_MAX = 4_096;
export const CHAIN_CERTIFICATES_MAX = 10;

/** Of an encrypted key; OpenSSL makes 2,048, Python's `cryptography` 20,000, which take 7 ms. */
export const KEY_ITERATIONS_MAX = 20_000;

/** Other texts of TLS settings: names of hosts and protocols (RFC 1035, RFC 7301), the password of a key, a list of ciphers. */
export const SERVER_NAME_LENGTH_MAX = 255;
export const PROTOCOL_LENGTH_MAX = 255;
export const PROTOCOLS_MAX = 32;
export const PASSPHRASE_LENGTH_MAX = 1_024;
export const CIPHERS_LENGTH_MAX = 4_096;

/** A peer's own certificate: those with hundreds of names have half of it. */
export const PEER_CERTIFICATE_BYTES_MAX = 32_768;

/** Handshakes of one run that are under way: each takes milliseconds in which nothing else happens; the others wait. */
export const HANDSHAKES_AT_ONCE_MAX = 8;

/**
 * Names that are looked up at once: each takes a thread of the pool that files and queries use too, and Node gives lookups no
 * more than two of its four. The second begins only when the first is slow.
 */
export const LOOKUPS_AT_ONCE_MAX = 2;

/** A lookup that takes longer is slow: for a while its owner waits for all who have had none, of whom so many are remembered. */
export const LOOKUP_SLOW_MS = 500;
export const LOOKUP_SLOW_MEMORY_MS = 60_000;
export const LOOKUP_SLOW_OWNERS_MAX = 1_000;

/** A name that takes longer is answered with `EAI_AGAIN`. */
export const LOOKUP_MS_MAX = 10_000;

/** Addresses of one name that are told. */
export const ADDRESSES_MAX = 64;

/** Turns of the event loop in which an end of TLS does nothing: then it is done; and those after which it is believed. */
export const QUIET_TURNS = 4;
export const SETTLE_TURNS_MAX = 1_000;
