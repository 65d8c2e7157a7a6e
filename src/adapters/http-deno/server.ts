/** The same app on `Deno.serve`. The caller has checked that this is Deno. */
import { bindError } from "../../core/config/bind-address.ts";
import { SHUTDOWN_TIMEOUT_MS } from "../../core/config/shutdown-timeout.ts";
import { tlsError } from "../../core/config/tls.ts";
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { HttpListener, ListenOptions, PeerOf } from "../../ports/http-listener.ts";

/** The part of Deno's API that is used, so that the project needs no types of Deno. */
interface DenoServer {
  readonly addr: { readonly port: number };
  shutdown(): Promise<void>;
}
interface DenoNamespace {
  serve(
    options: { readonly hostname: string; readonly port: number; readonly signal: AbortSignal; readonly onListen: () => void; readonly cert?: string; readonly key?: string },
    handler: (request: Request, info: { readonly remoteAddr: { readonly hostname: string; readonly port: number } }) => Response | Promise<Response>,
  ): DenoServer;
}

/** Deno's own shutdown takes their bodies from requests that are still coming in, so it begins when none is. */
class RunningRequests {
  #count = 0;
  #isClosing = false;
  #onIdle: () => void = () => undefined;

  /** What `handle` answers; once closing has begun, who comes is sent away. */
  async run(handle: () => Response | Promise<Response>): Promise<Response> {
    if (this.#isClosing) return new Response("the server is stopping", { status: 503, headers: { "retry-after": "1" } });
    this.#count++;
    try {
      return await handle();
    } finally {
      if (--this.#count === 0) this.#onIdle();
    }
  }

  /** Resolves when no request is being handled, at the latest after the time. */
  async close(msMax: number): Promise<void> {
    this.#isClosing = true;
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, msMax);
      this.#onIdle = () => (clearTimeout(late), resolve());
    });
  }
}

/** Throws `server.address_in_use` and `server.misconfigured`. */
export function listenOnDeno(
  options: ListenOptions<(request: Request, peer: PeerOf) => Response | Promise<Response>>,
): Promise<HttpListener> {
  const deno = (globalThis as unknown as { readonly Deno: DenoNamespace }).Deno;
  const abort = new AbortController();
  const running = new RunningRequests();
  const { host: hostname, port, tls, closeGraceMs = SHUTDOWN_TIMEOUT_MS } = options;
  if (tls?.minimumVersion === "tls-1.3") {
    return Promise.reject(
      new DatabaseError("server.misconfigured", { message: "Deno speaks TLS 1.2 and 1.3 and cannot be kept from 1.2", hint: "leave out --tls-minimum-version, or run on Node or Bun" }),
    );
  }
  const identity = tls === undefined ? {} : { cert: tls.cert, key: tls.key };
  try {
    const server = deno.serve({ hostname, port, signal: abort.signal, onListen: () => undefined, ...identity }, (request, { remoteAddr }) =>
      running.run(() => options.fetch(request, () => [remoteAddr.hostname, remoteAddr.port])),
    );
    return Promise.resolve({ host: hostname, port: server.addr.port, close: () => close(server, { abort, running, graceMs: closeGraceMs }) });
  } catch (error) {
    const isTls = tls !== undefined && error instanceof Error && !error.name.startsWith("Addr");
    return Promise.reject(isTls ? tlsError(error) : bindError({ host: hostname, port }, error, error instanceof Error && error.name === "AddrInUse"));
  }
}

async function close(server: DenoServer, { abort, running, graceMs }: { abort: AbortController; running: RunningRequests; graceMs: number }): Promise<void> {
  const cut = setTimeout(() => abort.abort(), graceMs);
  await running.close(graceMs);
  await server.shutdown();
  clearTimeout(cut);
}
