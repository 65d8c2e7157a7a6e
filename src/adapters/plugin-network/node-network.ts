/** `PluginNetwork` on the sockets, TLS and resolver of Node, which Deno and Bun have too. */
import { connect } from "node:net";
import type { PluginNetwork } from "../../ports/plugin-network.ts";
import { CarriedTls } from "./carried-tls.ts";
import { Lingering } from "./lingering.ts";
import { Resolver } from "./resolver.ts";
import { StreamConnection, type StreamParts } from "./stream-connection.ts";
import { TlsOptions } from "./tls-options.ts";

export function createNodeNetwork(): PluginNetwork {
  const parts: StreamParts = { tls: new TlsOptions(), lingering: new Lingering() };
  const resolver = new Resolver();
  return {
    resolve: (host) => resolver.resolve(host),
    connect: (host, port) => new StreamConnection(connect({ host, port, allowHalfOpen: true, noDelay: true }), parts),
    createTlsEngine: (settings) => new CarriedTls(settings, parts),
  };
}
