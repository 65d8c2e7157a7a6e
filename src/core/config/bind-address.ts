/** Listen addresses: `host:port`, `[::1]:8181`, `localhost:0` (spec: cli §3.1). */
import { DatabaseError, messageOf } from "../errors/database-error.ts";

export interface BindAddress {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Undefined when the text is no address. */
export function parseBindAddress(text: string): BindAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** True when only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

export function formatBindAddress({ host, port }: BindAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Why a server cannot listen on the address, from what its runtime said. */
export function bindError(address: BindAddress, error: unknown, isInUse: boolean): DatabaseError {
  const shown = formatBindAddress(address);
  if (isInUse) {
    return new DatabaseError("server.address_in_use", {
      message: `Failed to bind address "${shown}": another program listens there`,
      hint: `stop that program, or choose another port: --http-bind ${formatBindAddress({ ...address, port: address.port + 1 })}`,
      cause: error,
    });
  }
  return new DatabaseError("server.misconfigured", {
    message: `Failed to bind address "${shown}": ${messageOf(error)}`,
    hint: "check --http-bind: the address must belong to this machine, and ports below 1024 need rights",
    cause: error,
  });
}
