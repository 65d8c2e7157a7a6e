/**
 * The raw mount: write requests go from the socket into a reused buffer and to the handler, without `Request` and
 * `Response` objects, which cost a third of the CPU of an ingest (design §3).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RawReply, RawRoutes } from "../../ports/http-listener.ts";
import { BodyBufferPool, type BodyBuffer } from "./body-buffers.ts";
import { createDiscard } from "./discard.ts";
import { BODY_BYTES_IN_FLIGHT_MAX, LARGEST_BODIES_IN_FLIGHT_MIN, REFUSED_BODY_DRAIN_MS } from "./limits.ts";

export class RawMount {
  readonly #routes: RawRoutes;
  readonly #paths: ReadonlySet<string>;
  readonly #bodySizeMax: number;
  readonly #bytesMax: number;
  readonly #buffers = new BodyBufferPool();
  readonly #discard = createDiscard();
  /** Body bytes of all requests between their first byte and their answer. */
  #bytesInFlight = 0;

  constructor(routes: RawRoutes, bodySizeMax: number) {
    this.#routes = routes;
    this.#paths = new Set(routes.paths);
    this.#bodySizeMax = bodySizeMax;
    this.#bytesMax = Math.max(BODY_BYTES_IN_FLIGHT_MAX, LARGEST_BODIES_IN_FLIGHT_MIN * bodySizeMax);
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
    const buffer = this.#buffers.take(declared);
    const onData = (chunk: Uint8Array): void => {
      const refusal = this.#refusalOf(buffer, chunk, path);
      if (refusal === undefined) {
        buffer.append(chunk);
        this.#bytesInFlight += chunk.length;
        this.#discard(chunk);
        return;
      }
      detach();
      this.#free(buffer);
      this.#refuse(incoming, outgoing, refusal);
    };
    const onEnd = (): void => {
      detach();
      void this.#answer(incoming, outgoing, { path, query, buffer });
    };
    const onGone = (): void => {
      detach();
      this.#free(buffer);
    };
    const detach = (): void => {
      incoming.off("data", onData).off("end", onEnd).off("close", onGone);
    };
    // A broken upload ends in "close"; its error has nobody to be told.
    incoming.on("data", onData).on("end", onEnd).on("close", onGone).on("error", () => undefined);
  }

  #refusalOf(buffer: BodyBuffer, chunk: Uint8Array, path: string): RawReply | undefined {
    if (buffer.size + chunk.length > this.#bodySizeMax) return this.#routes.tooLarge(path);
    return this.#bytesInFlight + chunk.length > this.#bytesMax ? this.#routes.overloaded(path) : undefined;
  }

  #free(buffer: BodyBuffer): void {
    this.#bytesInFlight -= buffer.size;
    this.#buffers.giveBack(buffer);
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
    this.#free(request.buffer);
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
