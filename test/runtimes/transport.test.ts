// Goal: a stop loses no write that has begun, and a transport that cannot be used is replaced with a reason. Method: the real program on
// every runtime; a write whose body is half sent when the signal comes, on a bare socket.
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { PLACES } from "../support/places.ts";
import { eventually, queryRows, removeFolder, startServer, type RuntimeName, type TestServer } from "../support/server.ts";

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    if (server.process.exitCode === null) await server.stop("SIGKILL");
    removeFolder(server.folder);
  }
});

async function start(options: Parameters<typeof startServer>[0]): Promise<TestServer> {
  const server = await startServer(options);
  servers.push(server);
  return server;
}

/** No connection, or an answer that sends away. */
const isSentAway = (url: string): Promise<true | undefined> =>
  fetch(`${url}/health`).then(({ status }) => (status === 503 ? true : undefined), () => true as const);

describe.each(PLACES)("stopping on $name", ({ runtime, flags }) => {
  it("takes nobody new, and the write that has begun to its end", { timeout: 60_000 }, async () => {
    const server = await start({ runtime, flags });
    const port = Number(new URL(server.url).port);
    const lines = ["m f=1 1700000000000000000\n", "m f=2 1700000001000000000"];
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    const closed = new Promise<void>((resolve) => socket.on("data", (data) => (answer += String(data))).on("close", () => resolve()).on("error", () => undefined));
    await new Promise<void>((resolve) => socket.write(`POST /api/v3/write_lp?db=d HTTP/1.1\r\nHost: x\r\nContent-Length: ${lines.join("").length}\r\n\r\n${lines[0]}`, () => resolve()));
    // Its answer comes after the head above was read.
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    const stopped = server.stop("SIGTERM");
    await eventually("the server to take nobody new", () => isSentAway(server.url));
    socket.write(lines[1] as string);
    await closed;
    expect(answer).toMatch(/^HTTP\/1\.1 204 /);
    expect(await stopped).toBe(0);
    const again = await start({ runtime, flags, folder: server.folder });
    expect(await queryRows(again, "d", "SELECT f FROM m ORDER BY time")).toEqual([{ f: 1 }, { f: 2 }]);
  });
});

const file = (name: string): string => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));

it.each<[why: string, runtime: RuntimeName, flags: readonly string[], reason: string]>([
  ["Deno", "deno", [], "it runs on Node only, and this is deno"],
  ["Bun", "bun", [], "it runs on Node only, and this is bun"],
  ["TLS", "node", ["--tls-cert", file("cert.pem"), "--tls-key", file("key.pem")], "it is used for plain HTTP only"],
])("where uWebSockets.js cannot be used, for %s, the own server stands in and says why", async (_why, runtime, flags, reason) => {
  const server = await start({ runtime, flags: ["--http-transport", "uws", ...flags] });
  expect(server.output().split(`uWebSockets.js cannot be used: ${reason}; the runtime's own HTTP server is used instead`)).toHaveLength(2);
  if (!server.url.startsWith("https")) expect((await fetch(`${server.url}/health`)).status).toBe(200);
});
