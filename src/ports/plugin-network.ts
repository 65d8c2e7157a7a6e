/**
 * The outside network as plugins reach it: client connections over TCP, TLS that ends in the host, and names. Nothing here
 * waits: a connection says what it can do now and when that changes. Grants and limits are the engine's.
 */

/** How the network failed, by the name that Python code looks for: of `errno` (`ECONNREFUSED`), `gaierror` (`EAI_NONAME`) or TLS (`CERTIFICATE_VERIFY_FAILED`). */
export class NetworkError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = "NetworkError";
    this.code = code;
  }
}

/** What a client asks of TLS. Certificates and keys are PEM text. */
export interface TlsSettings {
  /** Goes into SNI; undefined or an address: none is sent. */
  readonly serverName?: string | undefined;
  /** Verify the peer's certificate at all. */
  readonly verify: boolean;
  /** Of a verified certificate also check that it is for `serverName`. */
  readonly checkName: boolean;
  /** The host's own trust store counts. */
  readonly defaultTrust: boolean;
  /** Certificates that are trusted besides, as PEM. */
  readonly trust?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  /** Protocols by preference. */
  readonly alpn?: readonly string[] | undefined;
  readonly ciphers?: string | undefined;
  readonly versionMin?: TlsVersion | undefined;
  readonly versionMax?: TlsVersion | undefined;
}

export type TlsVersion = "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

/** What a handshake agreed on. */
export interface TlsDescription {
  readonly version: string;
  readonly cipher: { readonly name: string; readonly version: string; readonly bits: number };
  readonly alpn: string | undefined;
  /** As Python's `getpeercert()` has it; undefined where the peer's certificate was not verified. */
  readonly peer: Readonly<Record<string, unknown>> | undefined;
  /** The peer's certificate in DER, base64. */
  readonly peerDer: string | undefined;
}

export interface ConnectionDescription {
  readonly local: readonly [address: string, port: number] | undefined;
  readonly remote: readonly [address: string, port: number] | undefined;
  /** Undefined: no TLS, or its handshake has not ended. */
  readonly tls: TlsDescription | undefined;
}

export interface ConnectionState {
  /** Bytes or the end are there to be received, or the connection failed. */
  readonly readable: boolean;
  /** Connected, its handshake (if any) done, with room for more; or it failed. */
  readonly writable: boolean;
  /** Why it broke; stays. */
  readonly error: NetworkError | undefined;
}

/** One connection, or one end of TLS whose encrypted bytes the plugin carries itself. Its buffers are bounded. */
export interface Connection {
  state(): ConnectionState;
  /** Told after each change of `state()`, at least; one listener at a time. */
  onChange(listener: (() => void) | undefined): void;
  /**
   * Begins TLS on what is connected, when what was sent before is out. The state is not writable until the handshake is done;
   * its failure, and what is wrong with the settings, is the state's error. Throws `NetworkError` where it cannot begin.
   */
  startTls(settings: TlsSettings): void;
  /** Takes over as many bytes as there is room for (a copy) and says how many; 0: wait until writable. Throws the state's error, or `EPIPE` after `end`. */
  send(bytes: Uint8Array): number;
  /** Up to so many bytes; none: the peer has ended; undefined: nothing yet. Throws the state's error once everything before it was received. */
  receive(bytesMax: number): Uint8Array | undefined;
  /** Ends our direction; what was sent before still goes. */
  end(): void;
  describe(): ConnectionDescription;
  /** Frees everything; what was sent before still goes, for a short while at most. Harmless when done twice. */
  close(): void;
}

/** TLS over bytes that the plugin carries (Python's `SSLContext.wrap_bio`). */
export interface TlsEngine extends Connection {
  /** Encrypted bytes of the peer; none: the peer has ended. Resolves when everything that follows from them has happened. Rejects with `NetworkError` `ENOBUFS` while too much of what was fed is not received. */
  feed(bytes: Uint8Array): Promise<void>;
  /** Encrypted bytes for the peer, once; none: there are none now. */
  drain(): Uint8Array;
  /** Resolves when everything that follows from what was sent has happened. */
  settled(): Promise<void>;
}

/** The outside network for all runs. */
export interface PluginNetwork {
  /** For one run. `owner`: its trigger, so that none waits for the slow names of another. */
  ofRun(owner: string): RunEnds;
}

/** What one run reaches; what its handshakes cost the server is bounded for all its connections together. */
export interface RunEnds {
  /** Addresses of a name or of an address, as the system orders them; rejects with `NetworkError`. */
  resolve(host: string): Promise<readonly string[]>;
  /** Begins to connect to an address (never a name). Failures show in the connection's state. */
  connect(address: string, port: number): Connection;
  createTlsEngine(settings: TlsSettings): TlsEngine;
}
