// Goal: however a request comes in on its connection, it is answered as spec http-api §1 to §4 say. Method: bare bytes against the
// server of the runtime; the app never sees these differences, so none of it runs without sockets.
import { connect, type Socket } from "node:net";
import { afterAll, expect, it } from "vitest";
import { fakeWorld, type FakeWorld } from "./fake-services.ts";
import { chosenServer, HttpTransport } from "./over-http.ts";

const transport = new HttpTransport({ server: chosenServer(), mount: "raw" });
afterAll(() => transport.close());

const LIMIT = 1_000;
const WRITE = "/api/v3/write_lp?db=x";
const chunked = (parts: readonly string[]): string => [...parts, ""].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("");

/** A connection that remembers what came. */
class Conversation {
  came = "";
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #wake: () => void = () => undefined;

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("data", (data) => ((this.came += data.toString("latin1")), this.#wake()));
    this.closed = new Promise((resolve) => this.#socket.on("close", () => (resolve(), this.#wake())).on("error", () => undefined));
  }

  say(text: string): void {
    this.#socket.write(text);
  }

  /** Resolves once what came matches. */
  async hear(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.came)) {
      if (this.#socket.destroyed) throw new Error(`The connection ended after ${JSON.stringify(this.came)}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.came;
  }

  hangUp(): Promise<void> {
    this.#socket.destroy();
    return this.closed;
  }
}

const dial = async (world: FakeWorld): Promise<Conversation> => new Conversation(await transport.port(world));
const bodyOf = (world: FakeWorld): string => Buffer.from((world.calls[0]?.[1] as { readonly body: Uint8Array }).body).toString();

it.each([[WRITE, "HTTP/1.1 204"], ["/api/v3/query_sql", "HTTP/1.1 200"]])("a chunked body is one body: %s", async (path, status) => {
  const world = fakeWorld();
  const line = await dial(world);
  const parts = path === WRITE ? ["m f=1\n", "m f", "=2"] : ['{"db":"x",', '"q":"SELECT 1"}'];
  line.say(`POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(parts)}`);
  expect(await line.hear(/\r\n\r\n/)).toContain(status);
  if (path === WRITE) expect(bodyOf(world)).toBe("m f=1\nm f=2");
  await line.hangUp();
});

it.each([WRITE, "/api/v3/query_sql"])("a chunked body above the limit is refused like any other: %s (§4)", async (path) => {
  const world = fakeWorld({ bodySizeMax: LIMIT });
  const line = await dial(world);
  line.say(`POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(Array.from({ length: 4 }, () => "#".repeat(400)))}`);
  expect(await line.hear(/exceeded/)).toMatch(/^HTTP\/1\.1 413 [\s\S]*max request size \(1000 bytes\) exceeded/);
  expect(world.calls).toEqual([]);
  await line.hangUp();
});

it("requests that are sent ahead are answered in order", async () => {
  const line = await dial(fakeWorld());
  const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  line.say(ask("/health") + ask("/nowhere") + ask("/ping"));
  const statuses = (await line.hear(/process_id/)).match(/HTTP\/1\.1 \d{3}/g);
  expect(statuses).toEqual(["HTTP/1.1 200", "HTTP/1.1 404", "HTTP/1.1 200"]);
  await line.hangUp();
});

it("a body that comes byte by byte is whole", async () => {
  const world = fakeWorld();
  const line = await dial(world);
  const request = `POST ${WRITE} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nm f=1`;
  for (const byte of request) {
    line.say(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await line.hear(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 204/);
  expect(bodyOf(world)).toBe("m f=1");
  await line.hangUp();
});

it("a client that goes away in the middle of a body has written nothing", async () => {
  const world = fakeWorld();
  const gone = await dial(world);
  gone.say(`POST ${WRITE} HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nm f=1\nm f=2\n`);
  await gone.hangUp();
  const next = await dial(world);
  next.say("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(await next.hear(/OK$/)).toMatch(/^HTTP\/1\.1 200/);
  expect(world.calls).toEqual([]);
  await next.hangUp();
});

it.each([WRITE, "/api/v3/query_sql"])("a client that waits for leave to send its body is given it: %s", async (path) => {
  const world = fakeWorld();
  const line = await dial(world);
  const body = path === WRITE ? "m f=1" : '{"db":"x","q":"SELECT 1"}';
  line.say(`POST ${path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`);
  await line.hear(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
  line.say(body);
  await line.hear(/HTTP\/1\.1 20[04]/);
  await line.hangUp();
});

it("a connection ends after its answer when the client says so", async () => {
  const line = await dial(fakeWorld());
  line.say("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  await line.closed;
  expect(line.came).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nOK$/);
});

it("HTTP/1.0 is answered, or refused by uWebSockets.js, which does not speak it", async () => {
  const line = await dial(fakeWorld());
  line.say("GET /health HTTP/1.0\r\nHost: x\r\n\r\n");
  expect(await line.hear(/OK$|not support/)).toMatch(chosenServer() === "uws" ? /^HTTP\/1\.1 505 / : /^HTTP\/1\.[01] 200 /);
  await line.hangUp();
});
