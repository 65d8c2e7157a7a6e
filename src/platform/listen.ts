/** Picks the HTTP server of the runtime we are on; nothing outside this folder asks which one that is. */
import { listenOnBun } from "../adapters/http-bun/server.ts";
import { listenOnDeno } from "../adapters/http-deno/server.ts";
import { listenOnNode, type NodeFetch } from "../adapters/http-node/server.ts";
import type { HttpListener, ListenOptions, RawRoutes } from "../ports/http-listener.ts";

export const RUNTIME: "node" | "deno" | "bun" = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

export function listen(options: ListenOptions<NodeFetch> & { readonly raw?: RawRoutes }): Promise<HttpListener> {
  if (RUNTIME === "deno") return listenOnDeno(options);
  return RUNTIME === "bun" ? listenOnBun(options) : listenOnNode(options);
}
