// Goal: a run reaches what it was granted and nothing else, within its limits, waits without leaving anything behind, and
// leaves no connection open. Method: a scripted network, the real grants and meter, a clock that the test moves.
import { beforeEach, describe, expect, it } from "vitest";
import { parseGrants, PROFILES, type GrantName } from "../../core/trigger/grants.ts";
import { NetworkError, type Connection, type ConnectionState, type TlsEngine, type TlsSettings } from "../../ports/plugin-network.ts";
import { HostCallError, NET_READY } from "../../ports/plugin-runtime.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { CONNECTION_LINGER_MS, CONNECTION_NUMBER_MAX, CONNECTIONS_OPEN_MAX, PROCESSING_LIMITS, type ProcessingLimits } from "./limits.ts";
import { OpenConnections, type SocketAddress } from "./open-connections.ts";
import { RunAccess } from "./run-access.ts";
import { RunMeter } from "./run-limits.ts";
import { type ConnectionRecord, RunNetwork } from "./run-network.ts";
import type { Run } from "./runs.ts";
import { connectionText } from "./trigger-network.ts";

class FakeConnection implements TlsEngine {
  listener: (() => void) | undefined;
  now: ConnectionState = { readable: false, writable: false, error: undefined };
  local: SocketAddress | undefined;
  readonly incoming: Uint8Array[] = [];
  readonly sent: string[] = [];
  room = 1_000_000;
  settings: TlsSettings | undefined;
  fed = "";
  isClosed = false;
  hasEnded = false;

  state = (): ConnectionState => this.now;
  onChange = (listener: (() => void) | undefined): void => void (this.listener = listener);
  startTls = (settings: TlsSettings): void => void (this.settings = settings);
  send = (bytes: Uint8Array): number => {
    if (this.now.error !== undefined) throw this.now.error;
    const taken = bytes.subarray(0, this.room);
    if (taken.length > 0) this.sent.push(Buffer.from(taken).toString());
    return taken.length;
  };
  receive = (bytesMax: number): Uint8Array | undefined => {
    const first = this.incoming.shift();
    if (first !== undefined && first.length > bytesMax) this.incoming.unshift(first.subarray(bytesMax));
    if (first === undefined && this.now.error !== undefined) throw this.now.error;
    return first?.subarray(0, bytesMax);
  };
  end = (): void => void (this.hasEnded = true);
  describe = () => ({ local: this.local, remote: undefined, tls: undefined });
  close = (): void => void (this.isClosed = true);
  feed = async (bytes: Uint8Array): Promise<void> => void (this.fed += Buffer.from(bytes).toString());
  drain = (): Uint8Array => new Uint8Array([1, 2]);
  settled = async (): Promise<void> => undefined;

  change(state: Partial<ConnectionState>): void {
    this.now = { ...this.now, ...state };
    this.listener?.();
  }
}

const names: Record<string, readonly string[]> = {
  "example.org": ["93.184.215.14", "2606:2800::1"], "evil.example": ["10.0.0.1", "169.254.169.254"], localhost: ["::1", "127.0.0.1"], "mixed.example": ["10.0.0.1", "93.184.215.14"],
};
const RUN = { id: "r" } as Run;

let connections: OpenConnections;
let made: FakeConnection[];
let connectedTo: string[];
let denied: [GrantName, string][];
let met: string[];
let records: ConnectionRecord[];
let looked: string[];
let clock: VirtualClock;

function open(grants: string, limits: Partial<ProcessingLimits> = {}): RunNetwork {
  const make = (): FakeConnection => made[made.push(new FakeConnection()) - 1] as FakeConnection;
  const isSelf = (host: string, port: number): boolean => port === 8181 && ["127.0.0.1", "localhost"].includes(host);
  const access = new RunAccess({
    grants: { ...PROFILES.strict, ...parseGrants([["net", grants]]) },
    access: { grants: PROFILES.strict, environment: () => undefined, isSelf, isClosed: () => false, systemMetrics: () => "" },
    database: "db",
    onDenied: (grant, text) => denied.push([grant, text]),
  });
  return new RunNetwork({
    network: {
      resolve: async (host) => {
        looked.push(host);
        const found = names[host];
        if (found === undefined) throw new NetworkError("EAI_NONAME", "Name or service not known");
        return found;
      },
      connect: (address, port): Connection => (connectedTo.push(`${address} ${port}`), make()),
      createTlsEngine: (settings) => Object.assign(make(), { settings }),
    },
    clock, access,
    meter: new RunMeter({ ...PROCESSING_LIMITS, ...limits }, (text) => met.push(text)),
    begin: () => connections.begin(),
    end: (number) => connections.end(number),
    onConnected: (local) => connections.connected(local, RUN),
    onClosed: (record) => records.push(record),
  });
}

beforeEach(() => {
  [made, connectedTo, denied, met, records, looked, clock] = [[], [], [], [], [], [], new VirtualClock()];
  connections = new OpenConnections(clock);
});

const json = async (bytes: Uint8Array | Promise<Uint8Array>): Promise<unknown> => JSON.parse(Buffer.from(await bytes).toString());
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const refused = (kind: string, message: string | RegExp = ""): unknown => expect.objectContaining({ name: "HostCallError", kind, message: typeof message === "string" ? expect.stringContaining(message) : expect.stringMatching(message) });
const interests = (...pairs: readonly (readonly [number, number])[]): Uint8Array => new Uint8Array(Uint32Array.from(pairs.flat()).buffer);

describe("grants", () => {
  it("nothing is looked up or connected to without one", async () => {
    const network = open("none");
    await expect(network.resolve("example.org", 443)).rejects.toEqual(refused("denied", "--allow-net example.org:443 on"));
    expect(() => network.open("93.184.215.14", 443)).toThrow(HostCallError);
    expect([looked, connectedTo, denied.length]).toEqual([[], [], 2]);
  });

  it("of the names that led to an address the last ones count, so that looking them up costs little", async () => {
    const network = open("*.example.org:443");
    const many = Array.from({ length: 20 }, (_, index) => `n${index}.example.org`);
    for (const name of many) {
      names[name] = ["93.184.215.14"];
      await network.resolve(name, 443);
    }
    network.open("93.184.215.14", 443);
    expect(() => network.open("93.184.215.14", 444)).toThrow(refused("denied", "n19.example.org:444") as Error);
    network.end();
    expect(records.map(({ host }) => host)).toEqual(["n12.example.org"]);
  });

  it("a name opens the addresses that it has led to in this run, at its port", async () => {
    const network = open("example.org:443");
    expect(() => network.open("93.184.215.14", 443)).toThrow(refused("denied") as Error);
    expect(await json(network.resolve("EXAMPLE.org.", 443))).toEqual(names["example.org"]);
    expect(looked).toEqual(["example.org"]);
    network.open("93.184.215.14", 443);
    network.open("2606:2800:0:0::1", 443);
    expect(connectedTo).toEqual(["93.184.215.14 443", "2606:2800::1 443"]);
    expect(() => network.open("93.184.215.14", 80)).toThrow(refused("denied", "example.org:80") as Error);
    expect(() => network.open("93.184.215.15", 443)).toThrow(refused("denied") as Error);
    expect(() => open("example.org:443").open("93.184.215.14", 443)).toThrow(refused("denied") as Error);
  });

  it("port 0 asks for any port of the host", async () => {
    expect(await json(open("example.org:443").resolve("example.org", 0))).toEqual(names["example.org"]);
  });

  it("a public name does not lead into private networks or to metadata services", async () => {
    await expect(open("evil.example").resolve("evil.example", 80)).rejects.toEqual(refused("denied", "evil.example:80 leads to 10.0.0.1:80"));
    expect(await json(open("mixed.example").resolve("mixed.example", 80))).toEqual(["93.184.215.14"]);
    const network = open("*");
    expect(await json(network.resolve("evil.example", 80))).toEqual(["10.0.0.1"]);
    expect(() => network.open("169.254.169.254", 80)).toThrow(refused("denied", "metadata") as Error);
    expect(() => network.open("0xa9fea9fe", 80)).toThrow(refused("denied", "metadata") as Error);
    open("169.254.169.254:80").open("169.254.169.254", 80);
    expect(connectedTo).toEqual(["169.254.169.254 80"]);
  });

  it("self is this server only", async () => {
    const network = open("self");
    expect(await json(network.resolve("localhost", 8181))).toEqual(["127.0.0.1"]);
    network.open("127.0.0.1", 8181);
    expect(() => network.open("127.0.0.1", 8182)).toThrow(refused("denied") as Error);
  });

  it("only addresses are connected to", () => {
    expect(() => open("*").open("example.org", 80)).toThrow(refused("network-error", "EINVAL ") as Error);
  });

  it("a failing lookup has Python's name", async () => {
    await expect(open("*").resolve("nowhere.example", 80)).rejects.toEqual(refused("network-error", /^EAI_NONAME Name or service not known$/));
  });
});

describe("limits", () => {
  it("of connections count all of the run", () => {
    const network = open("*", { runConnectionsMax: 2 });
    network.close(network.open("1.1.1.1", 1), "all");
    network.openTls(bytes('{"verify":true,"checkName":true,"defaultTrust":true}'));
    expect(() => network.open("1.1.1.1", 1)).toThrow(refused("limit", "at most 2 connections") as Error);
    expect(() => network.open("1.1.1.1", 1)).toThrow(HostCallError);
    expect(met).toEqual(["one run opens at most 2 connections"]);
  });

  it("of connections at the same time hold whatever the trigger's own limit is", () => {
    const network = open("*", { runConnectionsMax: 1_000 });
    const numbers = Array.from({ length: CONNECTIONS_OPEN_MAX }, () => network.open("1.1.1.1", 1));
    expect(() => network.open("1.1.1.1", 1)).toThrow(refused("limit", `at most ${CONNECTIONS_OPEN_MAX} connections open at once`) as Error);
    network.close(numbers[3] ?? 0, "all");
    network.open("1.1.1.1", 1);
    network.end();
  });

  it("of bytes count both directions of all connections, and let exactly as much through", async () => {
    const network = open("*", { runNetworkBytesMax: 10 });
    const [one, two] = [network.open("1.1.1.1", 1), network.open("1.1.1.1", 1)];
    expect(await network.send(one, bytes("123456"), 0)).toBe(6);
    made[1]?.incoming.push(bytes("abcd"));
    expect(Buffer.from((await network.receive(two, 100, 0)) ?? []).toString()).toBe("abcd");
    await expect(network.send(one, bytes("7"), 0)).rejects.toEqual(refused("limit", "at most 10 bytes"));
    made[1]?.incoming.push(new Uint8Array());
    expect(await network.receive(two, 100, 0)).toEqual(new Uint8Array());
    made[1]?.incoming.push(bytes("efgh"));
    await expect(network.receive(two, 100, 0)).rejects.toEqual(refused("limit"));
    expect(met).toHaveLength(1);
    expect(made[0]?.sent).toEqual(["123456"]);
  });
});

describe("waiting", () => {
  it("ends when there is something, when the time is over, and leaves no timer", async () => {
    const network = open("*");
    const number = network.open("1.1.1.1", 1);
    expect(await network.receive(number, 10, 0)).toBeUndefined();
    const late = network.receive(number, 10, 2);
    await clock.advance(1_999);
    expect(clock.timerCount).toBe(1);
    made[0]?.incoming.push(bytes("x"));
    made[0]?.change({ readable: true });
    expect(await late).toEqual(bytes("x"));
    expect(clock.timerCount).toBe(0);
    const never = network.receive(number, 10, 0.5);
    await clock.advance(500);
    expect(await never).toBeUndefined();
    expect(clock.timerCount).toBe(0);
  });

  it("to send takes what there is room for, of the bytes as they were", async () => {
    const network = open("*");
    const number = network.open("1.1.1.1", 1);
    const [connection] = made as [FakeConnection];
    connection.room = 0;
    const data = bytes("abcdef");
    const sending = network.send(number, data, undefined);
    data.fill(0);
    connection.room = 4;
    connection.change({ writable: true });
    expect(await sending).toBe(4);
    expect(connection.sent).toEqual(["abcd"]);
  });

  it("for several tells which are ready for what", async () => {
    const network = open("*");
    const [one, two] = [network.open("1.1.1.1", 1), network.open("1.1.1.1", 1)];
    const both = NET_READY.readable | NET_READY.writable;
    expect(await network.wait(interests([one, both], [two, both]), 0)).toEqual(Uint8Array.of(0, 0));
    const waiting = network.wait(interests([one, NET_READY.writable], [two, NET_READY.readable], [two, NET_READY.writable]), undefined);
    made[0]?.change({ readable: true });
    made[1]?.change({ readable: true, writable: true });
    expect(await waiting).toEqual(Uint8Array.of(0, NET_READY.readable, NET_READY.writable));
    made[0]?.change({ readable: true, writable: true, error: new NetworkError("ECONNRESET", "x") });
    expect(await network.wait(interests([one, NET_READY.readable], [4_000_000_000, both]), 5)).toEqual(Uint8Array.of(NET_READY.readable | NET_READY.failed, NET_READY.failed));
    await expect(network.wait(new Uint8Array(7), 0)).rejects.toEqual(refused("value-error"));
  });

  it("for nothing is a pause", async () => {
    const pause = open("*").wait(new Uint8Array(), 1);
    await clock.advance(1_000);
    expect(await pause).toEqual(new Uint8Array());
  });

  it("ends with the run, and so does everything else", async () => {
    const network = open("*");
    const number = network.open("1.1.1.1", 1);
    const waiting = [network.receive(number, 10, 60), network.wait(interests([number, 1]), 60)];
    const outcome = Promise.allSettled(waiting);
    network.end();
    network.end();
    expect((await outcome).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    await expect(waiting[1]).rejects.toEqual(refused("interrupted"));
    expect([clock.timerCount, made[0]?.isClosed, connections.size]).toEqual([0, true, 0]);
    expect(() => network.open("1.1.1.1", 1)).toThrow(refused("interrupted") as Error);
    await expect(network.resolve("example.org", 1)).rejects.toEqual(refused("interrupted"));
    expect(records).toHaveLength(1);
  });

  it("for a name that is found after the run's end opens nothing", async () => {
    const network = open("*");
    const found = network.resolve("example.org", 1);
    network.end();
    await expect(found).rejects.toEqual(refused("interrupted"));
  });
});

describe("a connection", () => {
  it("that is not open is a bad file descriptor, whatever is asked of it", async () => {
    const network = open("*");
    const number = network.open("1.1.1.1", 1);
    network.close(number, "all");
    const EBADF = refused("network-error", /^EBADF Bad file descriptor$/);
    for (const call of [() => network.close(number, "all"), () => network.describe(number), () => network.startTls(number, bytes("{}"))]) expect(call).toThrow(EBADF as Error);
    for (const call of [network.send(number, bytes("x"), 0), network.receive(number, 1, 0), network.feed(number, bytes("")), network.drain(number)]) await expect(call).rejects.toEqual(EBADF);
  });

  it("that failed says so in every call, with the name of the failure first", async () => {
    const network = open("*");
    const number = network.open("1.1.1.1", 1);
    made[0]?.change({ readable: true, writable: true, error: new NetworkError("ECONNREFUSED", "Connection refused") });
    await expect(network.send(number, bytes("x"), 1)).rejects.toEqual(refused("network-error", /^ECONNREFUSED Connection refused$/));
    await expect(network.receive(number, 1, 1)).rejects.toEqual(refused("network-error", "ECONNREFUSED"));
    expect(await json(network.describe(number))).toEqual({ error: ["ECONNREFUSED", "Connection refused"] });
    network.close(number, "all");
    expect(connectionText(records[0] as ConnectionRecord)).toBe("connection to 1.1.1.1:1: 0 bytes sent, 0 received in 0 ms; it failed: ECONNREFUSED Connection refused");
  });

  it("is recorded with its name and bytes", async () => {
    const network = open("example.org");
    await network.resolve("example.org", 443);
    const number = network.open("2606:2800::1", 443);
    await network.send(number, bytes("abc"), 0);
    network.close(number, "write");
    expect(made[0]?.hasEnded).toBe(true);
    await clock.advance(30);
    network.close(number, "all");
    expect(records[0]).toMatchObject({ address: "2606:2800::1", port: 443, host: "example.org", bytesSent: 3, bytesReceived: 0, durationMs: 30 });
    expect(connectionText(records[0] as ConnectionRecord)).toBe("connection to example.org ([2606:2800::1]:443): 3 bytes sent, 0 received in 30 ms");
  });

  it("is known by its own end from the moment it is connected until it is closed", () => {
    const network = open("*");
    const number = network.open("127.0.0.1", 8181);
    const local: SocketAddress = ["127.0.0.1", 50_000];
    expect(connections.caller(local)).toBeUndefined();
    Object.assign(made[0] as FakeConnection, { local });
    made[0]?.change({ writable: true });
    expect(connections.caller(["::ffff:127.0.0.1", 50_000])).toBe(RUN);
    // Where a server does not tell the port, whoever comes from there may be the run.
    expect([["127.0.0.1", 50_000], ["127.0.0.1", 50_001], ["127.0.0.1", 0], ["::ffff:127.0.0.1", 0], ["127.0.0.10", 0], undefined].map((peer) => connections.isRun(peer as [string, number] | undefined))).toEqual([true, false, true, true, false, true]);
    expect(connections.caller(["127.0.0.1", 0])).toBeUndefined();
    network.close(number, "all");
    // What the server has not read yet is still the plugin's, though no run waits for it any more.
    expect([connections.caller(local), connections.isRun(local), made[0]?.hasEnded, made[0]?.isClosed]).toEqual([undefined, true, true, false]);
    made[0]?.incoming.push(bytes("answer"), new Uint8Array());
    made[0]?.change({ readable: true });
    expect([connections.isRun(local), connections.isRun(["127.0.0.1", 0]), made[0]?.isClosed, clock.timerCount, connections.size]).toEqual([false, false, true, 0, 0]);
    expect(connections.caller(local)).toBeUndefined();
  });

  it("is known as a run's for a while after it is closed: what it sent may not have been read", async () => {
    const network = open("*");
    const local: SocketAddress = ["127.0.0.1", 50_000];
    expect([connections.isRun(local), connections.isRun(undefined)]).toEqual([false, false]);
    const number = network.open("127.0.0.1", 8181);
    Object.assign(made[0] as FakeConnection, { local });
    made[0]?.change({ writable: true });
    for (const at of ["open", "closed", "closed a moment ago"]) {
      expect([at, connections.isRun(local), connections.isRun(undefined), connections.isRun(["127.0.0.1", 50_001])]).toEqual([at, true, true, false]);
      if (at === "open") network.close(number, "all");
      else await clock.advance(CONNECTION_LINGER_MS - 1);
    }
    await clock.advance(1);
    expect([connections.isRun(local), connections.isRun(undefined)]).toEqual([false, false]);
  });
});

describe("a connection to this server", () => {
  const local: SocketAddress = ["127.0.0.1", 50_001];
  const opened = (): [RunNetwork, FakeConnection] => {
    const network = open("*");
    network.open("127.0.0.1", 8181);
    const [connection] = made as [FakeConnection];
    Object.assign(connection, { local });
    connection.change({ writable: true });
    return [network, connection];
  };

  it("that fails is remembered for a while after the run, since the server may still have requests of it", async () => {
    const [network, connection] = opened();
    connection.change({ error: new NetworkError("SSL_ERROR", "x") });
    network.end();
    await clock.advance(CONNECTION_LINGER_MS - 1);
    expect(connections.isRun(local)).toBe(true);
    await clock.advance(1);
    expect([connections.isRun(local), clock.timerCount]).toEqual([false, 0]);
  });

  it("is closed with the server", () => {
    const [network, connection] = opened();
    network.end();
    expect([connections.isRun(local), connection.isClosed]).toEqual([true, false]);
    connections.close();
    expect([connections.isRun(local), connection.isClosed, clock.timerCount]).toEqual([false, true, 0]);
  });
});

describe("TLS settings", () => {
  const base = { verify: true, checkName: false, defaultTrust: true };

  it("reach the network as they are, without what is unknown", () => {
    const network = open("*");
    const given = { ...base, serverName: "a", trust: "PEM", alpn: ["h2"], versionMin: "TLSv1.2", key: null };
    network.startTls(network.open("1.1.1.1", 1), bytes(JSON.stringify({ ...given, lookup: "x", secureContext: {} })));
    expect(made[0]?.settings).toEqual({ ...base, serverName: "a", trust: "PEM", alpn: ["h2"], versionMin: "TLSv1.2" });
  });

  it.each(["", "[]x", "null", "1", JSON.stringify({ ...base, verify: 1 }), JSON.stringify({ ...base, alpn: [1] }), JSON.stringify({ ...base, versionMax: "SSLv3" }), JSON.stringify({ ...base, trust: {} })])("are refused: %s", (text) => {
    const network = open("*");
    expect(() => network.openTls(bytes(text))).toThrow(refused("value-error") as Error);
    expect(made).toEqual([]);
  });

  it("an end whose bytes the plugin carries is fed and drained, and its bytes are not counted twice", async () => {
    const network = open("*", { runNetworkBytesMax: 1 });
    const number = network.openTls(bytes(JSON.stringify(base)));
    await network.feed(number, bytes("in"));
    expect(made[0]?.fed).toBe("in");
    expect(await network.drain(number)).toEqual(Uint8Array.of(1, 2));
    expect(await network.send(number, bytes("abc"), 0)).toBe(3);
    const plain = network.open("1.1.1.1", 1);
    await expect(network.feed(plain, bytes(""))).rejects.toEqual(refused("network-error", "EINVAL"));
  });
});

describe("connection numbers", () => {
  it("are not those of open connections, also when they have all been used once", () => {
    const numbers = new OpenConnections(clock);
    expect([numbers.begin(), numbers.begin(), numbers.begin()]).toEqual([1, 2, 3]);
    numbers.end(2);
    expect(numbers.begin()).toBe(4);
    const late = new OpenConnections(clock, { last: CONNECTION_NUMBER_MAX - 1, max: CONNECTION_NUMBER_MAX });
    expect([late.begin(), late.begin()]).toEqual([CONNECTION_NUMBER_MAX, 1]);
    const few = new OpenConnections(clock, { last: 0, max: 3 });
    for (let each = 0; each < 3; each += 1) few.begin();
    few.end(2);
    expect(few.begin()).toBe(2);
  });
});
