/**
 * The same cases over sockets: the HTTP server of the runtime we are on (or uWebSockets.js), wired as the composition root wires
 * it. One server for each configuration of the server itself; every case has services of its own behind it.
 */
import { loadUws } from "../../../src/adapters/http-node/uws-module.ts";
import { listenOnUws } from "../../../src/adapters/http-node/uws-server.ts";
import { createApp } from "../../../src/http/app.ts";
import { createRawWriteRoutes } from "../../../src/http/write-handler.ts";
import { listen } from "../../../src/platform/listen.ts";
import type { HttpListener, RawRoutes } from "../../../src/ports/http-listener.ts";
import { HttpClient, type Asked } from "../../support/http-client.ts";
import type { FakeWorld } from "./fake-services.ts";
import { words, type Transport } from "./transport.ts";

export interface OverHttp {
  readonly server: "own" | "uws";
  /** With the raw mount writes go through it where the server has one, without it through the app. */
  readonly mount: "raw" | "app";
}

let server: OverHttp["server"] = "own";
/** Which server the files take that are about sockets, and so never run in the app. */
export const chosenServer = (): OverHttp["server"] => server;
export const chooseServer = (chosen: OverHttp["server"]): void => void (server = chosen);

interface Serving {
  readonly client: HttpClient;
  readonly listener: HttpListener;
  /** Whose services answer. */
  world: FakeWorld;
}

/** A server's own business: how the bytes are framed and when, and the mark that uWebSockets.js cannot be kept from setting. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set(["connection", "content-length", "date", "keep-alive", "transfer-encoding", "uwebsockets"]);
/** Tokens and their hashes. */
const ONE_OF_A_KIND = /apiv3_[A-Za-z0-9_-]{86}|[0-9a-f]{128}/g;

export class HttpTransport implements Transport {
  readonly #options: OverHttp;
  /** By the largest body that the server takes. */
  readonly #serving = new Map<number, Promise<Serving>>();
  /** What was asked and what came back, header by header, so that servers can be compared beyond what the cases look at. */
  readonly transcript: string[] = [];

  constructor(options: OverHttp) {
    this.#options = options;
  }

  async ask(world: FakeWorld, line: string, init: RequestInit): Promise<{ status: number; text: string; headers: Headers }> {
    const { client } = await this.#serve(world);
    const { status, headers, body } = await client.ask(asked(line, init));
    const text = new TextDecoder().decode(body);
    const lines = [...headers].filter(([name]) => !OF_THE_CONNECTION.has(name)).map(([name, value]) => `${name}: ${value}`).sort();
    this.transcript.push([`${line} ${status}`, ...lines, text].join("\n").replaceAll(ONE_OF_A_KIND, "…"));
    return { status, headers, text };
  }

  async hangUp(world: FakeWorld, line: string): Promise<number> {
    const { client } = await this.#serve(world);
    return client.hangUp(asked(line, {}));
  }

  /** Where the world is served, for what only bare bytes can say. */
  async port(world: FakeWorld): Promise<number> {
    return (await this.#serve(world)).listener.port;
  }

  async close(): Promise<void> {
    for (const serving of this.#serving.values()) {
      const { client, listener } = await serving;
      client.close();
      await listener.close();
    }
    this.#serving.clear();
  }

  async #serve(world: FakeWorld): Promise<Serving> {
    const { bodySizeMax } = world.options;
    const serving = this.#serving.get(bodySizeMax) ?? this.#start(world);
    this.#serving.set(bodySizeMax, serving);
    const started = await serving;
    started.world = world;
    return started;
  }

  async #start(first: FakeWorld): Promise<Serving> {
    const current = (): FakeWorld => serving.world;
    const routes = (): RawRoutes => createRawWriteRoutes(current().services, current().options);
    const raw: RawRoutes = {
      paths: createRawWriteRoutes(first.services, first.options).paths,
      handle: (request) => routes().handle(request),
      tooLarge: (path) => routes().tooLarge(path),
      overloaded: (path) => routes().overloaded(path),
    };
    const options = {
      host: "127.0.0.1",
      port: 0,
      bodySizeMax: first.options.bodySizeMax,
      fetch: (request: Request) => createApp(current().services, current().options).fetch(request),
      ...(this.#options.mount === "raw" ? { raw } : {}),
    };
    const listener = this.#options.server === "uws" ? await onUws(options) : await listen(options);
    const serving: Serving = { client: new HttpClient(listener.port), listener, world: first };
    return serving;
  }
}

async function onUws(options: Parameters<typeof listenOnUws>[1]): Promise<HttpListener> {
  const uws = await loadUws();
  if (typeof uws === "string") throw new Error(uws);
  return listenOnUws(uws, options);
}

/** What `fetch` makes of its arguments, except that every header may be set. */
function asked(line: string, init: RequestInit): Asked {
  const [method, target] = words(line);
  const headers = new Headers(init.headers);
  const { body } = init;
  if (typeof body === "string" && !headers.has("content-type")) headers.set("content-type", "text/plain;charset=UTF-8");
  return { method, target, headers, body: typeof body === "string" ? new TextEncoder().encode(body) : (body as Uint8Array | undefined) };
}
