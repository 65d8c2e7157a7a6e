/**
 * The raw mount: write requests go from the socket into a reused buffer and to the handler, without `Request` and
 * `Response` objects, which cost a third of the CPU of an ingest (design §3).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { BodyMeter, RawReply, RawRoutes } from "../../ports/http-listener.ts";
import { BodiesInFlight } from "./bodies-in-flight.ts";
import type { BodyBuffer } from "./body-buffers.ts";
import { createDiscard } from "./discard.ts";
import { REFUSED_BODY_DRAIN_MS } from "./limits.ts";

export class RawMount {
  readonly #routes: RawRoutes;
  readonly #paths: ReadonlySet<string>;
  readonly #bodySizeMax: number;
  readonly #bodies: BodiesInFlight;
  readonly #discard = createDiscard();

  constructor(routes: RawRoutes, bodySizeMax: number, bodies?: BodyMeter) {
    this.#routes = routes;
    this.#paths = new Set(routes.paths);
    this.#bodySizeMax = bodySizeMax;
    this.#bodies = new BodiesInFlight(bodySizeMax, bodies);
  }

  /** True when the request is one of ours and will be answered. */
  accept(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    if (incoming.method !== "POST") return false;
    const url = incoming.url ?? "";
    const queryStart = url.indexOf("?");
    const path = queryStart < 0 ? url : url.slice(0, queryStart);
    if (!this.#paths.has(path)) return false;
    this.#read(incoming, outgoing, path, queryStart < 0 ? undefined : url.slice(queryStart + 1));
    return true;
  }

  #read(incoming: IncomingMessage, outgoing: ServerResponse, path: string, query: string | undefined): void {
    const declared = Number(incoming.headers["content-length"] ?? 0);
    if (declared > this.#bodySizeMax) {
      this.#refuse(incoming, outgoing, this.#routes.tooLarge(path));
      return;
    }
    const buffer = this.#bodies.take(declared);
    const onData = (chunk: Uint8Array): void => {
      const refusal = this.#bodies.append(buffer, chunk);
      if (refusal === undefined) return this.#discard(chunk);
      detach();
      this.#bodies.free(buffer);
      this.#refuse(incoming, outgoing, this.#routes[refusal](path));
    };
    const onEnd = (): void => {
      detach();
      void this.#answer(incoming, outgoing, { path, query, buffer });
    };
    const onGone = (): void => {
      detach();
      this.#bodies.free(buffer);
    };
    const detach = (): void => {
      incoming.off("data", onData).off("end", onEnd).off("close", onGone);
    };
    // A broken upload ends in "close"; its error has nobody to be told.
    incoming.on("data", onData).on("end", onEnd).on("close", onGone).on("error", () => undefined);
  }

  async #answer(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    request: { readonly path: string; readonly query: string | undefined; readonly buffer: BodyBuffer },
  ): Promise<void> {
    const reply = await this.#routes.handle({
      path: request.path,
      query: request.query,
      header: (name) => headerText(incoming.headers[name]),
      body: request.buffer.view(),
    });
    this.#bodies.free(request.buffer);
    send(outgoing, reply);
  }

  #refuse(incoming: IncomingMessage, outgoing: ServerResponse, reply: RawReply): void {
    const { socket } = incoming;
    outgoing.shouldKeepAlive = false;
    send(outgoing, reply);
    incoming.resume();
    setTimeout(() => socket.destroy(), REFUSED_BODY_DRAIN_MS).unref();
  }
}

function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" || value === undefined ? value : value.join(", ");
}

function send(outgoing: ServerResponse, reply: RawReply): void {
  const body = reply.body === undefined ? undefined : Buffer.from(reply.body);
  const length = body === undefined ? {} : { "content-length": body.length };
  outgoing.writeHead(reply.status, { ...reply.headers, ...length });
  outgoing.end(body);
}
