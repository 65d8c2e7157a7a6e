/** `PluginNetwork` on the sockets, TLS and resolver of Node, which Deno and Bun have too. */
import { connect } from "node:net";
import type { PluginNetwork } from "../../ports/plugin-network.ts";
import { CarriedTls } from "./carried-tls.ts";
import { HANDSHAKES_AT_ONCE_MAX, RUN_CONTEXTS_TEXT_LENGTH_MAX } from "./limits.ts";
import { Lingering } from "./lingering.ts";
import { Resolver } from "./resolver.ts";
import { StreamConnection, type StreamParts } from "./stream-connection.ts";
import { TlsOptions } from "./tls-options.ts";
import { Turns } from "./turns.ts";

export function createNodeNetwork(): PluginNetwork {
  const tls = new TlsOptions();
  const lingering = new Lingering();
  const resolver = new Resolver();
  return {
    ofRun(owner) {
      const parts: StreamParts = { tls, lingering, preparing: { textLength: RUN_CONTEXTS_TEXT_LENGTH_MAX }, handshakes: new Turns(HANDSHAKES_AT_ONCE_MAX) };
      return {
        resolve: (host) => resolver.resolve(host, owner),
        connect: (host, port) => new StreamConnection(connect({ host, port, allowHalfOpen: true, noDelay: true }), parts),
        createTlsEngine: (settings) => new CarriedTls(settings, parts),
      };
    },
  };
}
