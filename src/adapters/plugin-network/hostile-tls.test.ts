// Goal: whatever a plugin asks of TLS, and whatever a peer does in it, costs the server's one thread milliseconds. Method: the
// texts and the peers that kept it busy for seconds (measured on Node 20: a key with 20 million iterations 6.9 s, DHE in a group of 10,000
// bits 2.2 s, ffdhe8192 0.7 s, a list of ciphers of 1 MB 0.6 s); each must be refused, by its name.
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Connection, TlsSettings } from "../../ports/plugin-network.ts";
import { certificate, failure, identity, type LocalServer, receiveAll, serveSockets, serveTls, TRUSTING, until, writable } from "../../../test/support/network.ts";
import { HANDSHAKES_AT_ONCE_MAX, LINGER_BYTES_MAX, PEER_CERTIFICATE_BYTES_MAX } from "./limits.ts";
import { createNodeNetwork } from "./node-network.ts";

const network = createNodeNetwork();
const open: { close(): unknown }[] = [];
const ANYBODY: TlsSettings = { verify: false, checkName: false, defaultTrust: false };
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function agree(serving: Promise<LocalServer>, settings: TlsSettings = ANYBODY, ends = network.ofRun("t")): Promise<Connection> {
  const server = await serving;
  const connection = ends.connect("127.0.0.1", server.port);
  open.push(connection, server);
  await writable(connection);
  connection.startTls(settings);
  return connection;
}

const echo = (options: object = {}): Promise<LocalServer> => serveTls({ ...identity("server"), ...options }, (socket) => socket.pipe(socket));
const pem = (label: string, der: Uint8Array): string => `-----BEGIN ${label}-----\n${(Buffer.from(der).toString("base64").match(/.{1,64}/g) ?? []).join("\n")}\n-----END ${label}-----\n`;

/** DER of one element. */
function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length < 128 ? [content.length] : [0x83, content.length >> 16, (content.length >> 8) & 0xff, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
const sequence = (...parts: readonly Uint8Array[]): Buffer => element(0x30, ...parts);
const oid = (hex: string): Buffer => element(0x06, Buffer.from(hex, "hex"));

/** A certificate that nobody else has signed, with an extension of this content (of `id`, by default subjectAltName). */
function selfSigned({ publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }, content: Uint8Array): string {
  const algorithm = sequence(oid("2a864886f70d01010b"), element(0x05));
  const name = sequence(element(0x31, sequence(oid("550403"), element(0x0c, Buffer.from("x")))));
  const time = (text: string): Buffer => element(0x17, Buffer.from(text));
  const extension = sequence(oid("551d11"), element(0x04, content));
  const body = sequence(
    element(0xa0, element(0x02, Buffer.from([2]))), element(0x02, Buffer.from([1])), algorithm, name, sequence(time("200101000000Z"), time("400101000000Z")), name,
    publicKey.export({ type: "spki", format: "der" }), element(0xa3, sequence(extension)),
  );
  return pem("CERTIFICATE", sequence(body, algorithm, element(0x03, Buffer.from([0]), sign("sha256", body, privateKey))));
}
const names = (count: number): Buffer => sequence(...Array.from({ length: count }, () => element(0x82, Buffer.from("a.test"))));
const rsaServer = (options: object, content = names(1)): Promise<LocalServer> =>
  echo({ key: rsa.privateKey.export({ type: "pkcs8", format: "pem" }), cert: selfSigned(rsa, content), ...options });

const PASSPHRASE = "secret";

/** A key of PBES2 that says that its password has so many iterations, which it had not. */
function encryptedKey(iterations: number): string {
  const key = rsa.privateKey.export({ type: "pkcs8", format: "der", cipher: "aes-256-cbc", passphrase: PASSPHRASE });
  const at = key.indexOf(Buffer.from([0x02, 0x02, 0x08, 0x00]));
  key.writeUInt16BE(iterations, at + 2);
  return pem("ENCRYPTED PRIVATE KEY", key);
}

describe("settings of TLS that cost time", () => {
  const big = "x".repeat(70_000);
  it.each<[string, Partial<TlsSettings>, string]>([
    ["a key with many iterations", { key: encryptedKey(32_000), passphrase: PASSPHRASE }, "the password of a private key has at most 20000 iterations"],
    ["the same among other things", { key: `Bag Attributes\n${certificate("client")}${encryptedKey(32_000)}`, passphrase: PASSPHRASE }, "the password of a private key has at most 20000 iterations"],
    ["the same under another label", { key: encryptedKey(32_000).replaceAll("ENCRYPTED ", ""), passphrase: PASSPHRASE }, "the password of a private key has at most 20000 iterations"],
    ["a key of a scheme that is not known", { key: pem("ENCRYPTED PRIVATE KEY", sequence(sequence(oid("2a864886f70d01050d"), sequence(sequence(oid("2b06010401da47040b"))))))}, "of encrypted keys only those of PBES2 with PBKDF2 are read"],
    ["a key of 65,536 bits", { key: pem("RSA PRIVATE KEY", Buffer.alloc(8_192, 1)) }, "a private key has at most 4096 characters, which RSA of 4096 bits needs"],
    ["a file of keys", { key: big }, "a plugin's own certificate or key has at most 65536 characters"],
    ["a file of certificates", { certificate: big }, "a plugin's own certificate or key has at most 65536 characters"],
    ["a chain of many", { certificate: certificate("client").repeat(11) }, "a plugin's own certificate has at most 9 others behind it"],
    ["ciphers", { ciphers: `HIGH${":-ALL:ALL".repeat(1_000)}` }, "a name, password, list of ciphers or of protocols is longer than such things are"],
    ["protocols", { alpn: Array.from({ length: 33 }, () => "x") }, "a name, password, list of ciphers or of protocols is longer than such things are"],
    ["a name that is a page of a log", { serverName: "a\nERROR forged" }, "a name, password, list of ciphers or of protocols is longer than such things are"],
  ])("are refused: %s", async (_what, settings, words) => {
    expect(await failure(await agree(echo(), { ...ANYBODY, ...settings }))).toMatchObject({ code: "SSL_ERROR", message: `[SSL] ${words}` });
  });

  it("are taken where they are usual", async () => {
    const encrypted = rsa.privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: PASSPHRASE });
    const own = selfSigned(rsa, names(1));
    const serving = serveTls({ ...identity("server"), requestCert: true, rejectUnauthorized: false }, (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)));
    expect(await receiveAll(await agree(serving, { ...ANYBODY, certificate: `${own}${String(encrypted)}`, key: `${own}${String(encrypted)}`, passphrase: PASSPHRASE }))).toBe("x");
    const old = rsa.privateKey.export({ type: "pkcs1", format: "pem", cipher: "aes-128-cbc", passphrase: PASSPHRASE });
    expect((await failure(await agree(echo(), { ...ANYBODY, certificate: own, key: String(old), passphrase: "wrong" }))).code).toBe("SSL_ERROR");
    const connection = await agree(echo(), { ...ANYBODY, certificate: own, key: String(old), passphrase: PASSPHRASE });
    await writable(connection);
    expect(connection.state().error).toBeUndefined();
  });

  it("and many different ones are refused from some number on, to that run", async () => {
    const run = network.ofRun("t");
    const server = await echo();
    const trust = (index: number): TlsSettings => ({ ...TRUSTING, trust: certificate("ca") + "\n".repeat(900_000 + index) });
    const codes: (string | undefined)[] = [];
    for (let index = 0; index < 6; index += 1) {
      const connection = await agree(Promise.resolve({ ...server, close: async () => undefined }), trust(index), run);
      await writable(connection);
      codes.push(connection.state().error?.message);
    }
    open.push(server);
    const words = "[SSL] one run has used too many different certificates and settings";
    // Line ends count twice in the text that they are counted in.
    expect(codes).toEqual([undefined, undefined, words, words, words, words]);
    const other = await agree(echo(), trust(7));
    await writable(other);
    expect(other.state().error).toBeUndefined();
  });
});

describe("a peer that costs time", () => {
  it.each<[string, () => Promise<LocalServer>]>([
    ["chooses the group of Diffie-Hellman", () => rsaServer({ ciphers: "DHE-RSA-AES128-GCM-SHA256", maxVersion: "TLSv1.2", dhparam: "auto" })],
    ["speaks only a large one of TLS 1.3", () => echo({ ecdhCurve: "ffdhe8192" })],
  ])("is not agreed with: it %s", async (_what, serving) => {
    expect((await failure(await agree(serving()))).message).toBe("[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure");
  });

  it("does not get a handshake again", async () => {
    let tell = (_outcome: string): void => undefined;
    const outcome = new Promise<string>((resolve) => (tell = resolve));
    const serving = serveTls({ ...identity("server"), maxVersion: "TLSv1.2" }, (socket) => {
      socket.on("error", (error: NodeJS.ErrnoException) => tell(String(error.code))).resume();
      socket.renegotiate({}, (error) => tell(error === null || error === undefined ? "agreed again" : error.message));
    });
    await agree(serving);
    expect(await outcome).toBe("ERR_SSL_NO_RENEGOTIATION");
  });

  it("with a giant certificate is not agreed with", async () => {
    const count = Math.ceil(PEER_CERTIFICATE_BYTES_MAX / 8);
    expect((await failure(await agree(rsaServer({}, names(count))))).message).toBe("[SSL: EXCESSIVE_MESSAGE_SIZE] excessive message size");
    const large = await agree(rsaServer({}, names(count / 2)));
    await writable(large);
    expect(large.state().error).toBeUndefined();
  });

  it("is waited for beside few others, which is no matter to other runs", async () => {
    const begun = new Set<Socket>();
    let told = (): void => undefined;
    const silent = await serveSockets((socket) => void socket.once("data", () => (begun.add(socket), told())));
    const keepOpen = Promise.resolve({ ...silent, close: async () => undefined });
    const run = network.ofRun("t");
    for (let index = 0; index < HANDSHAKES_AT_ONCE_MAX + 4; index += 1) await agree(keepOpen, ANYBODY, run);
    while (begun.size < HANDSHAKES_AT_ONCE_MAX) await new Promise<void>((resolve) => (told = resolve));
    const other = await agree(echo());
    await writable(other);
    expect([other.state().error, begun.size]).toEqual([undefined, HANDSHAKES_AT_ONCE_MAX]);
    [...begun][0]?.destroy();
    while (begun.size < HANDSHAKES_AT_ONCE_MAX + 1) await new Promise<void>((resolve) => (told = resolve));
    open.push(silent);
  });

  it("is not listened to for long once the plugin has closed", async () => {
    let peer: Socket | undefined;
    let written = 0;
    const chunk = Buffer.alloc(65_536);
    const flood = (socket: Socket): void => {
      peer = socket.pause();
      const more = (): void => {
        while (!socket.destroyed && socket.write(chunk)) written += chunk.length;
      };
      socket.on("drain", more);
      more();
    };
    const connection = network.ofRun("t").connect("127.0.0.1", (await serveSockets(flood).then((server) => (open.push(server), server))).port);
    await writable(connection);
    for (let taken = 1; taken > 0; await new Promise((resolve) => void setImmediate(resolve))) taken = connection.send(chunk);
    await until(connection, () => connection.state().readable);
    connection.close();
    // It reads nothing, so all that ends it is what it says.
    await new Promise<void>((resolve) => void peer?.once("close", resolve));
    expect(written).toBeGreaterThan(LINGER_BYTES_MAX);
  });
});
