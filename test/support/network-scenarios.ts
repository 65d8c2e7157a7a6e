/** What plugins' connections do, as one line for each case: run on every runtime, which must all say the same. */
import { fileURLToPath } from "node:url";
import { connect } from "node:net";
import { createNodeNetwork } from "../../src/adapters/plugin-network/node-network.ts";
import { listen } from "../../src/platform/listen.ts";
import type { TlsIdentity } from "../../src/ports/http-listener.ts";
import { NetworkError, type Connection, type TlsSettings } from "../../src/ports/plugin-network.ts";
import { certificate, failure, identity, type LocalServer, receiveAll, serveSockets, serveTls, TRUSTING, until, writable } from "./network.ts";

const network = createNodeNetwork().ofRun("t");
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function open(serving: Promise<LocalServer>, settings?: TlsSettings): Promise<Connection> {
  const server = await serving;
  const connection = network.connect("127.0.0.1", server.port);
  await writable(connection);
  if (settings !== undefined) connection.startTls(settings);
  return connection;
}

const echo = (name: string, more: object = {}): Promise<LocalServer> => serveTls({ ...identity(name), ...more }, (socket) => socket.pipe(socket));

/** Both ends' agreement, or what went wrong. */
async function agreed(serving: Promise<LocalServer>, settings: TlsSettings): Promise<string> {
  const connection = await open(serving, settings);
  await writable(connection);
  const { error } = connection.state();
  if (error !== undefined) return `${error.code} ${error.message}`;
  const { tls } = connection.describe();
  connection.send(text("secret"));
  connection.end();
  const subject = JSON.stringify(tls?.peer?.["subjectAltName"] ?? null).slice(0, 21);
  return `${tls?.version} ${tls?.cipher.bits} ${tls?.alpn} ${subject} ${(tls?.peerDer ?? "").length > 100} ${await receiveAll(connection)}`;
}

async function carried(): Promise<string> {
  const server = await echo("server");
  const socket = connect({ port: server.port, host: "127.0.0.1" });
  const arrived: Uint8Array[] = [];
  let told: (() => void) | undefined;
  socket.on("data", (bytes) => (arrived.push(bytes), told?.()));
  const engine = network.createTlsEngine(TRUSTING);
  const carry = async (isDone: () => boolean): Promise<void> => {
    for (;;) {
      await engine.settled();
      socket.write(engine.drain());
      if (isDone()) return;
      while (arrived.length === 0) await new Promise<void>((resolve) => (told = resolve));
      await engine.feed(arrived.shift() as Uint8Array);
    }
  };
  await carry(() => engine.state().writable);
  engine.send(text("carried"));
  await carry(() => engine.state().readable);
  return Buffer.from(engine.receive(100) ?? []).toString();
}

/** Whether this server sees the end that a connection knows as its own before it is writable. */
async function isPeerKnown(tls: TlsIdentity | undefined): Promise<string> {
  const listener = await listen({ host: "127.0.0.1", port: 0, bodySizeMax: 100, fetch: (_request, peer) => new Response(String(peer()?.[1])), ...(tls === undefined ? {} : { tls }) });
  const connection = network.connect("127.0.0.1", listener.port);
  await until(connection, () => connection.describe().local);
  if (tls !== undefined) connection.startTls(TRUSTING);
  await writable(connection);
  connection.send(text("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
  const [, body] = (await receiveAll(connection)).split("\r\n\r\n");
  await listener.close();
  return String(body?.includes(String(connection.describe().local?.[1])));
}

const CASES: Readonly<Record<string, () => Promise<string>>> = {
  "half-close": async () => {
    const connection = await open(serveSockets((socket) => {
      let seen = "";
      socket.on("data", (bytes) => (seen += String(bytes))).on("end", () => socket.end(`saw ${seen}`));
    }));
    connection.send(text("hello"));
    connection.end();
    return receiveAll(connection);
  },
  large: async () => String((await receiveAll(await open(serveSockets((socket) => socket.end(Buffer.alloc(3_000_000, "x")))))).length),
  lingering: async () => {
    let size = 0;
    let tell = (): void => undefined;
    const ended = new Promise<void>((resolve) => (tell = resolve));
    const connection = await open(serveSockets((socket) => socket.on("data", (bytes) => (size += bytes.length)).on("end", () => tell())));
    const sent = connection.send(new Uint8Array(200_000));
    connection.close();
    await ended;
    return String(size === sent);
  },
  refused: async () => {
    const gone = await serveSockets(() => undefined);
    await gone.close();
    return (await failure(network.connect("127.0.0.1", gone.port))).code;
  },
  reset: async () => {
    const connection = await open(serveSockets((socket) => socket.on("data", () => socket.resetAndDestroy())));
    connection.send(text("x"));
    return (await failure(connection)).code;
  },
  localhost: async () => String((await network.resolve("localhost")).includes("127.0.0.1")),
  "unknown name": async () => network.resolve("no-such-name.invalid").then(String, (error: unknown) => (error instanceof NetworkError ? error.code : "?")),
  tls: () => agreed(echo("server"), TRUSTING),
  "tls 1.2, an address": () => agreed(echo("server"), { ...TRUSTING, serverName: "127.0.0.1", versionMax: "TLSv1.2" }),
  alpn: () => agreed(echo("server", { ALPNProtocols: ["http/1.1"] }), { ...TRUSTING, alpn: ["h2", "http/1.1"] }),
  "two authorities": () => agreed(echo("server"), { ...TRUSTING, trust: `${certificate("self-signed")}${certificate("ca")}` }),
  "and the runtime's": () => agreed(echo("server"), { ...TRUSTING, defaultTrust: true }),
  "client certificate": async () => {
    const { cert, key } = identity("client");
    const server = serveTls({ ...identity("server"), ca: certificate("ca"), requestCert: true, rejectUnauthorized: true }, (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)));
    return receiveAll(await open(server, { ...TRUSTING, certificate: cert, key }));
  },
  unverified: () => agreed(echo("expired"), { ...TRUSTING, verify: false, checkName: false }),
  "unknown authority": () => agreed(echo("server"), { ...TRUSTING, trust: certificate("self-signed") }),
  "no authority": () => agreed(echo("server"), { ...TRUSTING, trust: undefined }),
  "self-signed": () => agreed(echo("self-signed"), TRUSTING),
  expired: () => agreed(echo("expired"), TRUSTING),
  "wrong name": () => agreed(echo("wrong-name"), TRUSTING),
  "wrong name, unchecked": () => agreed(echo("wrong-name"), { ...TRUSTING, checkName: false }),
  "not tls": () => agreed(serveSockets((socket) => socket.on("data", () => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"))), TRUSTING),
  "too old": () => agreed(echo("server", { maxVersion: "TLSv1.2" }), { ...TRUSTING, versionMin: "TLSv1.3" }),
  "cut handshake": () => agreed(serveSockets((socket) => socket.on("data", () => socket.end())), TRUSTING),
  carried,
  "peer of HTTP": () => isPeerKnown(undefined),
  "peer of HTTPS": () => isPeerKnown({ ...identity("server"), minimumVersion: "tls-1.2" }),
};

export async function runScenarios(): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  for (const [name, run] of Object.entries(CASES)) answers[name] = await run();
  return answers;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(await runScenarios()), () => process.exit(0));
}
