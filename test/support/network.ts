/** Local servers and helpers for tests of the plugins' network. */
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from "node:tls";
import type { Connection, NetworkError, TlsSettings } from "../../src/ports/plugin-network.ts";

export const certificate = (name: string): string => readFileSync(new URL(`../fixtures/tls/network/${name}.pem`, import.meta.url), "utf8");
export const identity = (name: string): { cert: string; key: string } => ({ cert: certificate(name), key: certificate(`${name}.key`) });

export const TRUSTING: TlsSettings = { serverName: "localhost", verify: true, checkName: true, defaultTrust: false, trust: certificate("ca") };

export interface LocalServer {
  readonly port: number;
  close(): Promise<void>;
}

/** What happens to the sockets' errors is the test's affair only where it says so. */
export function serveSockets(handle: (socket: Socket) => void): Promise<LocalServer> {
  return listening(createServer({ allowHalfOpen: true }, (socket) => handle(socket.on("error", () => undefined))));
}

export function serveTls(options: TlsOptions, handle: (socket: TLSSocket) => void): Promise<LocalServer> {
  const server = createTlsServer({ allowHalfOpen: true, ...options } as TlsOptions, (socket) => handle(socket.on("error", () => undefined)));
  return listening(server.on("tlsClientError", () => undefined));
}

export async function listening(server: Server): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Resolves to what `look` gives as soon as it gives something after a change of the connection. */
export function until<T>(connection: Connection, look: () => T | undefined | false): Promise<T> {
  return new Promise((resolve, reject) => {
    const again = (): void => {
      try {
        const found = look();
        if (found === undefined || found === false) return;
        connection.onChange(undefined);
        resolve(found);
      } catch (error) {
        connection.onChange(undefined);
        reject(error as Error);
      }
    };
    connection.onChange(again);
    again();
  });
}

export const writable = (connection: Connection): Promise<true> => until(connection, () => connection.state().writable);
export const failure = (connection: Connection): Promise<NetworkError> => until(connection, () => connection.state().error);

/** Everything up to the peer's end, or as much as was asked for. */
export async function receiveAll(connection: Connection, bytesMax = Number.POSITIVE_INFINITY): Promise<string> {
  const parts: Uint8Array[] = [];
  for (let size = 0; size < bytesMax; ) {
    const bytes = await until(connection, () => connection.receive(65_536));
    if (bytes.length === 0) break;
    parts.push(bytes);
    size += bytes.length;
  }
  return Buffer.concat(parts).toString();
}

export interface Hook extends LocalServer {
  readonly calls: readonly { readonly method: string; readonly authorization: string | undefined; readonly body: unknown }[];
}

/** A webhook that notes what is posted to it and answers with `status`. */
export async function serveHook(status = 200): Promise<Hook> {
  const calls: Hook["calls"][number][] = [];
  const server = createHttpServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => {
      calls.push({ method: message.method ?? "", authorization: message.headers.authorization, body: JSON.parse(Buffer.concat(chunks).toString()) });
      response.writeHead(status).end();
    });
  });
  return { ...(await listening(server)), calls };
}
