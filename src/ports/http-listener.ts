/** A listening HTTP server as the composition root sees it, and the raw write requests that a server may hand over. */
import type { TlsVersion } from "../core/config/tls.ts";

export interface HttpListener {
  readonly host: string;
  /** The real port, also when 0 was asked for. */
  readonly port: number;
  /** Stops accepting, lets running requests end within the grace time, then closes every socket. */
  close(): Promise<void>;
}

/** The other end of the connection that a request came over, port 0 where the server does not tell the port; undefined: it is gone. May be asked until the request is answered. */
export type PeerOf = () => readonly [address: string, port: number] | undefined;

export interface ListenOptions<Fetch> {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** The app, `(request: Request, peer: PeerOf) => Response`. */
  readonly fetch: Fetch;
  readonly bodySizeMax: number;
  /** How long `close()` waits for running requests; default `SHUTDOWN_TIMEOUT_MS`. */
  readonly closeGraceMs?: number;
  /** Counts the bodies that are held, where the server holds them itself. */
  readonly bodies?: BodyMeter;
  /** Undefined: plain HTTP. */
  readonly tls?: TlsIdentity;
}

/** Request bodies in memory, all together. */
export interface BodyMeter {
  readonly limitBytes: number;
  usedBytes: number;
}

/** Certificate chain and private key as PEM, and the oldest protocol that is spoken. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
  readonly minimumVersion: TlsVersion;
}

export interface RawRequest {
  readonly path: string;
  /** What follows `?`; undefined without one. */
  readonly query: string | undefined;
  header(name: string): string | undefined;
  /** Reused memory: not valid after the reply resolved. */
  readonly body: Uint8Array;
}

export interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Routes that a server may serve without `Request` objects; both ways answer the same. */
export interface RawRoutes {
  /** POST to exactly these paths. */
  readonly paths: readonly string[];
  /** Never rejects. */
  handle(request: RawRequest): Promise<RawReply>;
  /** The reply to a body above the limit. */
  tooLarge(path: string): RawReply;
  /** The reply when the bodies of all running requests would exceed the server's budget. */
  overloaded(path: string): RawReply;
}
