// Goal: whatever a server does to a plugin's connection, the run gets Python's failure for it, stays within its limits, and
// leaves nothing open; what became of the connection is in the metrics and the log. Method: the real processing engine and
// network against hostile local servers; the script of the sandbox plays the plugin.
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createNodeNetwork } from "../../src/adapters/plugin-network/node-network.ts";
import { PROFILES } from "../../src/core/trigger/grants.ts";
import type { NetworkCalls, RunOutcome } from "../../src/ports/plugin-runtime.ts";
import { certificate, identity, type LocalServer, serveSockets, serveTls } from "../support/network.ts";
import { newDisk, openStorage, request as write } from "../support/open-storage.ts";
import { createTrigger, scriptedEngine } from "../support/processing.ts";

const servers: LocalServer[] = [];
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const TRUSTING = json({ serverName: "localhost", verify: true, checkName: true, defaultTrust: false, trust: certificate("ca") });

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** Runs `plugin` once in a trigger; resolves to what it returned or refused, and what is known of it afterwards. */
async function run(serving: Promise<LocalServer>, plugin: (network: NetworkCalls, port: number) => Promise<unknown>, limits: Readonly<Record<string, number>> = {}) {
  const server = await serving;
  servers.push(server);
  const opened = await openStorage(newDisk());
  await opened.storage.write(write("m f=1 1"));
  let result: unknown;
  const script = async (_invocation: unknown, host: { readonly network: NetworkCalls }): Promise<RunOutcome> => {
    result = await plugin(host.network, server.port).catch((error: Error) => `${"kind" in error ? String(error.kind) : "?"}: ${error.message}`);
    return { kind: "done", writes: [], response: { status: 200, headers: [], body: new Uint8Array() } };
  };
  const access = { grants: { ...PROFILES.strict, net: [`127.0.0.1:${server.port}`] }, environment: () => undefined, isSelf: () => false, isClosed: () => false, systemMetrics: () => "{}" };
  const { engine, logs } = scriptedEngine(opened, script, { network: createNodeNetwork(), access, logsConnections: true });
  await createTrigger(engine, "t", "request:t", { limits });
  await engine.request({ path: "t", query: [], headers: [], body: new Uint8Array() });
  const rows = logs.rows().map(({ level, text }) => `${level} ${text}`);
  return { result, counters: engine.statistics()[0]?.counters, rows };
}

async function open(network: NetworkCalls, port: number): Promise<number> {
  const connection = network.open("127.0.0.1", port);
  await network.send(connection, new TextEncoder().encode("GET"), undefined);
  return connection;
}

async function readAll(network: NetworkCalls, connection: number): Promise<string> {
  let text = "";
  for (;;) {
    const bytes = await network.receive(connection, 65_536, undefined);
    if (bytes === undefined || bytes.length === 0) return text;
    text += Buffer.from(bytes).toString();
  }
}

const closed = (socket: Socket | undefined): Promise<void> => new Promise((resolve) => (socket === undefined || socket.closed ? resolve() : void socket.once("close", () => resolve())));

describe("a plugin's connection", () => {
  it("is counted, logged at level debug, and ends with the run that forgot it", async () => {
    let peer: Socket | undefined;
    const { result, counters, rows } = await run(
      serveSockets((socket) => (peer = socket).on("data", () => socket.write("answer")).on("end", () => socket.end())),
      async (network, port) => Buffer.from((await network.receive(await open(network, port), 100, undefined)) ?? []).toString(),
    );
    expect(result).toBe("answer");
    await closed(peer);
    expect(counters).toMatchObject({ connections: 1, networkBytesSent: 3, networkBytesReceived: 6 });
    expect(rows.filter((row) => row.startsWith("DEBUG"))).toEqual([expect.stringMatching(/^DEBUG connection to 127\.0\.0\.1:\d+: 3 bytes sent, 6 received in \d+ ms$/)]);
  });

  it("to nowhere else is denied, counted and told", async () => {
    const { result, counters, rows } = await run(serveSockets(() => undefined), async (network, port) => network.open("127.0.0.1", port === 65_535 ? 1 : port + 1));
    expect(result).toMatch(/^denied: the network address 127\.0\.0\.1:\d+ is not granted to this trigger/);
    expect([counters?.denied, counters?.connections]).toEqual([{ net: 1 }, 0]);
    expect(rows.some((row) => row.startsWith("WARN denied: the network address"))).toBe(true);
  });

  it("that is reset in the middle gives what came, then the failure", async () => {
    const { result, rows } = await run(
      serveSockets((socket) => socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", () => socket.once("data", () => socket.resetAndDestroy())))),
      async (network, port) => {
        const connection = await open(network, port);
        const first = Buffer.from((await network.receive(connection, 1_000, undefined)) ?? []).toString();
        expect(first.endsWith("half")).toBe(true);
        await network.send(connection, json("more"), undefined);
        return readAll(network, connection);
      },
    );
    expect(result).toBe("network-error: ECONNRESET Connection reset by peer");
    expect(rows.some((row) => row.endsWith("; it failed: ECONNRESET Connection reset by peer"))).toBe(true);
  });

  it("to a server that never answers is given up without waiting, and nothing stays", async () => {
    let peer: Socket | undefined;
    const { result } = await run(serveSockets((socket) => (peer = socket).on("end", () => socket.end()).resume()), async (network, port) => {
      const connection = await open(network, port);
      return [await network.receive(connection, 10, 0), await network.wait(new Uint8Array(Uint32Array.of(connection, 1).buffer), 0)];
    });
    expect(result).toEqual([undefined, Uint8Array.of(0)]);
    await closed(peer);
  });

  it("to a server that has ended its direction can still be sent to", async () => {
    const { result } = await run(
      serveSockets((socket) => socket.once("data", () => socket.end("bye")).resume()),
      async (network, port) => {
        const connection = await open(network, port);
        const text = await readAll(network, connection);
        const sent = await network.send(connection, new TextEncoder().encode("late"), undefined);
        network.close(connection, "write");
        return [text, sent];
      },
    );
    expect(result).toEqual(["bye", 4]);
  });

  it("of a server that floods is not read beyond the run's limit, nor held beyond the buffers", async () => {
    let peer: Socket | undefined;
    const flood = (socket: Socket): void => {
      peer = socket;
      const more = (): void => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536, "x")));
      };
      socket.on("drain", more).once("data", more);
    };
    const { result, counters, rows } = await run(serveSockets(flood), async (network, port) => readAll(network, await open(network, port)), { network_bytes: 1_000_000 });
    expect(result).toBe("limit: one run sends and receives at most 1000000 bytes over the network");
    await closed(peer);
    expect(counters?.limitsMet).toEqual({ network_bytes: 1 });
    expect(counters?.networkBytesReceived).toBeLessThanOrEqual(1_000_001);
    expect(rows.filter((row) => row.startsWith("WARN limit met"))).toHaveLength(1);
  });

  it("that drips single bytes is read to its end", async () => {
    const { result } = await run(
      serveSockets((socket) => {
        let left = 300;
        const drip = (): void => void (left-- > 0 ? socket.write("x", () => setImmediate(drip)) : socket.end());
        socket.setNoDelay(true).once("data", drip);
      }),
      async (network, port) => (await readAll(network, await open(network, port))).length,
    );
    expect(result).toBe(300);
  });
});

describe("a plugin's TLS", () => {
  const agree = async (network: NetworkCalls, port: number): Promise<number> => {
    const connection = network.open("127.0.0.1", port);
    await network.wait(new Uint8Array(Uint32Array.of(connection, 2).buffer), undefined);
    network.startTls(connection, TRUSTING);
    await network.send(connection, new TextEncoder().encode("GET"), undefined);
    return connection;
  };

  it("carries a large answer", async () => {
    const { result, counters } = await run(serveTls(identity("server"), (socket) => socket.once("data", () => socket.end(Buffer.alloc(2_000_000, "x")))), async (network, port) => (await readAll(network, await agree(network, port))).length);
    expect([result, counters?.networkBytesReceived]).toEqual([2_000_000, 2_000_000]);
  });

  it("that is not trusted sends nothing", async () => {
    const seen: unknown[] = [];
    const { result } = await run(serveTls(identity("self-signed"), (socket) => socket.on("data", (bytes) => void seen.push(bytes))), agree);
    expect(result).toBe("network-error: CERTIFICATE_VERIFY_FAILED certificate verify failed: self-signed certificate");
    expect(seen).toEqual([]);
  });

  it("that turns into garbage fails, after what came before it", async () => {
    let isGood = false;
    const behind = await serveTls(identity("server"), (socket) => socket.once("data", () => ((isGood = true), socket.write("good"))));
    servers.push(behind);
    const between = serveSockets((socket) => {
      const upstream = connect(behind.port, "127.0.0.1").on("error", () => undefined);
      socket.pipe(upstream).on("data", (bytes) => void socket.write(isGood ? Buffer.concat([bytes, Buffer.alloc(100, 0x55)]) : bytes));
    });
    const { result } = await run(between, async (network, port) => {
      const connection = await agree(network, port);
      const first = Buffer.from((await network.receive(connection, 4, undefined)) ?? []).toString();
      return [first, await readAll(network, connection).catch((error: Error) => error.message)];
    });
    expect(result).toEqual(["good", expect.stringMatching(/^SSL_ERROR \[SSL: [A-Z_]+\] /)]);
  });
});
