/** The request pipeline, authorization forms and body rules: spec http-api §2–§4. */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { CLUSTER_UUID, failure, fakeWorld, json, send, type FakeWorld } from "./fake-services.ts";

describe("pipeline (http-api §2)", () => {
  it.each(["OPTIONS /api/v3/write_lp", "OPTIONS /nowhere", "OPTIONS /api/v3/configure/token/admin"])("%s is a preflight", async (line) => {
    const { status, headers, text } = await send(fakeWorld(), line, { headers: { authorization: "nonsense" } });
    expect([status, text]).toEqual([204, ""]);
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.get("access-control-allow-methods")).toBe("*");
    expect(headers.get("access-control-allow-headers")).toBe("*");
    expect(headers.get("access-control-max-age")).toBe("86400");
    expect(headers.get("cluster-uuid")).toBe(CLUSTER_UUID);
  });

  it.each([
    "POST /api/v3/configure/token/admin",
    "POST /api/v3/configure/token/named_admin",
    "DELETE /api/v3/configure/token?token_name=x",
  ])("%s is disabled without auth", async (line) => {
    const { status, text } = await send(fakeWorld(), line);
    expect([status, text]).toEqual([405, "endpoint disabled, started without auth"]);
  });

  it.each([
    "GET /", "GET /nowhere", "HEAD /ping", "HEAD /health", "GET /write", "GET /api/v3/write_lp", "PUT /api/v3/write_lp", "DELETE /ping",
    "GET /ready", "POST /api/v2/query", "GET /api/v3/show", "GET /health/", "PUT /api/v3/engine/x", "GET /debug/pprof/heap",
  ])("%s is not found", async (line) => {
    const { status, text, headers } = await send(fakeWorld(), line);
    expect([status, text]).toEqual([404, line.startsWith("HEAD") ? text : "Not found"]);
    expect(headers.get("cluster-uuid")).toBe(CLUSTER_UUID);
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });

  it("decorates success with CORS and errors not; errors carry no content type", async () => {
    const world = fakeWorld();
    const success = await send(world, "POST /api/v3/configure/database", json({ db: "x" }));
    expect(success.headers.get("access-control-allow-origin")).toBe("*");
    world.failures.set("createDatabase", failure("resource.exists", "attempted to create a resource that already exists"));
    const error = await send(world, "POST /api/v3/configure/database", json({ db: "x" }));
    expect([error.status, error.text]).toEqual([409, "attempted to create a resource that already exists"]);
    for (const name of ["access-control-allow-origin", "content-type"]) expect(error.headers.get(name)).toBeNull();
    expect(error.headers.get("cluster-uuid")).toBe(CLUSTER_UUID);
  });

  it("tells what to do in headers, and never shows a stack", async () => {
    const world = fakeWorld();
    world.failures.set("createDatabase", failure("catalog.busy", "Busy", undefined, "wait – then\nretry"));
    const capacity = await send(world, "POST /api/v3/configure/database", json({ db: "x" }));
    expect(capacity.headers.get("retry-after")).toBe("1");
    expect(capacity.headers.get("tidemark-code")).toBe("catalog.busy");
    expect(capacity.headers.get("tidemark-hint")).toBe("wait   then retry");
    world.failures.set("createDatabase", new TypeError("x is not a function"));
    const ours = await send(world, "POST /api/v3/configure/database", json({ db: "x" }));
    expect([ours.status, ours.text]).toEqual([500, "Internal error: x is not a function"]);
  });
});

describe("authorization header (http-api §3.1)", () => {
  const malformed =
    '{"error": "Authorization header was malformed, the request was not in the form of \'Authorization: <auth-scheme> <token>\', supported auth-schemes are Bearer, Token and Basic"}';
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

  it.each(["Bearer t", "Token t", basic("user:t"), basic(":t")])("takes %j", async (authorization) => {
    expect((await send(fakeWorld(), "GET /health", { headers: { authorization } })).status).toBe(200);
  });

  it.each(["t", "bearer t", "Bearer", "Bearer a b", "Digest x", "Basic !!!", basic("nocolon"), basic("a:b:c"), "Basic /w=="])(
    "refuses %j even without auth, on unknown paths too",
    async (authorization) => {
      for (const line of ["GET /health", "GET /nowhere", "POST /api/v3/write_lp?db=x", "POST /write?db=x"]) {
        const { status, text } = await send(fakeWorld(), line, { headers: { authorization } });
        expect([line, status, text]).toEqual([line, 400, malformed]);
      }
    },
  );

  it("lets the v1 parameter p win over the header", async () => {
    const { status } = await send(fakeWorld(), "POST /write?db=x&p=t", { body: "a b=1", headers: { authorization: "nonsense" } });
    expect(status).toBe(204);
  });
});

describe("bodies (http-api §4)", () => {
  const BODY_SIZE_MAX = 64;
  const smallWorld = (): FakeWorld => fakeWorld({ bodySizeMax: BODY_SIZE_MAX });
  const fits = "a".repeat(BODY_SIZE_MAX);
  const tooLarge = `max request size (${BODY_SIZE_MAX} bytes) exceeded`;
  const gzip = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(gzipSync(text));
  const encoded = (body: Uint8Array<ArrayBuffer>): RequestInit => ({ body, headers: { "content-encoding": "gzip" } });

  it.each(["/api/v3/write_lp?db=x", "/write?db=x"])("limits the raw and the inflated body on %s", async (path) => {
    expect((await send(smallWorld(), `POST ${path}`, { body: fits })).status).toBe(204);
    const raw = await send(smallWorld(), `POST ${path}`, { body: `${fits}a` });
    expect([raw.status, raw.text]).toEqual([413, tooLarge]);
    const declared = await send(smallWorld(), `POST ${path}`, { body: fits, headers: { "content-length": "65" } });
    expect(declared.status).toBe(413);
    expect((await send(smallWorld(), `POST ${path}`, encoded(gzip(fits)))).status).toBe(204);
    const inflated = await send(smallWorld(), `POST ${path}`, encoded(gzip(`${fits}a`)));
    expect([inflated.status, inflated.text]).toEqual([413, tooLarge]);
  });

  it("limits JSON bodies too", async () => {
    const { status, text } = await send(smallWorld(), "POST /api/v3/query_sql", json({ db: "x", q: fits }));
    expect([status, text]).toEqual([413, tooLarge]);
  });

  it("inflates every member of a gzip stream", async () => {
    const world = fakeWorld();
    const body = new Uint8Array([...gzip("a b=1\n"), ...gzip("a b=2\n")]);
    expect((await send(world, "POST /api/v3/write_lp?db=x", encoded(body))).status).toBe(204);
    expect(Buffer.from((world.calls[0]?.[1] as { body: Uint8Array }).body).toString()).toBe("a b=1\na b=2\n");
  });

  it("refuses other and corrupt encodings", async () => {
    const other = await send(fakeWorld(), "POST /api/v3/write_lp?db=x", { body: "a b=1", headers: { "content-encoding": "br" } });
    expect([other.status, other.text]).toEqual([400, "unacceptable content-encoding: br"]);
    const corrupt = await send(fakeWorld(), "POST /api/v3/write_lp?db=x", encoded(new Uint8Array([1, 2, 3])));
    expect(corrupt.status).toBe(400);
    expect(corrupt.text).toMatch(/^error decoding gzip stream: /);
    const identity = await send(fakeWorld(), "POST /api/v3/write_lp?db=x", { body: "a b=1", headers: { "content-encoding": "identity" } });
    expect(identity.status).toBe(204);
  });

  it("refuses line protocol that is not UTF-8", async () => {
    const { status, text } = await send(fakeWorld(), "POST /api/v3/write_lp?db=x", { body: new Uint8Array([0x61, 0xff]) });
    expect([status, text]).toEqual([400, "body content is not valid utf8"]);
  });

  it.each([
    [undefined, 415],
    ["text/plain", 415],
    ["application/json", 200],
    ["application/json; charset=utf-8", 200],
    ["application/vnd.api+json", 200],
  ])("configure calls with content type %s answer %i", async (type, status) => {
    const init: RequestInit = { body: new TextEncoder().encode('{"db":"x"}'), headers: type === undefined ? {} : { "content-type": type } };
    const answer = await send(fakeWorld(), "POST /api/v3/configure/database", init);
    expect(answer.status).toBe(status);
    if (status === 415) expect(answer.text).toBe("unacceptable content-type, expected: application/json");
  });

  it.each([
    ["{}", "serde json error: missing field `db`"],
    ['{"db":5}', "serde json error: db: invalid type: integer `5`, expected a string"],
    ["[]", "serde json error: missing field `db`"],
    ["", "serde json error: EOF while parsing a value at line 1 column 0"],
    ["{", "serde json error: EOF while parsing an object at line 1 column 1"],
    ['{"db":"x",}', "serde json error: trailing comma at line 1 column 11"],
  ])("says what is wrong with the JSON %s", async (body, text) => {
    const answer = await send(fakeWorld(), "POST /api/v3/configure/database", json(body));
    expect([answer.status, answer.text]).toEqual([400, text]);
  });
});
