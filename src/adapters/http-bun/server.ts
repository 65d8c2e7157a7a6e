/** The same app on `Bun.serve`. The caller has checked that this is Bun. */
import { bindError } from "../../core/config/bind-address.ts";
import { SHUTDOWN_TIMEOUT_MS } from "../../core/config/shutdown-timeout.ts";
import { tlsError } from "../../core/config/tls.ts";
import type { HttpListener, ListenOptions, PeerOf } from "../../ports/http-listener.ts";

type Fetch = (request: Request, peer: PeerOf) => Response | Promise<Response>;

/** The part of Bun's API that is used, so that the project needs no types of Bun. */
interface BunServer {
  readonly port: number;
  requestIP(request: Request): { readonly address: string; readonly port: number } | null;
  stop(closeActiveConnections?: boolean): Promise<void>;
}
interface BunNamespace {
  serve(options: {
    readonly hostname: string;
    readonly port: number;
    readonly maxRequestBodySize: number;
    readonly idleTimeout: number;
    readonly fetch: (request: Request, server: BunServer) => Promise<Response>;
    readonly tls?: { readonly cert: string; readonly key: string; readonly minVersion: number };
  }): BunServer;
}

/** As the protocol numbers its versions. */
const TLS_VERSIONS = { "tls-1.2": 0x0303, "tls-1.3": 0x0304 } as const;
/** Bun's own limit lies far above ours: its 413 has no text, and the app never reads more than it allows. */
const BUN_BODY_FACTOR = 64;
/** Bun's largest; its default of 10 s would cut slow queries. */
const IDLE_TIMEOUT_SECONDS = 255;

/** Throws `server.address_in_use` and `server.misconfigured`. */
export function listenOnBun(options: ListenOptions<Fetch>): Promise<HttpListener> {
  const bun = (globalThis as unknown as { readonly Bun: BunNamespace }).Bun;
  try {
    const server = bun.serve({
      hostname: options.host,
      port: options.port,
      maxRequestBodySize: options.bodySizeMax * BUN_BODY_FACTOR,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      ...(options.tls === undefined ? {} : { tls: { cert: options.tls.cert, key: options.tls.key, minVersion: TLS_VERSIONS[options.tls.minimumVersion] } }),
      fetch: async (request, server) => withoutDefaultType(await options.fetch(request, () => peerOf(server, request))),
    });
    return Promise.resolve({ host: options.host, port: server.port, close: () => close(server, options.closeGraceMs ?? SHUTDOWN_TIMEOUT_MS) });
  } catch (error) {
    const isInUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    const isTls = options.tls !== undefined && !(error instanceof Error && "code" in error && String(error.code).startsWith("EADDR"));
    return Promise.reject(isTls ? tlsError(error) : bindError(options, error, isInUse));
  }
}

function peerOf(server: BunServer, request: Request): ReturnType<PeerOf> {
  const peer = server.requestIP(request);
  return peer === null ? undefined : [peer.address, peer.port];
}

/** Bun gives bytes a content type; error bodies must carry none (spec: http-api §2), and streams get none. */
function withoutDefaultType(response: Response): Response {
  if (response.body === null || response.headers.has("content-type")) return response;
  const body = response.body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>());
  return new Response(body, { status: response.status, headers: response.headers });
}

async function close(server: BunServer, graceMs: number): Promise<void> {
  const cut = setTimeout(() => void server.stop(true), graceMs);
  await server.stop();
  clearTimeout(cut);
}
