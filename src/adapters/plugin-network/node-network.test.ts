// Goal: sockets and TLS as a plugin needs them, with bounded buffers and failures by their Python names. Method: local
// servers with a private authority (test/fixtures/tls); the words of verification failures are those of CPython 3.13.
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import type { TlsSettings } from "../../ports/plugin-network.ts";
import { certificate, failure, identity, type LocalServer, receiveAll, serveSockets, serveTls, TRUSTING, until, writable } from "../../../test/support/network.ts";
import { RECEIVE_BYTES_MAX, SEND_BYTES_MAX } from "./limits.ts";
import { createNodeNetwork } from "./node-network.ts";

const network = createNodeNetwork().ofRun("t");
const open: { close(): unknown }[] = [];
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function connectTo(serving: Promise<LocalServer>) {
  const server = await serving;
  const connection = network.connect("127.0.0.1", server.port);
  open.push(connection, server);
  await writable(connection);
  return connection;
}

async function connectTls(server: Promise<LocalServer>, settings: TlsSettings = TRUSTING) {
  const connection = await connectTo(server);
  connection.startTls(settings);
  return connection;
}

const echoTls = (name: string, more: object = {}) => serveTls({ ...identity(name), ...more }, (socket) => socket.pipe(socket));

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

describe("a connection", () => {
  it("carries bytes both ways and each direction ends on its own", async () => {
    const connection = await connectTo(serveSockets((socket) => {
      let seen = "";
      socket.on("data", (bytes) => (seen += String(bytes))).on("end", () => socket.end(`saw ${seen}`));
    }));
    expect(connection.state()).toEqual({ readable: false, writable: true, error: undefined });
    expect(connection.receive(10)).toBeUndefined();
    expect(connection.send(text("hello"))).toBe(5);
    connection.end();
    expect(() => connection.send(text("more"))).toThrow(expect.objectContaining({ code: "EPIPE", message: "Broken pipe" }));
    expect(await receiveAll(connection)).toBe("saw hello");
    expect(connection.receive(10)).toEqual(new Uint8Array());
    const { local, remote, tls } = connection.describe();
    expect([local?.[0], remote?.[0], tls]).toEqual(["127.0.0.1", "127.0.0.1", undefined]);
  });

  it("reads no more of a peer than fits, and goes on when there is room", async () => {
    const total = 40 * RECEIVE_BYTES_MAX;
    let peer: Socket | undefined;
    const connection = await connectTo(serveSockets((socket) => (peer = socket).end(Buffer.alloc(total, "x"))));
    await until(connection, () => connection.state().readable);
    // All that the systems' buffers take is taken; the rest stays with the peer.
    for (let before = -1; before !== peer?.bytesWritten; before = peer?.bytesWritten ?? 0) await new Promise((resolve) => void setImmediate(resolve));
    expect((await receiveAll(connection)).length).toBe(total);
  });

  it("takes no more than fits, and says when there is room again", async () => {
    let peer: Socket | undefined;
    const connection = await connectTo(serveSockets((socket) => (peer = socket).pause()));
    const piece = new Uint8Array(100_000);
    let sent = 0;
    for (let turn = 0; turn < 100; turn += 1) {
      const taken = connection.send(piece);
      sent += taken;
      if (taken === 0) await new Promise((resolve) => void setImmediate(resolve));
    }
    expect(connection.state().writable).toBe(false);
    expect(connection.send(piece)).toBe(0);
    let received = 0;
    peer?.on("data", (bytes) => (received += bytes.length)).resume();
    await writable(connection);
    expect(connection.send(piece)).toBeLessThanOrEqual(SEND_BYTES_MAX);
    connection.end();
    await new Promise<void>((resolve) => void peer?.on("end", resolve));
    expect(received).toBeGreaterThan(sent);
  });

  it("that is closed at once still sends what it took over", async () => {
    let size = 0;
    let tell = (): void => undefined;
    const ended = new Promise<void>((resolve) => (tell = resolve));
    const connection = await connectTo(serveSockets((socket) => socket.on("data", (bytes) => (size += bytes.length)).on("end", () => tell())));
    const sent = connection.send(new Uint8Array(200_000));
    connection.close();
    connection.close();
    await ended;
    expect(size).toBe(sent);
  });

  it("fails by the name of the system's error", async () => {
    const gone = await serveSockets(() => undefined);
    await gone.close();
    const refused = network.connect("127.0.0.1", gone.port);
    expect(await failure(refused)).toMatchObject({ code: "ECONNREFUSED", message: "Connection refused" });
    expect(refused.state()).toMatchObject({ readable: true, writable: true });
    expect(() => refused.receive(1)).toThrow(expect.objectContaining({ code: "ECONNREFUSED" }));
    expect(() => refused.send(text("x"))).toThrow(expect.objectContaining({ code: "ECONNREFUSED" }));

    const reset = await connectTo(serveSockets((socket) => socket.on("data", () => socket.resetAndDestroy())));
    reset.send(text("x"));
    expect(await failure(reset)).toMatchObject({ code: "ECONNRESET", message: "Connection reset by peer" });
  });

  it("keeps what came before a reset", async () => {
    const connection = await connectTo(serveSockets((socket) => socket.write("first", () => socket.once("data", () => socket.resetAndDestroy()))));
    await until(connection, () => connection.state().readable);
    connection.send(text("x"));
    await failure(connection);
    expect(Buffer.from(connection.receive(10) ?? []).toString()).toBe("first");
    expect(() => connection.receive(10)).toThrow(expect.objectContaining({ code: "ECONNRESET" }));
  });
});

describe("TLS", () => {
  it("is agreed on with name, protocol and the peer's certificate", async () => {
    let seen: (string | false | null)[] = [];
    const server = serveTls({ ...identity("server"), ALPNProtocols: ["http/1.1"] }, (socket) => {
      seen = [socket.servername, socket.alpnProtocol];
      socket.pipe(socket);
    });
    const connection = await connectTls(server, { ...TRUSTING, alpn: ["h2", "http/1.1"] });
    expect(connection.state().writable).toBe(false);
    expect(connection.send(text("too early"))).toBe(0);
    await writable(connection);
    expect(connection.describe().tls).toMatchObject({
      version: "TLSv1.3", alpn: "http/1.1", cipher: { version: "TLSv1.3" }, peer: { serialNumber: "F1A2B3C4D5" },
      peerDer: certificate("server").replace(/-----.*-----|\n/g, ""),
    });
    connection.send(text("secret"));
    connection.end();
    expect(await receiveAll(connection)).toBe("secret");
    expect(seen).toEqual(["localhost", "http/1.1"]);
  });

  it("begins after plain bytes, when these are out", async () => {
    const plain: string[] = [];
    const connection = await connectTo(serveSockets((socket) => {
      const talk = (): void => {
        const word = socket.read(8) as Buffer | null;
        if (word === null) return;
        plain.push(String(word));
        if (plain.length === 1) return void socket.write("ready");
        socket.off("readable", talk);
        new TLSSocket(socket, { ...identity("server"), isServer: true }).on("error", () => undefined).end("secret");
      };
      socket.on("readable", talk);
    }));
    connection.send(text("STARTTLS"));
    expect(await receiveAll(connection, 5)).toBe("ready");
    connection.send(text("and then"));
    connection.startTls(TRUSTING);
    expect(() => connection.startTls(TRUSTING)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(await receiveAll(connection)).toBe("secret");
    expect(plain).toEqual(["STARTTLS", "and then"]);
  });

  it("does not begin where the peer has spoken out of turn", async () => {
    const connection = await connectTo(serveSockets((socket) => socket.write("injected")));
    await until(connection, () => connection.state().readable);
    expect(() => connection.startTls(TRUSTING)).toThrow(expect.objectContaining({ code: "SSL_ERROR" }));
  });

  it.each([
    ["an unknown authority", "server", { trust: certificate("self-signed") }, "unable to get local issuer certificate"],
    ["no authority at all", "server", { trust: undefined }, "unable to get local issuer certificate"],
    ["the runtime's own authorities", "server", { trust: undefined, defaultTrust: true }, "unable to get local issuer certificate"],
    ["a certificate that signed itself", "self-signed", {}, "self-signed certificate"],
    ["one that has expired", "expired", {}, "certificate has expired"],
    ["one for another name", "wrong-name", {}, "Hostname mismatch, certificate is not valid for 'localhost'."],
    ["one for another address", "wrong-name", { serverName: "127.0.0.1" }, "IP address mismatch, certificate is not valid for '127.0.0.1'."],
  ] as const)("refuses %s", async (_what, name, settings, words) => {
    const connection = await connectTls(echoTls(name), { ...TRUSTING, ...settings });
    expect(await failure(connection)).toMatchObject({ code: "CERTIFICATE_VERIFY_FAILED", message: `certificate verify failed: ${words}` });
  });

  it.each([
    ["self-signed", { trust: certificate("self-signed") }],
    ["server", { serverName: "127.0.0.1" }],
    ["server", { serverName: "a.tidemark.test" }],
    ["server", { defaultTrust: true }],
    ["server", { trust: `${certificate("self-signed")}${certificate("ca")}` }],
    ["wrong-name", { checkName: false }],
    ["server", { versionMax: "TLSv1.2" }],
  ] as const)("trusts %s with %o", async (name, settings) => {
    const connection = await connectTls(echoTls(name), { ...TRUSTING, ...settings });
    await writable(connection);
    expect(connection.state().error).toBeUndefined();
    expect(connection.describe().tls?.peer).toBeDefined();
    if ("versionMax" in settings) expect(connection.describe().tls?.version).toBe("TLSv1.2");
  });

  it.each(["expired", "wrong-name", "self-signed"])("takes %s when nothing is to be verified, and tells nothing of it", async (name) => {
    const connection = await connectTls(echoTls(name), { ...TRUSTING, verify: false, checkName: false });
    await writable(connection);
    expect(connection.describe().tls).toMatchObject({ peer: undefined, peerDer: expect.any(String) });
  });

  it("shows a client's certificate", async () => {
    const server = serveTls({ ...identity("server"), ca: certificate("ca"), requestCert: true, rejectUnauthorized: true }, (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)));
    const { cert, key } = identity("client");
    expect(await receiveAll(await connectTls(server, { ...TRUSTING, certificate: cert, key }))).toBe("a client");
  });

  it("fails with OpenSSL's reason", async () => {
    const plain = await connectTls(serveSockets((socket) => socket.on("data", () => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"))));
    expect(await failure(plain)).toMatchObject({ code: "SSL_ERROR", message: "[SSL: WRONG_VERSION_NUMBER] wrong version number" });
    const gone = await connectTls(serveSockets((socket) => socket.on("data", () => socket.end())));
    expect(await failure(gone)).toMatchObject({ code: "SSL_ERROR", message: "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol" });
    const old = await connectTls(echoTls("server", { maxVersion: "TLSv1.2" }), { ...TRUSTING, versionMin: "TLSv1.3" });
    expect(await failure(old)).toMatchObject({ code: "SSL_ERROR", message: "[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version" });
    const odd = await connectTls(echoTls("server"), { ...TRUSTING, ciphers: "NO-SUCH-CIPHER" });
    expect(await failure(odd)).toMatchObject({ code: "SSL_ERROR", message: "[SSL: NO_CIPHER_MATCH] no cipher match" });
    const empty = await connectTls(echoTls("server"), { ...TRUSTING, trust: "no certificate" });
    expect(await failure(empty)).toMatchObject({ code: "SSL_ERROR" });
    const broken = await connectTls(echoTls("server"), { ...TRUSTING, certificate: certificate("client"), key: certificate("server.key") });
    expect(await failure(broken)).toMatchObject({ code: "SSL_ERROR", message: expect.stringContaining("KEY_VALUES_MISMATCH") });
  });
});
