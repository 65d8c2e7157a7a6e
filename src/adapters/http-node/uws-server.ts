/**
 * The same app and raw write routes on uWebSockets.js: about half of node:http's CPU per request. Bodies are collected in
 * reused buffers as they come; answers are streamed with back-pressure.
 */
import { formatBindAddress } from "../../core/config/bind-address.ts";
import { SHUTDOWN_TIMEOUT_MS } from "../../core/config/shutdown-timeout.ts";
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { HttpListener, ListenOptions, RawReply, RawRoutes } from "../../ports/http-listener.ts";
import { BodiesInFlight, type BodyRefusal } from "./bodies-in-flight.ts";
import type { BodyBuffer } from "./body-buffers.ts";
import { CLOSE_SWEEP_MS } from "./limits.ts";
import type { NodeFetch } from "./server.ts";
import { UwsReply } from "./uws-reply.ts";
import type { UwsModule, UwsRequest, UwsResponse } from "./uws-module.ts";

export type UwsListenOptions = ListenOptions<NodeFetch> & { readonly raw?: RawRoutes };

/** Plain HTTP only: TLS stays with node:https. Throws `server.address_in_use`. */
export function listenOnUws(uws: UwsModule, options: UwsListenOptions): Promise<HttpListener> {
  const server = new UwsServer(options);
  const app = uws.App().any("/*", (response, request) => server.handle(response, request));
  const { host, port } = options;
  return new Promise((resolve, reject) => {
    app.listen(host, port, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
      if (socket === false || socket === null) {
        reject(cannotListen(host, port));
        return;
      }
      const close = async (): Promise<void> => {
        uws.us_listen_socket_close(socket);
        await server.idle();
        app.close();
      };
      resolve({ host, port: uws.us_socket_local_port(socket), close });
    });
  });
}

function cannotListen(host: string, port: number): DatabaseError {
  return new DatabaseError("server.address_in_use", {
    message: `Failed to bind address "${formatBindAddress({ host, port })}": another program listens there, or it is no address of this machine`,
    hint: `stop that program, or choose another address: --http-bind ${formatBindAddress({ host, port: port + 1 })}`,
  });
}

/** What is known of a request before its body came; uWS forgets its own object when the handler returns. */
interface Head {
  readonly method: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly headers: ReadonlyMap<string, string>;
}

class UwsServer {
  readonly #options: UwsListenOptions;
  readonly #bodies: BodiesInFlight;
  readonly #rawPaths: ReadonlySet<string>;
  #running = 0;
  #closing = false;

  constructor(options: UwsListenOptions) {
    this.#options = options;
    this.#bodies = new BodiesInFlight(options.bodySizeMax, options.bodies);
    this.#rawPaths = new Set(options.raw?.paths);
  }

  handle(response: UwsResponse, request: UwsRequest): void {
    const head = headOf(request);
    const reply = new UwsReply(response, () => this.#closing);
    this.#running++;
    reply.finished.then(() => this.#running--, () => this.#running--);
    const { raw } = this.#options;
    const isRaw = raw !== undefined && head.method === "POST" && this.#rawPaths.has(head.path);
    const buffer = this.#bodies.take(Number(head.headers.get("content-length") ?? 0));
    let refusal: BodyRefusal | undefined = Number(head.headers.get("content-length") ?? 0) > this.#options.bodySizeMax ? "tooLarge" : undefined;
    const answer = (): void => {
      const answered = isRaw ? this.#answerRaw(raw, head, { buffer, refusal, reply }) : this.#answerFetch(head, { buffer, refusal, reply });
      void answered.finally(() => this.#bodies.free(buffer));
    };
    reply.onAborted = () => {
      if (!reply.hasBody) this.#bodies.free(buffer);
    };
    if (refusal !== undefined) {
      reply.hasBody = true;
      answer();
      return;
    }
    response.onData((chunk, isLast) => {
      if (reply.hasBody) return;
      if (chunk.byteLength > 0) refusal = this.#bodies.append(buffer, new Uint8Array(chunk));
      if (refusal === undefined && !isLast) return;
      reply.hasBody = true;
      answer();
    });
  }

  /** Resolves when no request runs, at the latest after the grace time. */
  async idle(): Promise<void> {
    this.#closing = true;
    const end = performance.now() + (this.#options.closeGraceMs ?? SHUTDOWN_TIMEOUT_MS);
    while (this.#running > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, CLOSE_SWEEP_MS));
  }

  async #answerRaw(raw: RawRoutes, head: Head, { buffer, refusal, reply }: Arrived): Promise<void> {
    const { path, query } = head;
    if (refusal !== undefined) {
      reply.sendRaw(raw[refusal](path), { closesConnection: true });
      return;
    }
    const answer: RawReply = await raw.handle({ path, query, header: (name) => head.headers.get(name), body: buffer.view() });
    reply.sendRaw(answer, { closesConnection: false });
  }

  /** A body above the limit is not handed on: its declared length makes the app refuse it in its own words. */
  async #answerFetch(head: Head, { buffer, refusal, reply }: Arrived): Promise<void> {
    const headers = new Headers();
    for (const [name, value] of head.headers) headers.append(name, value);
    if (refusal !== undefined) headers.set("content-length", String(this.#options.bodySizeMax + 1));
    const takesBody = head.method !== "GET" && head.method !== "HEAD" && refusal === undefined && buffer.size > 0;
    const url = `http://${head.headers.get("host") ?? "localhost"}${head.path}${head.query === undefined ? "" : `?${head.query}`}`;
    const request = new Request(url, { method: head.method, headers, signal: reply.signal, ...(takesBody ? { body: buffer.view().slice() } : {}) });
    try {
      await reply.send(await this.#options.fetch(request, () => reply.peer()), { closesConnection: refusal !== undefined });
    } catch {
      reply.sendRaw({ status: 500, headers: {}, body: undefined }, { closesConnection: true });
    }
  }
}

interface Arrived {
  readonly buffer: BodyBuffer;
  readonly refusal: BodyRefusal | undefined;
  readonly reply: UwsReply;
}

/** Headers that come twice are joined as node:http joins them. */
function headOf(request: UwsRequest): Head {
  const headers = new Map<string, string>();
  request.forEach((name, value) => {
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`);
  });
  const query = request.getQuery();
  return { method: request.getCaseSensitiveMethod(), path: request.getUrl(), query: query === undefined || query === "" ? undefined : query, headers };
}
