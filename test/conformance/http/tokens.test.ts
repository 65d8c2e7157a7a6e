/** Tokens over HTTP (spec: http-api §2, §3): the real token service on a catalog in memory, behind the real app and write handler. */
import { createHash, randomBytes } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { createMemoryObjectStore } from "../../../src/adapters/object-store/memory.ts";
import { tokenSource } from "../../../src/adapters/system/token-source.ts";
import { CatalogService } from "../../../src/engine/catalog-service.ts";
import { TokenService } from "../../../src/engine/token-service.ts";
import { createRawWriteRoutes } from "../../../src/http/write-handler.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { fakeWorld, json, send, type FakeWorld } from "./fake-services.ts";

const TOKEN = "/api/v3/configure/token";
const UNAUTHENTICATED = '{"error": "the request was not authenticated"}';

let world: FakeWorld;
let clock: VirtualClock;
let openCatalog: () => Promise<CatalogService>;

beforeEach(async () => {
  const store = createMemoryObjectStore();
  clock = new VirtualClock();
  openCatalog = () => CatalogService.open({ store, prefix: "n/catalog", random16: () => randomBytes(16), clock });
  await start();
});

/** A server on the same store: a second call is a restart. */
async function start(): Promise<void> {
  const catalog = await openCatalog();
  const tokens = new TokenService({ catalog, source: tokenSource, clock, log: { log: () => undefined } });
  const fake = fakeWorld({ authenticate: (token) => tokens.authenticate(token), openPaths: new Set(["/health"]) });
  world = { ...fake, services: { ...fake.services, tokens } };
}

interface Issued {
  readonly id: number;
  readonly name: string;
  readonly token: string;
  readonly hash: string;
  readonly created_at: number;
  readonly expiry: number | null;
}

async function issue(line: string, init: RequestInit = {}): Promise<Issued> {
  const answer = await send(world, line, init);
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as Issued;
}

const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });
const named = (token: string, body: object): RequestInit => ({ body: JSON.stringify(body), headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } });
const createOperator = (): Promise<Issued> => issue(`POST ${TOKEN}/admin`);

describe("the first admin token (§3.4)", () => {
  it("is made without a token, once, in the documented shape", async () => {
    const first = await createOperator();
    expect(first.token).toMatch(/^apiv3_[A-Za-z0-9_-]{86}$/);
    expect(first).toEqual({ id: 1, name: "_admin", token: first.token, hash: createHash("sha512").update(first.token).digest("hex"), created_at: Number(clock.nowNs() / 1_000_000n), expiry: null });
    const second = await send(world, `POST ${TOKEN}/admin`);
    expect([second.status, second.text]).toEqual([409, "token name already exists, _admin"]);
  });

  it("is stored as a hash only and holds after a restart", async () => {
    const { token } = await createOperator();
    await start();
    expect((await send(world, "GET /ping", bearer(token))).status).toBe(200);
    const catalog = await openCatalog();
    expect(JSON.stringify([...catalog.state.tokens.values()], (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value))).not.toContain(token);
  });
});

describe("a request without a valid token (§3.2)", () => {
  const PROTECTED = [
    "GET /ping", "GET /metrics", "GET /api/v3/query_sql?db=d&q=SELECT+1", "POST /api/v3/write_lp?db=d", "POST /api/v2/write?bucket=d", "POST /write?db=d",
    "GET /api/v3/configure/database?format=json", "POST /api/v3/engine/x", `POST ${TOKEN}/admin/regenerate`, `DELETE ${TOKEN}?token_name=x`, "GET /nowhere", "GET /query?q=x",
  ];

  it.each(PROTECTED)("%s is refused before anything is looked at", async (line) => {
    await createOperator();
    for (const init of [{}, bearer("apiv3_wrong"), bearer("x"), { headers: { authorization: "Basic dTpub25l" } }]) {
      const answer = await send(world, line, init);
      expect([answer.status, answer.text, answer.headers.get("content-type"), answer.headers.get("access-control-allow-origin")]).toEqual([401, UNAUTHENTICATED, null, null]);
    }
    expect(world.calls).toEqual([]);
  });

  it.each(["Bearer", "bearer apiv3_x", "Bearer a b", "Basic !!!", "Digest x"])("Authorization: %j is malformed", async (authorization) => {
    const answer = await send(world, "GET /ping", { headers: { authorization } });
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/^\{"error": "Authorization header was malformed, /);
  });

  it("is answered on preflights and on paths of --disable-authz", async () => {
    expect((await send(world, "OPTIONS /api/v3/write_lp")).status).toBe(204);
    expect((await send(world, "GET /health")).status).toBe(200);
    expect((await send(world, "GET /api/v1/health")).status).toBe(401);
  });
});

describe("a valid token (§3.1)", () => {
  it.each(["Bearer", "Token", "Basic"])("is taken as %s", async (scheme) => {
    const { token } = await createOperator();
    const value = scheme === "Basic" ? Buffer.from(`anyone:${token}`).toString("base64") : token;
    const init = { headers: { authorization: `${scheme} ${value}` } };
    expect((await send(world, "GET /api/v3/query_sql?db=d&q=SELECT+1", init)).status).toBe(200);
    expect((await send(world, "POST /api/v3/write_lp?db=d", { ...init, body: "m f=1" })).status).toBe(204);
  });

  it("stands in p on v1 paths, where it wins over the header", async () => {
    const { token } = await createOperator();
    expect((await send(world, `POST /write?db=d&u=x&p=${token}`, { body: "m f=1" })).status).toBe(204);
    expect((await send(world, `POST /write?db=d&p=wrong`, { body: "m f=1", ...bearer(token) })).status).toBe(401);
    expect((await send(world, `POST /api/v3/write_lp?db=d&p=${token}`, { body: "m f=1" })).status).toBe(401);
  });

  it("is asked for by the raw mount as by the app", async () => {
    const { token } = await createOperator();
    const raw = createRawWriteRoutes(world.services, world.options);
    const write = (authorization: string | undefined): Promise<{ status: number }> =>
      raw.handle({ path: "/api/v3/write_lp", query: "db=d", header: (name) => (name === "authorization" ? authorization : undefined), body: new TextEncoder().encode("m f=1") });
    expect([(await write(undefined)).status, (await write("Bearer apiv3_wrong")).status, (await write(`Bearer ${token}`)).status]).toEqual([401, 401, 204]);
  });
});

describe("named admin tokens (§3.4)", () => {
  it("are made by an admin, work like the operator's, and expire", async () => {
    const operator = await createOperator();
    const made = await issue(`POST ${TOKEN}/named_admin`, named(operator.token, { token_name: "ci", expiry_secs: 60 }));
    expect([made.id, made.name, made.expiry]).toEqual([2, "ci", made.created_at + 60_000]);
    expect((await send(world, "GET /ping", bearer(made.token))).status).toBe(200);
    await clock.advance(59_999);
    expect((await send(world, "GET /ping", bearer(made.token))).status).toBe(200);
    await clock.advance(1);
    expect((await send(world, "GET /ping", bearer(made.token))).status).toBe(401);
    expect((await send(world, "GET /ping", bearer(operator.token))).status).toBe(200);
  });

  it.each([
    [{ token_name: "_admin" }, 409, "token name already exists, _admin"],
    [{ token_name: "" }, 400, "token name must have 1 to 255 characters"],
    [{ token_name: "x", expiry_secs: 0 }, 400, "serde json error: expiry_secs must be at least 1"],
    [{}, 400, "serde json error: missing field `token_name`"],
  ])("%j is refused", async (body, status, text) => {
    const { token } = await createOperator();
    const answer = await send(world, `POST ${TOKEN}/named_admin`, named(token, body));
    expect([answer.status, answer.text]).toEqual([status, text]);
  });

  it("need a JSON content type", async () => {
    const { token } = await createOperator();
    expect((await send(world, `POST ${TOKEN}/named_admin`, { ...bearer(token), body: "{}" })).status).toBe(415);
  });

  it("are deleted by name, at once; the operator is not", async () => {
    const { token } = await createOperator();
    const other = await issue(`POST ${TOKEN}/named_admin`, named(token, { token_name: "ci" }));
    expect((await send(world, `DELETE ${TOKEN}?token_name=ci`, bearer(token))).status).toBe(200);
    expect((await send(world, "GET /ping", bearer(other.token))).status).toBe(401);
    const again = await send(world, `DELETE ${TOKEN}?token_name=ci`, bearer(token));
    expect([again.status, again.text]).toEqual([404, "the requested resource was not found: ci"]);
    const operator = await send(world, `DELETE ${TOKEN}`, { ...named(token, { token_name: "_admin" }) });
    expect([operator.status, operator.text]).toEqual([405, "cannot delete operator token"]);
  });
});

describe("a regenerated operator token (§3.4)", () => {
  it("replaces the old one at once", async () => {
    const old = await createOperator();
    const fresh = await issue(`POST ${TOKEN}/admin/regenerate`, bearer(old.token));
    expect([fresh.id, fresh.name, fresh.token === old.token]).toEqual([old.id, "_admin", false]);
    expect((await send(world, "GET /ping", bearer(old.token))).status).toBe(401);
    expect((await send(world, "GET /ping", bearer(fresh.token))).status).toBe(200);
  });
});

it("a server without authentication has no token endpoints (§2)", async () => {
  const answer = await send(fakeWorld(), `POST ${TOKEN}/named_admin`, json({ token_name: "x" }));
  expect([answer.status, answer.text]).toEqual([405, "endpoint disabled, started without auth"]);
});

it("no token reaches the server's log, however it is sent", async () => {
  const lines: string[] = [];
  const log = { log: (...line: unknown[]): void => void lines.push(JSON.stringify(line)) };
  world = { ...world, options: { ...world.options, log, logsRequests: true } };
  const { token } = await createOperator();
  await send(world, `POST /write?db=d&p=${token}`, { body: "m f=1" });
  await send(world, `GET /query?db=d&p=${token}`);
  await send(world, "GET /ping", bearer(token));
  expect(lines.length).toBeGreaterThanOrEqual(4);
  expect(lines.join("")).not.toContain(token);
});
