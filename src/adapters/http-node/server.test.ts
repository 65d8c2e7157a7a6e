/** The server on a real loopback socket: what only a socket shows. The replies themselves are conformance tests. */
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HttpListener, RawRequest, RawRoutes } from "../../ports/http-listener.ts";
import { gunzip } from "./body-bytes.ts";
import { gzipSync } from "node:zlib";
import { listenOnNode, type NodeFetch } from "./server.ts";
import { loadUws } from "./uws-module.ts";
import { listenOnUws } from "./uws-server.ts";

const uws = await loadUws();
/** Where the optional binary does not fit this machine, its tests are left out. */
const TRANSPORTS = { "node:http": listenOnNode, ...(typeof uws === "string" ? {} : { uWebSockets: (options: Parameters<typeof listenOnNode>[0]) => listenOnUws(uws, options) }) };

const BODY_SIZE_MAX = 1_000_000;
let listen: typeof listenOnNode = listenOnNode;
let open: HttpListener | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

const echo: RawRoutes = {
  paths: ["/write"],
  handle: async (request: RawRequest) => {
    const text = new TextDecoder().decode(request.body);
    await Promise.resolve();
    return { status: 200, headers: { "x-query": request.query ?? "none", "x-own": request.header("x-own") ?? "none" }, body: text };
  },
  tooLarge: () => ({ status: 413, headers: {}, body: "too large" }),
  overloaded: () => ({ status: 429, headers: {}, body: "overloaded" }),
};

async function start(fetch: NodeFetch = () => new Response("app")): Promise<string> {
  open = await listen({ host: "127.0.0.1", port: 0, fetch, bodySizeMax: BODY_SIZE_MAX, raw: echo });
  return `http://127.0.0.1:${open.port}`;
}

/** Everything a raw connection answers until the server closes it. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (chunk) => (answer += chunk.toString())).on("close", () => resolve(answer)).on("error", reject);
  });
}

describe.each(Object.entries(TRANSPORTS))("listening with %s", (_name, listenOn) => {
  beforeEach(() => {
    listen = listenOn;
  });

  it("serves the raw paths raw and the rest through the app", async () => {
    const base = await start();
    const raw = await fetch(`${base}/write?a=1`, { method: "POST", body: "x y=1", headers: { "x-own": "é" } });
    expect([await raw.text(), raw.headers.get("x-query"), raw.headers.get("content-type")]).toEqual(["x y=1", "a=1", null]);
    for (const [method, path] of [["GET", "/write"], ["POST", "/writes"], ["POST", "/write/"]] as const) {
      expect(await (await fetch(`${base}${path}`, { method })).text()).toBe("app");
    }
  });

  it("keeps bodies of concurrent writes apart, whatever their size", async () => {
    const base = await start();
    const bodies = Array.from({ length: 40 }, (_, index) => String.fromCharCode(97 + (index % 26)).repeat(index * 7_000));
    const answers = await Promise.all(bodies.map(async (body) => (await fetch(`${base}/write`, { method: "POST", body })).text()));
    expect(answers).toEqual(bodies);
  });

  it("refuses a declared and a chunked body above the limit, and says so", async () => {
    const base = await start();
    const declared = await fetch(`${base}/write`, { method: "POST", body: "x".repeat(BODY_SIZE_MAX + 1) });
    expect([declared.status, await declared.text()]).toEqual([413, "too large"]);
    const piece = "x".repeat(500_000);
    const chunk = `${piece.length.toString(16)}\r\n${piece}\r\n`;
    const answer = await exchange((open as HttpListener).port, `POST /write HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}0\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect((await fetch(`${base}/write`, { method: "POST", body: "ok" })).status).toBe(200);
  });

  it("adds no content type to errors (http-api §2)", async () => {
    const base = await start(() => new Response(new TextEncoder().encode("no"), { status: 400, headers: { "x-a": "1" } }));
    const response = await fetch(`${base}/x`);
    expect([await response.text(), response.headers.get("content-type")]).toEqual(["no", null]);
  });

  it("survives clients that go away in the middle of a body", async () => {
    const base = await start();
    const socket = connect((open as HttpListener).port, "127.0.0.1");
    await new Promise<void>((resolve) => socket.write("POST /write HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc", () => resolve()));
    socket.destroy();
    expect((await fetch(`${base}/write`, { method: "POST", body: "ok" })).status).toBe(200);
  });

  it("answers pipelined requests in order", async () => {
    await start();
    const one = (body: string, more = ""): string => `POST /write HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;
    const answer = await exchange((open as HttpListener).port, one("first") + one("second") + one("third", "Connection: close\r\n"));
    expect(answer.split("HTTP/1.1 200").length).toBe(4);
    expect(answer.indexOf("first") < answer.indexOf("second") && answer.indexOf("second") < answer.indexOf("third")).toBe(true);
  });

  it("names a taken port", async () => {
    await start();
    const { port } = open as HttpListener;
    const again = listen({ host: "127.0.0.1", port, fetch: () => new Response(), bodySizeMax: 1 });
    await expect(again).rejects.toMatchObject({
      code: "server.address_in_use",
      message: expect.stringContaining(`Failed to bind address "127.0.0.1:${port}": another program listens there`),
    });
  });

  it("names an address that is not ours", async () => {
    const listening = listen({ host: "192.0.2.1", port: 0, fetch: () => new Response(), bodySizeMax: 1 });
    await expect(listening).rejects.toMatchObject({ message: expect.stringContaining("192.0.2.1:0") });
  });

  it("lets a running request end and closes idle keep-alive sockets at once", async () => {
    let finish = (): void => undefined;
    let begin = (): void => undefined;
    const hasBegun = new Promise<void>((resolve) => (begin = resolve));
    const base = await start(
      () =>
        new Promise<Response>((resolve) => {
          finish = () => resolve(new Response("done"));
          begin();
        }),
    );
    await fetch(`${base}/write`, { method: "POST", body: "leaves an idle socket" });
    const running = fetch(`${base}/slow`);
    await hasBegun;
    const startedMs = performance.now();
    const closing = (open as HttpListener).close();
    finish();
    expect(await (await running).text()).toBe("done");
    await closing;
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    open = undefined;
  });

  it("waits for nobody when it is told so", async () => {
    let begin = (): void => undefined;
    const hasBegun = new Promise<void>((resolve) => (begin = resolve));
    const server = await listen({ host: "127.0.0.1", port: 0, bodySizeMax: 1, closeGraceMs: 0, fetch: () => (begin(), new Promise<Response>(() => undefined)) });
    const running = fetch(`http://127.0.0.1:${server.port}/`).then(() => "answered", () => "cut off");
    await hasBegun;
    await server.close();
    expect(await running).toBe("cut off");
  });

  it("streams an answer without holding it, and stops making it when the client goes away", async () => {
    const chunk = new Uint8Array(100_000).fill(97);
    let made = 0;
    let cancelled = (): void => undefined;
    const isCancelled = new Promise<void>((resolve) => (cancelled = resolve));
    const base = await start(() => new Response(new ReadableStream({ pull: (controller) => void (made++, controller.enqueue(chunk)), cancel: () => cancelled() }, { highWaterMark: 0 })));
    const socket = connect((open as HttpListener).port, "127.0.0.1");
    socket.write("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise<void>((resolve) => socket.once("data", () => resolve()));
    socket.pause();
    let before = -1;
    while (made !== before) {
      before = made;
      await (await fetch(`${base}/write`, { method: "POST", body: "other requests go on" })).text();
    }
    expect(made).toBeLessThan(1_000);
    socket.destroy();
    await isCancelled;
  });

  it("hands over whole streamed answers of any size", async () => {
    const base = await start((request) => {
      let left = Number(new URL(request.url).searchParams.get("chunks"));
      return new Response(new ReadableStream({ pull: (controller) => void (left-- > 0 ? controller.enqueue(new TextEncoder().encode(`${left};`.repeat(1_000))) : controller.close()) }));
    });
    for (const chunks of [0, 1, 2, 3, 500]) {
      const text = await (await fetch(`${base}/?chunks=${chunks}`)).text();
      expect(text).toBe(Array.from({ length: chunks }, (_, index) => `${chunks - 1 - index};`.repeat(1_000)).join(""));
    }
  });

  it("aborts the request's signal when its client is gone", async () => {
    let begun = (): void => undefined;
    let aborted = (): void => undefined;
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    const isAborted = new Promise<void>((resolve) => (aborted = resolve));
    await start(
      (request) =>
        new Promise((resolve) => {
          request.signal.addEventListener("abort", () => (aborted(), resolve(new Response("late"))));
          begun();
        }),
    );
    const socket = connect((open as HttpListener).port, "127.0.0.1");
    socket.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    await hasBegun;
    socket.destroy();
    await isAborted;
  });
});

it("node:http cuts clients off that trickle their headers", async () => {
  const patience = { headersMsMax: 50, checkMs: 10 };
  open = await listenOnNode({ host: "127.0.0.1", port: 0, fetch: () => new Response("app"), bodySizeMax: BODY_SIZE_MAX, raw: echo, patience });
  expect(await exchange(open.port, "POST /write HTTP/1.1\r\nHost: x\r\nX-Slow: ")).toMatch(/^HTTP\/1\.1 408 /);
});

describe("gunzip()", () => {
  it("inflates all members up to exactly the limit", async () => {
    const members = Buffer.concat([gzipSync("abc"), gzipSync("defg")]);
    expect(Buffer.from((await gunzip(members, 7)) ?? []).toString()).toBe("abcdefg");
    expect(await gunzip(members, 6)).toBeUndefined();
    await expect(gunzip(members.subarray(0, 12), 100)).rejects.toThrow();
    await expect(gunzip(new Uint8Array(), 100)).rejects.toThrow();
  });

  it("believes no size that the sender tells", async () => {
    const text = Buffer.from("some line protocol ".repeat(5_000));
    for (const told of [0, 1, 15, text.length - 1, text.length, text.length + 1, 2 ** 32 - 1]) {
      const lying = gzipSync(text);
      lying.writeUInt32LE(told, lying.length - 4);
      // zlib checks the size itself, once all is inflated.
      if (told === text.length) expect(Buffer.from((await gunzip(lying, 1_000_000)) ?? []).equals(text)).toBe(true);
      else await expect(gunzip(lying, 1_000_000)).rejects.toThrow("incorrect length check");
    }
    const members = Buffer.concat([gzipSync(text), gzipSync("x")]);
    expect((await gunzip(members, 1_000_000))?.length).toBe(text.length + 1);
  });

  it("stops a bomb at the limit", async () => expect(await gunzip(gzipSync(Buffer.alloc(50_000_000)), 1_000_000)).toBeUndefined());
});
