// Goal: a plugin that may reach its own server can use data and other plugins there, and cannot set the server up. Method: the real
// app, with every path of its own description, as asked by a plugin and by somebody else.
import { describe, expect, test } from "vitest";
import { createApp } from "../../src/http/app.ts";
import { fakeWorld } from "../conformance/http/fake-services.ts";

const PLUGIN = ["127.0.0.1", 50_000] as const;
const isPlugin = (peer: readonly [string, number] | undefined): boolean => peer?.[0] === PLUGIN[0] && peer[1] === PLUGIN[1];

async function status(method: string, path: string, peer: readonly [string, number] | undefined, token?: string, authenticated = false): Promise<string> {
  const checked = { authenticate: (text: string | undefined) => {
    if (text !== "known") throw new Error("the fake knows one token");
    return { id: 1, name: "n", hash: "h", createdMs: 0n } as never;
  } };
  const { services, options } = fakeWorld({ isPlugin, ...(authenticated ? checked : {}) });
  const request = new Request(`http://localhost${path}`, { method, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  const response = await createApp(services, options).fetch(request, { peer: () => peer });
  const text = await response.text();
  return text.includes("may not ask its own server") ? `refused ${response.status}` : "served";
}

async function described(): Promise<(readonly [method: string, path: string])[]> {
  const { services, options } = fakeWorld();
  const document = (await (await createApp(services, options).request("http://localhost/openapi.json")).json()) as { readonly paths: Record<string, Record<string, unknown>> };
  return Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => [method.toUpperCase(), path.replace(/\{[^}]*\}/g, "x")] as const));
}

const DATA = /^\/(?:health|ping|metrics|openapi\.json|write|query|api\/v1\/health|api\/v2\/write|api\/v3\/(?:write_lp|query_sql|query_influxql|engine\/.*))$/;

describe("a plugin without a token that was checked", () => {
  test("is refused every path but those of data and plugins; nobody else is", async () => {
    const paths = await described();
    expect(paths.length).toBeGreaterThan(25);
    for (const [method, path] of paths) {
      // A server without authentication closes its token paths to everybody.
      const closed = path.startsWith("/api/v3/configure/token");
      expect([method, path, await status(method, path, PLUGIN)]).toEqual([method, path, closed || DATA.test(path) ? "served" : "refused 403"]);
      expect([method, path, await status(method, path, ["127.0.0.1", 50_001])]).toEqual([method, path, "served"]);
      expect([method, path, await status(method, path, undefined)]).toEqual([method, path, "served"]);
    }
  });

  test("cannot make one up, nor make the first operator token of a new server", async () => {
    expect(await status("POST", "/api/v3/configure/database", PLUGIN, "made-up")).toBe("refused 403");
    expect(await status("POST", "/api/v3/configure/token/admin", PLUGIN, undefined, true)).toBe("refused 403");
    expect(await status("POST", "/api/v3/configure/token/admin", PLUGIN, "made-up", true)).toBe("refused 403");
    expect(await status("POST", "/api/v3/configure/token/admin", ["127.0.0.1", 50_001], undefined, true)).toBe("served");
  });
});

test("a plugin with a token that was checked may do what the token may", async () => {
  expect(await status("POST", "/api/v3/configure/database", PLUGIN, "known", true)).toBe("served");
});
