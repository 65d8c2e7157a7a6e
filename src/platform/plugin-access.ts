/** What plugins may be granted of this process and this machine. */
import { isIP } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { readSystemMetrics } from "../adapters/system/system-metrics.ts";
import { isLoopback } from "../core/config/bind-address.ts";
import type { ServeConfig } from "../core/config/serve-config.ts";
import type { PluginAccess } from "../engine/processing/services.ts";

export interface ServerAccess extends PluginAccess {
  /** To be called once the server listens: until then no address is its own. */
  listensAt(address: { readonly host: string; readonly port: number }): void;
}

export function pluginAccess(config: ServeConfig, io: { env(name: string): string | undefined }): ServerAccess {
  let own: { readonly host: string; readonly port: number } | undefined;
  return {
    grants: config.pluginGrants,
    environment: (name) => io.env(name),
    isSelf: (host, port) => own !== undefined && isAt(own, host, port),
    isClosed: (address, port) => config.tokenRecoveryBind !== undefined && isAt(config.tokenRecoveryBind, address, port),
    systemMetrics: (group) => readSystemMetrics(group, config.objectStore.kind === "file" ? config.objectStore.dataDir : tmpdir()),
    listensAt: (address) => void (own = address),
  };
}

/** Whether a connection to `host` and `port` arrives at a listener. A listener under a name may be at any address of this machine. */
function isAt(listener: { readonly host: string; readonly port: number }, host: string, port: number): boolean {
  if (port !== listener.port) return false;
  if (host === listener.host) return true;
  if (isLoopback(listener.host)) return isLoopback(host) || isAny(host);
  return (isAny(listener.host) || isIP(listener.host) === 0) && isOfThisMachine(host);
}

/** Interfaces come and go: they are looked at each time, which the port makes rare. */
function isOfThisMachine(host: string): boolean {
  // The system takes the address of no place for the one of this machine.
  if (isLoopback(host) || isAny(host)) return true;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host));
}

const isAny = (host: string): boolean => host === "0.0.0.0" || host === "::";
