/** Picks the HTTP server of the runtime we are on; nothing outside this folder asks which one that is. */
import { listenOnBun } from "../adapters/http-bun/server.ts";
import { listenOnDeno } from "../adapters/http-deno/server.ts";
import { listenOnNode, type NodeFetch } from "../adapters/http-node/server.ts";
import { loadUws } from "../adapters/http-node/uws-module.ts";
import { listenOnUws } from "../adapters/http-node/uws-server.ts";
import type { HttpListener, ListenOptions, RawRoutes } from "../ports/http-listener.ts";
import type { LogSink } from "../ports/log-sink.ts";

export const RUNTIME: "node" | "deno" | "bun" = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

type AnyListenOptions = ListenOptions<NodeFetch> & { readonly raw?: RawRoutes };

export function listen(options: AnyListenOptions): Promise<HttpListener> {
  if (RUNTIME === "deno") return listenOnDeno(options);
  return RUNTIME === "bun" ? listenOnBun(options) : listenOnNode(options);
}

/** On uWebSockets.js; where that cannot be, on the runtime's own server, with one line that says why. */
export async function listenOnUwsOrOwn(options: AnyListenOptions, log: LogSink): Promise<HttpListener> {
  const uws = RUNTIME !== "node" ? `it runs on Node only, and this is ${RUNTIME}` : options.tls !== undefined ? "it is used for plain HTTP only" : await loadUws();
  if (typeof uws !== "string") return listenOnUws(uws, options);
  log.log("warn", `uWebSockets.js cannot be used: ${uws}; the runtime's own HTTP server is used instead`);
  return listen(options);
}
