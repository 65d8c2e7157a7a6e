// Goal: no client can take the server down or grow its memory by how it speaks HTTP. Method: raw sockets against the real
// program on every runtime and transport; after each abuse an honest request is answered and the memory is looked at.
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PLACES } from "../support/places.ts";
import { eventually, removeFolder, type RuntimeName, startServer, type TestServer } from "../support/server.ts";

const IDLE_CONNECTIONS = 10_000;
/** What this process and the server need besides. */
const FILES_RESERVED = 2_000;
/** Deno's own server keeps 27 KB for a connection. */
const GROWTH_MAX: Readonly<Record<RuntimeName, number>> = { node: 256 * 1024 * 1024, deno: 448 * 1024 * 1024, bun: 256 * 1024 * 1024 };
const openFilesMax = Number(/Max open files\s+(\d+)/.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);

const residentBytes = ({ process: { pid } }: TestServer): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;

describe.each(PLACES)("HTTP on $name", ({ runtime, flags }) => {
  let server: TestServer;
  let port: number;
  beforeAll(async () => {
    server = await startServer({ runtime, flags });
    port = Number(new URL(server.url).port);
  });
  afterAll(async () => {
    await server.stop("SIGKILL");
    removeFolder(server.folder);
  });

  const healthy = async (): Promise<void> => expect((await fetch(`${server.url}/health`)).status).toBe(200);

  /** What the server says to these bytes before it closes or falls silent. */
  const say = (text: string): Promise<string> =>
    new Promise((resolve) => {
      let answer = "";
      const socket: Socket = connect(port, "127.0.0.1", () => socket.write(text));
      socket.on("data", (data) => ((answer += String(data)), socket.end())).on("close", () => resolve(answer)).on("error", () => resolve(answer));
    });

  it.each([
    ["a line that is no request", "nonsense\r\n\r\n"],
    ["binary", "\u0000\u0001\u0002\u0003\r\n\r\n"],
    ["a TLS hello", "\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n"],
    ["headers above the limit", `GET /health HTTP/1.1\r\nHost: x\r\nX-Big: ${"a".repeat(1_000_000)}\r\n\r\n`],
    ["ten thousand headers", `GET /health HTTP/1.1\r\nHost: x\r\n${"X-A: b\r\n".repeat(10_000)}\r\n`],
    ["a giant path", `GET /${"a".repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ["two lengths", "POST /write?db=d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"],
    ["a length that is no number", "POST /write?db=d HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"],
    ["a chunk that is no chunk", "POST /write?db=d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ["a header without a colon", "GET /health HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n"],
    ["a length of 16 exabytes", "POST /api/v3/write_lp?db=d HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\nm f=1"],
  ])("%s is refused, and the next request is answered", async (_name, text) => {
    expect(await say(text)).not.toMatch(/^HTTP\/1\.1 2/);
    await healthy();
  });

  it("uploads that were announced and never come hold no memory", async () => {
    const before = residentBytes(server);
    const sockets = await Promise.all(
      Array.from({ length: 200 }, () => new Promise<Socket>((resolve) => {
        const socket: Socket = connect(port, "127.0.0.1", () => socket.write("POST /api/v3/write_lp?db=d HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\nm f=1", () => resolve(socket)));
      })),
    );
    await healthy();
    expect(residentBytes(server) - before).toBeLessThan(GROWTH_MAX[runtime]);
    for (const socket of sockets) socket.destroy();
  });

  it("ten thousand idle connections hold little memory and keep nobody out", { timeout: 120_000 }, async () => {
    const count = Math.min(IDLE_CONNECTIONS, Math.max(500, openFilesMax - FILES_RESERVED));
    const before = residentBytes(server);
    const sockets: Socket[] = [];
    for (let left = count; left > 0; left -= 500) {
      const batch = Array.from({ length: Math.min(500, left) }, () => new Promise<Socket>((resolve, reject) => {
        const socket: Socket = connect(port, "127.0.0.1", () => resolve(socket)).on("error", reject);
      }));
      sockets.push(...(await Promise.all(batch)));
    }
    for (const socket of sockets) socket.write("GET /health HTTP/1.1\r\nHost: x\r\n");
    await healthy();
    expect(residentBytes(server) - before).toBeLessThan(GROWTH_MAX[runtime]);
    for (const socket of sockets) socket.destroy();
    await eventually("an honest write", async () => ((await fetch(`${server.url}/api/v3/write_lp?db=d`, { method: "POST", body: "m f=1" })).status === 204 ? true : undefined));
  });
});
