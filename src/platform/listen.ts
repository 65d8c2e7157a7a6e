/** Picks the HTTP server of the runtime we are on; nothing else in the program asks which one that is. */
import { listenOnBun } from "../adapters/http-bun/server.ts";
import { listenOnDeno } from "../adapters/http-deno/server.ts";
import { listenOnNode, type NodeFetch } from "../adapters/http-node/server.ts";
import type { HttpListener, ListenOptions, RawRoutes } from "../ports/http-listener.ts";

export function listen(options: ListenOptions<NodeFetch> & { readonly raw: RawRoutes }): Promise<HttpListener> {
  if ("Deno" in globalThis) return listenOnDeno(options);
  if ("Bun" in globalThis) return listenOnBun(options);
  return listenOnNode(options);
}
