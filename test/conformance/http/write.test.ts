/** The write endpoints: spec http-api §6. Every case runs on the Hono route and on the raw handler; both must agree. */
import { describe, expect, it } from "vitest";
import { createRawWriteRoutes } from "../../../src/http/write-handler.ts";
import { failure, fakeWorld, send, type FakeWorld } from "./fake-services.ts";

async function post(world: FakeWorld, target: string, body = "a b=1"): Promise<{ status: number; text: string }> {
  const viaApp = await send(world, `POST ${target}`, { body });
  const [path, query] = target.split("?") as [string, string | undefined];
  const raw = await createRawWriteRoutes(world.services, world.options).handle({
    path,
    query,
    header: () => undefined,
    body: new TextEncoder().encode(body),
  });
  expect({ status: raw.status, text: raw.body ?? "" }).toEqual({ status: viaApp.status, text: viaApp.text });
  for (const [name, value] of Object.entries(raw.headers)) expect([name, viaApp.headers.get(name)]).toEqual([name, value]);
  return { status: viaApp.status, text: viaApp.text };
}

const V3 = "/api/v3/write_lp";
const PRECISION_WORDS = {
  auto: "auto", second: "second", s: "second", millisecond: "millisecond", ms: "millisecond",
  microsecond: "microsecond", us: "microsecond", u: "microsecond", nanosecond: "nanosecond", ns: "nanosecond", n: "nanosecond",
};

describe("POST /api/v3/write_lp (http-api §6.1)", () => {
  it("takes its defaults from the table", async () => {
    const world = fakeWorld();
    expect(await post(world, `${V3}?db=x`)).toEqual({ status: 204, text: "" });
    expect(world.calls[0]).toEqual([
      "write",
      { database: "x", precision: "auto", acceptPartial: true, noSync: false, utf8Checked: true, body: expect.any(Uint8Array) as Uint8Array },
    ]);
  });

  it.each(Object.entries(PRECISION_WORDS))("reads precision=%s as %s", async (word, precision) => {
    const world = fakeWorld();
    await post(world, `${V3}?db=x&precision=${word}&accept_partial=false&no_sync=true`);
    expect(world.calls[0]?.[1]).toMatchObject({ precision, acceptPartial: false, noSync: true });
  });

  it.each([
    [V3, "missing query parameter 'db'"],
    [`${V3}?`, "missing query parameter 'db'"],
    [`${V3}?precision=s`, "serde error: missing field `db`"],
    [
      `${V3}?db=x&precision=h`,
      "serde error: unknown variant `h`, expected one of `auto`, `second`, `s`, `millisecond`, `ms`, `microsecond`, `us`, `u`, `nanosecond`, `ns`, `n`",
    ],
    [`${V3}?db=x&accept_partial=1`, "serde error: provided string was not `true` or `false`"],
    [`${V3}?db=x&db=y`, "serde error: duplicate field `db`"],
  ])("%s answers 400 %s", async (target, text) => expect(await post(fakeWorld(), target)).toEqual({ status: 400, text }));

  it("ignores parameters it does not know, and decodes names", async () => {
    const world = fakeWorld();
    expect((await post(world, `${V3}?db=a%2Fb&org=o`)).status).toBe(204);
    expect(world.calls[0]?.[1]).toMatchObject({ database: "a/b" });
  });

  const line = { error_message: "No fields were provided", line_number: 2, original_line: "cpu" };

  it.each([
    [failure("write.empty", "incoming write was empty"), 400, "incoming write was empty"],
    [
      failure("write.partial", "m", { error: "partial write of line protocol occurred", data: [line] }),
      400,
      { error: "partial write of line protocol occurred", data: [line], code: "write.partial" },
    ],
    [
      failure("write.partial_limit", "m", { error: "partial write of line protocol occurred", data: [line] }),
      422,
      { error: "partial write of line protocol occurred", data: [line], code: "write.partial_limit" },
    ],
    [
      failure("write.rejected", "m", { error: "line protocol parsing error", data: line }, "h"),
      400,
      { error: "line protocol parsing error", data: line, code: "write.rejected", hint: "h" },
    ],
    [failure("database.invalid_name", "db name cannot be empty"), 400, { error: "db name cannot be empty", code: "database.invalid_name" }],
    [
      failure("database.limit", "Adding a new database would exceed limit of 5 databases"),
      422,
      { error: "Adding a new database would exceed limit of 5 databases", code: "database.limit" },
    ],
    [
      failure("database.deleted", "cannot write to soft-deleted database 'x' - it is marked for deletion"),
      400,
      { error: "cannot write to soft-deleted database 'x' - it is marked for deletion", code: "database.deleted" },
    ],
    [failure("wal.closed", "wal is shutdown and not accepting writes"), 500, "wal is shutdown and not accepting writes"],
    [failure("wal_ring.full", "WAL ring is full"), 503, "WAL ring is full"],
  ])("answers %s with %i", async (error, status, body) => {
    const world = fakeWorld();
    world.failures.set("write", error);
    const answer = await post(world, `${V3}?db=x`);
    expect(answer.status).toBe(status);
    expect(typeof body === "string" ? answer.text : JSON.parse(answer.text)).toEqual(body);
  });

  it("keeps the member order of the reference", async () => {
    const world = fakeWorld();
    world.failures.set("write", failure("write.rejected", "m", { error: "line protocol parsing error", data: line }));
    expect((await post(world, `${V3}?db=x`)).text).toMatch(/^\{"error":"line protocol parsing error","data":\{"error_message":/);
  });
});

describe("POST /api/v2/write (http-api §6.2)", () => {
  it("is strict, in nanoseconds, and ignores org", async () => {
    const world = fakeWorld();
    expect((await post(world, "/api/v2/write?org=o&bucket=a/b&no_sync=true")).status).toBe(204);
    expect(world.calls[0]?.[1]).toMatchObject({ database: "a/b", precision: "nanosecond", acceptPartial: false, noSync: false });
  });

  it.each(["n", "us", "u", "ms", "s", "second"])("knows the precision %s", async (word) =>
    expect((await post(fakeWorld(), `/api/v2/write?bucket=x&precision=${word}`)).status).toBe(204),
  );

  it.each([
    ["/api/v2/write", "no org/bucket destination provided"],
    ["/api/v2/write?org=o", "no org/bucket destination provided"],
    ["/api/v2/write?bucket=", "missing bucket value"],
  ])("%s answers %s", async (target, message) => {
    const { status, text } = await post(fakeWorld(), target);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ code: "invalid", message });
  });

  it("refuses minutes", async () => {
    const { status, text } = await post(fakeWorld(), "/api/v2/write?bucket=x&precision=m");
    expect(status).toBe(400);
    expect((JSON.parse(text) as { message: string }).message).toMatch(/^failed to deserialize org\/bucket\/precision in request: /);
  });

  it.each([
    [failure("write.empty", "incoming write was empty"), 400, "invalid", "write buffer error: incoming write was empty"],
    [
      failure("write.rejected", "m", { error: "line protocol parsing error", data: { error_message: "No fields were provided", line_number: 1, original_line: "x" } }),
      400,
      "invalid",
      "write buffer error: line protocol parse failed: No fields were provided (line 1)",
    ],
    [
      failure("database.limit", "Adding a new database would exceed limit of 5 databases"),
      400,
      "invalid",
      "write buffer error: Adding a new database would exceed limit of 5 databases",
    ],
    [failure("wal.closed", "wal is shutdown"), 500, "internal error", "write buffer error: wal is shutdown"],
    [failure("request.too_large", "max request size (1 bytes) exceeded"), 413, "request too large", "max request size (1 bytes) exceeded"],
  ])("answers %s with %i %s", async (error, status, code, message) => {
    const world = fakeWorld();
    world.failures.set("write", error);
    const answer = await post(world, "/api/v2/write?bucket=x");
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toEqual({ code, message });
  });
});

describe("POST /write (http-api §6.3)", () => {
  it.each([
    ["db=x", "x"],
    ["db=x&rp=", "x"],
    ["db=x&rp=''", "x"],
    ["db=x&rp=AutoGen", "x"],
    ["db=x&rp=default", "x"],
    ["db=x&rp=Weekly", "x/weekly"],
    ["db=x&u=user&p=token&consistency=any", "x"],
  ])("?%s writes to %s", async (query, database) => {
    const world = fakeWorld();
    expect((await post(world, `/write?${query}`)).status).toBe(204);
    expect(world.calls[0]?.[1]).toMatchObject({ database, precision: "nanosecond", acceptPartial: false });
  });

  it.each(["m", "h", "auto"])("refuses the precision %s as JSON", async (word) => {
    const { status, text } = await post(fakeWorld(), `/write?db=x&precision=${word}`);
    expect(status).toBe(400);
    expect((JSON.parse(text) as { error: string }).error).toMatch(/^failed to deserialize db\/rp\/precision in request: /);
  });

  it("misses its database as JSON", async () => {
    const { status, text } = await post(fakeWorld(), "/write");
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ error: "no db destination provided" });
  });
});
