/** A server without authentication and the web: the app and the raw write mount refuse the same callers alike. */
import { afterEach, describe, expect, it } from "vitest";
import { fakeWorld, type FakeWorld } from "./fake-services.ts";
import { chosenServer, HttpTransport } from "./over-http.ts";
import type { Answer } from "./transport.ts";

const HINT = "start the server with --without-auth if every web page and every host name may reach it";
const WRITES = ["POST /api/v3/write_lp?db=d", "POST /api/v2/write?bucket=d", "POST /write?db=d"];
const OTHERS = ["GET /ping", "GET /api/v3/query_sql?db=d&q=SELECT+1", "POST /api/v3/engine/x", "OPTIONS /api/v3/write_lp", "DELETE /api/v3/configure/database?db=d"];

let open: HttpTransport | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

/** With the raw mount writes go through it where the server has one, without it through the app. */
function serve(world: FakeWorld, mount: "raw" | "app"): (line: string, headers: Record<string, string>) => Promise<Answer> {
  const transport = (open = new HttpTransport({ server: chosenServer(), mount }));
  return (line, headers) => transport.ask(world, line, { headers, ...(line.startsWith("POST") ? { body: "m f=1" } : {}) });
}

describe.each(["raw", "app"] as const)("writes through the %s mount", (mount) => {
  it.each([...WRITES, ...OTHERS])("%s of a foreign page or name is refused, and nothing is called", async (line) => {
    const world = fakeWorld({ localCallersOnly: true });
    const ask = serve(world, mount);
    for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { host: "evil.example:8181" }, { "sec-fetch-site": "cross-site" }]) {
      const answer = await ask(line, headers as Record<string, string>);
      expect([answer.status, answer.headers.get("tidemark-code"), answer.headers.get("tidemark-hint")]).toEqual([403, "auth.not_local", HINT]);
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      expect(answer.text).toContain("the server runs without authentication".slice(11));
    }
    expect(world.calls).toEqual([]);
  });

  it("answers a refused v2 write in that API's own shape", async () => {
    const ask = serve(fakeWorld({ localCallersOnly: true }), mount);
    const answer = await ask("POST /api/v2/write?bucket=d", { origin: "https://evil.example" });
    expect(JSON.parse(answer.text)).toEqual({
      code: "forbidden",
      message: 'Web pages of "https://evil.example" may not use this server, which runs without authentication',
      hint: HINT,
    });
  });

  it.each(WRITES)("%s of this machine's pages is taken", async (line) => {
    const world = fakeWorld({ localCallersOnly: true });
    const ask = serve(world, mount);
    for (const headers of [{}, { origin: "http://localhost:3000" }, { host: "localhost:8181", origin: "http://127.0.0.1:8181" }]) {
      expect((await ask(line, headers as Record<string, string>)).status).toBe(204);
    }
  });

  it.each(WRITES)("%s of everyone is taken with --without-auth", async (line) => {
    const ask = serve(fakeWorld({ localCallersOnly: false }), mount);
    expect((await ask(line, { host: "evil.example", origin: "https://evil.example" })).status).toBe(204);
  });
});
