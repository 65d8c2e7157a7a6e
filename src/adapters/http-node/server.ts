/** The Node server: raw write routes first, everything else through the Fetch adapter of `@hono/node-server`. */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { bindError } from "../../core/config/bind-address.ts";
import { SHUTDOWN_TIMEOUT_MS } from "../../core/config/shutdown-timeout.ts";
import { tlsError } from "../../core/config/tls.ts";
import type { HttpListener, ListenOptions, PeerOf, RawRoutes, TlsIdentity } from "../../ports/http-listener.ts";
import { CLOSE_SWEEP_MS, CONNECTIONS_MAX, HEADER_BYTES_MAX, HEADERS_MS_MAX, REQUEST_MS_MAX, SLOW_CLIENTS_CHECK_MS } from "./limits.ts";
import { RawMount } from "./raw-routes.ts";

export type NodeFetch = (request: Request, peer: PeerOf) => Response | Promise<Response>;

/** Throws `server.address_in_use` and `server.misconfigured`. */
export async function listenOnNode(options: ListenOptions<NodeFetch> & { readonly raw?: RawRoutes; readonly patience?: ClientPatience }): Promise<HttpListener> {
  const server = createAnyServer(options);
  await listen(server, options.host, options.port);
  const { port } = server.address() as AddressInfo;
  return { host: options.host, port, close: () => close(server, options.closeGraceMs ?? SHUTDOWN_TIMEOUT_MS) };
}

const TLS_VERSIONS = { "tls-1.2": "TLSv1.2", "tls-1.3": "TLSv1.3" } as const;

/** Limits on what a client may hold; tests set shorter ones. */
export interface ClientPatience {
  readonly headersMsMax: number;
  readonly checkMs: number;
}

function createAnyServer(options: ListenOptions<NodeFetch> & { readonly raw?: RawRoutes; readonly patience?: ClientPatience }): Server {
  const { tls, patience } = options;
  const limits = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: patience?.headersMsMax ?? HEADERS_MS_MAX,
    requestTimeout: REQUEST_MS_MAX,
    connectionsCheckingInterval: patience?.checkMs ?? SLOW_CLIENTS_CHECK_MS,
  };
  const server = tls === undefined ? createServer(limits, requestListener(options)) : createHttps(tls, limits, requestListener(options));
  server.maxConnections = CONNECTIONS_MAX;
  // A socket that was looked at once knows its peer when it is destroyed, too.
  server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => void socket.remoteAddress);
  return server;
}

function createHttps(tls: TlsIdentity, limits: ServerOptions, listener: RequestListener): Server {
  try {
    return createTlsServer({ ...limits, cert: tls.cert, key: tls.key, minVersion: TLS_VERSIONS[tls.minimumVersion] }, listener);
  } catch (error) {
    throw tlsError(error);
  }
}

function requestListener(
  options: ListenOptions<NodeFetch> & { readonly raw?: RawRoutes },
): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  const viaFetch = getRequestListener((request, { incoming }) => {
    const { socket } = incoming;
    return options.fetch(request as Request, () => (socket.remoteAddress === undefined || socket.remotePort === undefined ? undefined : [socket.remoteAddress, socket.remotePort]));
  });
  const raw = options.raw === undefined ? undefined : new RawMount(options.raw, options.bodySizeMax, options.bodies);
  return (incoming, outgoing) => {
    if (raw?.accept(incoming, outgoing) !== true) void viaFetch(incoming, outgoing);
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(bindError({ host, port }, error, error.code === "EADDRINUSE")));
    server.listen({ host, port }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

/** Keep-alive sockets end with their running request; whatever is left after the grace time is cut. */
function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    server.on("request", (_incoming, outgoing) => (outgoing.shouldKeepAlive = false));
    const sweep = setInterval(() => server.closeIdleConnections(), CLOSE_SWEEP_MS);
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
