// Goal: TLS whose bytes the plugin carries behaves as OpenSSL's memory BIOs do for Python's `wrap_bio`: when a call is done,
// everything that follows from it is there. Method: a TLS server on a local socket, its bytes carried by the test.
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { TlsEngine, TlsSettings } from "../../ports/plugin-network.ts";
import { certificate, identity, serveTls, TRUSTING } from "../../../test/support/network.ts";
import { RECEIVE_BYTES_MAX, SEND_BYTES_MAX } from "./limits.ts";
import { createNodeNetwork } from "./node-network.ts";

const network = createNodeNetwork().ofRun("t");
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const closing: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of closing.splice(0)) await each.close();
});

/** What a plugin does: feeds what comes, sends what is to go, and only then looks at the state. */
class Carried {
  readonly engine: TlsEngine;
  readonly #socket: Socket;
  readonly #arrived: Uint8Array[] = [];
  #told: (() => void) | undefined;

  private constructor(engine: TlsEngine, socket: Socket) {
    this.engine = engine;
    this.#socket = socket;
    socket.on("error", () => undefined).on("data", (bytes) => this.#arrive(bytes)).on("end", () => this.#arrive(new Uint8Array()));
  }

  static async to(server: { readonly port: number; close(): unknown }, settings: TlsSettings = TRUSTING): Promise<Carried> {
    const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
    const carried = new Carried(network.createTlsEngine(settings), socket);
    closing.push({ close: () => void socket.destroy() }, carried.engine, server);
    await new Promise<void>((resolve) => void socket.once("connect", resolve));
    return carried;
  }

  async flush(): Promise<number> {
    await this.engine.settled();
    const bytes = this.engine.drain();
    this.#socket.write(bytes);
    return bytes.length;
  }

  async carryOne(): Promise<void> {
    while (this.#arrived.length === 0) await new Promise<void>((resolve) => (this.#told = resolve));
    await this.engine.feed(this.#arrived.shift() as Uint8Array);
  }

  async handshake(): Promise<void> {
    for (;;) {
      await this.flush();
      if (this.engine.state().writable) return;
      await this.carryOne();
    }
  }

  async receive(): Promise<string | undefined> {
    for (;;) {
      const bytes = this.engine.receive(1_000_000);
      if (bytes !== undefined) return bytes.length === 0 ? undefined : Buffer.from(bytes).toString();
      await this.carryOne();
    }
  }

  #arrive(bytes: Uint8Array): void {
    this.#arrived.push(bytes);
    this.#told?.();
  }
}

describe.each(["TLSv1.2", "TLSv1.3"] as const)("an end of %s", (version) => {
  const settings: TlsSettings = { ...TRUSTING, versionMin: version, versionMax: version };

  it("agrees, carries bytes both ways, and ends", async () => {
    const server = await serveTls(identity("server"), (socket) => socket.pipe(socket));
    const carried = await Carried.to(server, settings);
    await carried.handshake();
    expect(carried.engine.describe()).toMatchObject({ local: undefined, tls: { version, peer: { version: 3 } } });
    expect(carried.engine.send(text("hello"))).toBe(5);
    expect(await carried.flush()).toBeGreaterThan(5);
    expect(await carried.receive()).toBe("hello");
    carried.engine.end();
    expect(await carried.flush()).toBeGreaterThan(0);
    expect(await carried.receive()).toBeUndefined();
  });

  it("has its failure as soon as the bytes are fed", async () => {
    const carried = await Carried.to(await serveTls(identity("expired"), () => undefined), settings);
    await carried.handshake();
    expect(carried.engine.state().error).toMatchObject({ code: "CERTIFICATE_VERIFY_FAILED", message: "certificate verify failed: certificate has expired" });
    expect(() => carried.engine.receive(1)).toThrow(expect.objectContaining({ code: "CERTIFICATE_VERIFY_FAILED" }));
  });
});

describe("an end of TLS", () => {
  it("holds no more than fits in either direction", async () => {
    const total = 8 * RECEIVE_BYTES_MAX;
    const carried = await Carried.to(await serveTls(identity("server"), (socket) => socket.end(Buffer.alloc(total, "x"))));
    await carried.handshake();
    let size = 0;
    for (let part = await carried.receive(); part !== undefined; part = await carried.receive()) size += part.length;
    expect(size).toBe(total);
    let sent = 0;
    for (let taken = 1; taken > 0; sent += taken) {
      taken = carried.engine.send(new Uint8Array(100_000));
      await carried.engine.settled();
    }
    expect(sent).toBeLessThanOrEqual(SEND_BYTES_MAX);
    expect(carried.engine.state().writable).toBe(false);
    await carried.flush();
    expect(carried.engine.state().writable).toBe(true);
  });

  it("is not fed without bounds", async () => {
    const carried = await Carried.to(await serveTls(identity("server"), () => undefined));
    carried.engine.drain();
    const garbage = async (): Promise<void> => {
      for (let turn = 0; turn < 100; turn += 1) await carried.engine.feed(new Uint8Array(100_000).fill(0x17));
    };
    await garbage().catch((error: unknown) => expect(error).toMatchObject({ code: "ENOBUFS" }));
    expect(carried.engine.state().error).toMatchObject({ code: "SSL_ERROR" });
  });

  it("does not take a cut connection for an end", async () => {
    const carried = await Carried.to(await serveTls(identity("server"), () => undefined));
    await carried.flush();
    await carried.engine.feed(new Uint8Array());
    expect(carried.engine.state().error).toMatchObject({ code: "SSL_ERROR", message: "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol" });
  });

  it("shows what is wrong with its settings", async () => {
    const engine = network.createTlsEngine({ ...TRUSTING, certificate: certificate("client"), key: certificate("server.key") });
    await engine.settled();
    expect(engine.state().error).toMatchObject({ code: "SSL_ERROR" });
    engine.close();
  });
});
