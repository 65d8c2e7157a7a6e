/** A server without authentication and the web: the app and the raw write mount refuse the same callers alike. */
import { request } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { listenOnNode } from "../../../src/adapters/http-node/server.ts";
import { createApp } from "../../../src/http/app.ts";
import { createRawWriteRoutes } from "../../../src/http/write-handler.ts";
import type { HttpListener } from "../../../src/ports/http-listener.ts";
import { fakeWorld, type FakeWorld } from "./fake-services.ts";

const HINT = "start the server with --without-auth if every web page and every host name may reach it";
const WRITES = ["POST /api/v3/write_lp?db=d", "POST /api/v2/write?bucket=d", "POST /write?db=d"];
const OTHERS = ["GET /ping", "GET /api/v3/query_sql?db=d&q=SELECT+1", "POST /api/v3/engine/x", "OPTIONS /api/v3/write_lp", "DELETE /api/v3/configure/database?db=d"];

let open: HttpListener | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** With the raw mount writes go through it, without it through the app, as on Deno and Bun. */
async function serve(world: FakeWorld, mount: "raw" | "app"): Promise<(line: string, headers: Record<string, string>) => Promise<Answer>> {
  const app = createApp(world.services, world.options);
  const raw = mount === "raw" ? { raw: createRawWriteRoutes(world.services, world.options) } : {};
  const { port } = (open = await listenOnNode({ host: "127.0.0.1", port: 0, fetch: (asked) => app.fetch(asked), bodySizeMax: 1_000_000, ...raw }));
  return (line, headers) => send(port, line, headers);
}

/** Not `fetch`, which sets these headers itself. */
function send(port: number, line: string, headers: Record<string, string>): Promise<Answer> {
  const [method, path] = line.split(" ");
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += String(chunk))).on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    sent.on("error", reject).end(method === "POST" ? "m f=1" : undefined);
  });
}

describe.each(["raw", "app"] as const)("writes through the %s mount", (mount) => {
  it.each([...WRITES, ...OTHERS])("%s of a foreign page or name is refused, and nothing is called", async (line) => {
    const world = fakeWorld({ localCallersOnly: true });
    const ask = await serve(world, mount);
    for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { host: "evil.example:8181" }, { "sec-fetch-site": "cross-site" }]) {
      const answer = await ask(line, headers as Record<string, string>);
      expect([answer.status, answer.headers["tidemark-code"], answer.headers["tidemark-hint"]]).toEqual([403, "auth.not_local", HINT]);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      expect(answer.body).toContain("the server runs without authentication".slice(11));
    }
    expect(world.calls).toEqual([]);
  });

  it("answers a refused v2 write in that API's own shape", async () => {
    const ask = await serve(fakeWorld({ localCallersOnly: true }), mount);
    const answer = await ask("POST /api/v2/write?bucket=d", { origin: "https://evil.example" });
    expect(JSON.parse(answer.body)).toEqual({
      code: "forbidden",
      message: 'Web pages of "https://evil.example" may not use this server, which runs without authentication',
      hint: HINT,
    });
  });

  it.each(WRITES)("%s of this machine's pages is taken", async (line) => {
    const world = fakeWorld({ localCallersOnly: true });
    const ask = await serve(world, mount);
    for (const headers of [{}, { origin: "http://localhost:3000" }, { host: "localhost:8181", origin: "http://127.0.0.1:8181" }]) {
      expect((await ask(line, headers as Record<string, string>)).status).toBe(204);
    }
  });

  it.each(WRITES)("%s of everyone is taken with --without-auth", async (line) => {
    const ask = await serve(fakeWorld({ localCallersOnly: false }), mount);
    expect((await ask(line, { host: "evil.example", origin: "https://evil.example" })).status).toBe(204);
  });
});
