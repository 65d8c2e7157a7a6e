/** Databases, tables, triggers, plugin files, engine requests and health: spec http-api §9, §10, §12. */
import { describe, expect, it } from "vitest";
import { parseServeConfig } from "../../../src/core/config/serve-config.ts";
import { allowsTrigger } from "../../../src/core/config/serve-config.ts";
import type { EngineRequest } from "../../../src/http/services.ts";
import { failure, fakeWorld, json, send } from "./fake-services.ts";

const DATABASE = "/api/v3/configure/database";
const TABLE = "/api/v3/configure/table";
const TRIGGER = "/api/v3/configure/processing_engine_trigger";

describe("health, ping, metrics (http-api §9)", () => {
  it.each(["GET /health", "GET /api/v1/health"])("%s", async (line) => {
    const { status, text, headers } = await send(fakeWorld(), line);
    expect([status, text, headers.get("content-type")]).toEqual([200, "OK", "text/plain; charset=utf-8"]);
  });

  it.each(["GET /ping", "POST /ping"])("%s", async (line) => {
    const { status, text, headers } = await send(fakeWorld(), line);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("x-influxdb-version")).toBe("3.10.0");
    expect(headers.get("x-influxdb-build")).toBe("Core");
    expect(headers.get("request-id")).toBe(headers.get("x-request-id"));
    expect(headers.get("request-id")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(JSON.parse(text)).toMatchObject({ product_name: "InfluxDB 3 Core", version: "3.10.0", revision: "abc", process_id: expect.any(String) as string });
  });

  it("GET /metrics", async () => {
    const { text, headers } = await send(fakeWorld(), "GET /metrics");
    expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(text).toBe('# HELP tidemark_lines_total Lines\n# TYPE tidemark_lines_total counter\ntidemark_lines_total{db="a\\"b"} 3\n# EOF\n');
  });
});

describe("databases (http-api §10)", () => {
  it("lists live ones sorted, deleted ones on demand", async () => {
    expect((await send(fakeWorld(), `GET ${DATABASE}?format=json`)).text).toBe('[{"iox::database":"_internal"},{"iox::database":"bar"},{"iox::database":"zoo"}]');
    expect((await send(fakeWorld(), `GET ${DATABASE}?format=csv&show_deleted=true`)).text).toBe(
      "iox::database,deleted\n_internal,false\nbar,false\nold-20260101T000000,true\nzoo,false\n",
    );
    const missing = await send(fakeWorld(), `GET ${DATABASE}`);
    expect([missing.status, missing.text]).toEqual([400, "serde error: missing field `format`"]);
  });

  it("creates with and without retention", async () => {
    const world = fakeWorld();
    expect(await send(world, `POST ${DATABASE}`, json({ db: "x" }))).toMatchObject({ status: 200, text: "" });
    await send(world, `POST ${DATABASE}`, json({ db: "x", retention_period: "30d" }));
    expect(world.calls).toEqual([
      ["createDatabase", "x", {}],
      ["createDatabase", "x", { retentionNs: 2_592_000_000_000_000n }],
    ]);
    const bad = await send(world, `POST ${DATABASE}`, json({ db: "x", retention_period: "soon" }));
    expect([bad.status, bad.text]).toEqual([400, "Cannot parse the given human time: soon"]);
  });

  it("changes the retention period", async () => {
    const world = fakeWorld();
    expect((await send(world, `PUT ${DATABASE}`, json({ db: "x", retention_period: "7d" }))).status).toBe(200);
    expect((await send(world, `PUT ${DATABASE}`, json({ db: "x", retention_period: null }))).status).toBe(200);
    expect((await send(world, `POST ${DATABASE}/retention_period?db=x&duration=1h`)).status).toBe(204);
    expect((await send(world, `DELETE ${DATABASE}/retention_period?db=x`)).status).toBe(204);
    expect(world.calls.map(([, , ns]) => ns)).toEqual([604_800_000_000_000n, undefined, 3_600_000_000_000n, undefined]);
    expect((await send(world, `POST ${DATABASE}/retention_period?db=x&duration=z`)).text).toBe("Cannot parse the given human time: z");
  });

  it("deletes by URL or by JSON (http-api §4)", async () => {
    const world = fakeWorld();
    expect((await send(world, `DELETE ${DATABASE}?db=x`)).status).toBe(200);
    expect((await send(world, `DELETE ${DATABASE}`, json({ db: "y", hard_delete_at: "never" }))).status).toBe(200);
    expect(world.calls).toEqual([["deleteDatabase", "x", "default"], ["deleteDatabase", "y", "never"]]);
    expect((await send(world, `DELETE ${DATABASE}`)).status).toBe(415);
  });

  it.each([
    ["now", "now"], ["never", "never"], ["default", "default"], ["2026-01-31T00:00:00Z", 1_769_817_600_000_000_000n], ["2026-01-31t01:30:00.000000001%2B01:30", 1_769_817_600_000_000_001n],
  ] as const)("hard_delete_at=%s", async (at, when) => {
    const world = fakeWorld();
    expect((await send(world, `DELETE ${DATABASE}?db=x&hard_delete_at=${at}`)).status).toBe(200);
    expect((await send(world, `DELETE ${TABLE}?db=x&table=t&hard_delete_at=${at}`)).status).toBe(200);
    expect(world.calls).toEqual([["deleteDatabase", "x", when], ["deleteTable", "x", "t", when]]);
  });

  it.each(["soon", "2026-01-31", "2026-13-01T00:00:00Z"])("hard_delete_at=%s is never silently ignored", async (at) => {
    for (const line of [`DELETE ${DATABASE}?db=x&hard_delete_at=${at}`, `DELETE ${TABLE}?db=x&table=t&hard_delete_at=${at}`]) {
      const world = fakeWorld();
      const answer = await send(world, line);
      expect([answer.status, answer.text, world.calls]).toEqual([400, `Cannot parse the timestamp: ${at}`, []]);
    }
  });

  it("a table has a retention period of its own", async () => {
    const world = fakeWorld();
    for (const period of ["7d", "none", null]) expect((await send(world, `PUT ${TABLE}`, json({ db: "x", table: "t", retention_period: period }))).status).toBe(200);
    await send(world, `POST ${TABLE}`, json({ db: "x", table: "t", tags: [], retention_period: "1h" }));
    expect(world.calls).toEqual([
      ["setTableRetention", "x", "t", 604_800_000_000_000n], ["setTableRetention", "x", "t", undefined], ["setTableRetention", "x", "t", undefined],
      ["createTable", "x", { table: "t", tags: [], fields: [], retentionNs: 3_600_000_000_000n }],
    ]);
    expect((await send(world, `PUT ${TABLE}`, json({ db: "x", table: "t", retention_period: "292000y" }))).status).toBe(400);
  });

  it.each([
    [failure("resource.not_found", "the requested resource was not found: x"), 404, "the requested resource was not found: x"],
    [failure("database.internal", "cannot modify internal db"), 500, "cannot modify internal db"],
    [failure("resource.deleted", "attempted to modify resource that was already deleted: x"), 409, "attempted to modify resource that was already deleted: x"],
    [failure("database.invalid_name", "database name '!' contains invalid character"), 400, "database name '!' contains invalid character"],
    [failure("database.limit", "Adding a new database would exceed limit of 5 databases"), 422, '{"error":"Adding a new database would exceed limit of 5 databases","code":"database.limit"}'],
  ])("%s answers %i", async (error, status, text) => {
    const world = fakeWorld();
    world.failures.set("deleteDatabase", error);
    const answer = await send(world, `DELETE ${DATABASE}?db=x`);
    expect([answer.status, answer.text]).toEqual([status, text]);
  });
});

describe("tables (http-api §10)", () => {
  it("creates and deletes", async () => {
    const world = fakeWorld();
    const table = { tags: ["a"], fields: [{ name: "f", type: "uint64" }] };
    expect((await send(world, `POST ${TABLE}`, json({ db: "x", table: "t", ...table }))).status).toBe(200);
    expect((await send(world, `POST ${TABLE}`, json({ db: "x", table: "t", tags: [] }))).status).toBe(200);
    expect((await send(world, `DELETE ${TABLE}?db=x&table=t`)).status).toBe(200);
    expect(world.calls).toEqual([
      ["createTable", "x", { table: "t", ...table }],
      ["createTable", "x", { table: "t", tags: [], fields: [] }],
      ["deleteTable", "x", "t", "default"],
    ]);
  });

  it("knows five field types", async () => {
    const { status, text } = await send(fakeWorld(), `POST ${TABLE}`, json({ db: "x", table: "t", tags: [], fields: [{ name: "f", type: "text" }] }));
    expect([status, text]).toEqual([400, "serde json error: unknown variant `text`, expected one of `utf8`, `int64`, `uint64`, `float64`, `bool`"]);
  });
});

describe("triggers (http-api §12, processing-engine §4.1)", () => {
  const body = {
    db: "x",
    plugin_filename: "p.py",
    trigger_name: "t",
    trigger_settings: { run_async: false, error_behavior: "log" },
    trigger_specification: "all_tables",
    trigger_arguments: { k: "v" },
    disabled: false,
  };

  it("creates", async () => {
    const world = fakeWorld();
    expect(await send(world, `POST ${TRIGGER}`, json({ ...body, unknown: 1 }))).toMatchObject({ status: 200, text: "" });
    await send(world, `POST ${TRIGGER}`, json({ ...body, trigger_arguments: null }));
    expect(world.calls).toEqual([
      [
        "createTrigger",
        {
          database: "x", pluginFileName: "p.py", triggerName: "t", runAsync: false, errorBehavior: "log",
          specification: "all_tables", arguments: [["k", "v"]], disabled: false,
        },
      ],
      ["createTrigger", expect.objectContaining({ arguments: undefined })],
    ]);
  });

  it.each([
    [{ trigger_specification: undefined }, "missing field `trigger_specification`"],
    [{ trigger_settings: { run_async: true, error_behavior: "panic" } }, "unknown variant `panic`, expected one of `log`, `retry`, `disable`"],
    [{ trigger_arguments: { k: 1 } }, "trigger_arguments.k: invalid type: integer `1`, expected a string"],
  ])("refuses %j", async (change, text) => {
    const answer = await send(fakeWorld(), `POST ${TRIGGER}`, json({ ...body, ...change }));
    expect([answer.status, answer.text]).toEqual([400, `serde json error: ${text}`]);
  });

  it.each([
    [{ disabled: undefined }, { disabled: false }],
    [{ trigger_settings: undefined }, { runAsync: false, errorBehavior: "log" }],
    [{ trigger_settings: { run_async: true } }, { runAsync: true, errorBehavior: "log" }],
    [{ trigger_settings: { error_behavior: "Retry" } }, { runAsync: false, errorBehavior: "retry" }],
    [{ durable: true }, { durable: true }],
  ])("takes %j, as the reference's documentation writes it or beyond it (processing-engine §23)", async (change, expected) => {
    const world = fakeWorld();
    expect((await send(world, `POST ${TRIGGER}`, json({ ...body, ...change }))).status).toBe(200);
    expect(world.calls).toEqual([["createTrigger", expect.objectContaining(expected)]]);
  });

  it("changes what is given and nothing else", async () => {
    const world = fakeWorld();
    expect((await send(world, `PUT ${TRIGGER}`, json({ db: "x", trigger_name: "t", trigger_specification: "every:5s", trigger_arguments: null, trigger_settings: { run_async: true } }))).status).toBe(200);
    expect((await send(world, `PUT ${TRIGGER}`, json({ db: "x", trigger_name: "t", durable: false, trigger_arguments: { a: "b" } }))).status).toBe(200);
    expect(world.calls).toEqual([
      ["updateTrigger", { database: "x", triggerName: "t", specification: "every:5s", runAsync: true, arguments: { values: undefined }, limits: {}, grants: {} }],
      ["updateTrigger", { database: "x", triggerName: "t", durable: false, arguments: { values: [["a", "b"]] }, limits: {}, grants: {} }],
    ]);
  });

  it("reads only the URL when it has a query string, and so misses the settings (processing-engine §4.1)", async () => {
    const answer = await send(fakeWorld(), `POST ${TRIGGER}?db=x`, json(body));
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/^serde error: missing field /);
  });

  it("refuses restricted kinds", async () => {
    const config = parseServeConfig(
      { text: () => undefined, list: (name) => (name === "restrict-plugin-triggers-to" ? ["request"] : []), isSet: () => false, count: () => 0 },
      { defaultDataDir: "/d", defaultNodeId: "n", logIsTerminal: false, defaultAuthentication: "tokens", resolvePath: (path) => path, env: () => undefined },
    );
    const world = fakeWorld({ allowsTrigger: (specification) => allowsTrigger(config, specification) });
    const answer = await send(world, `POST ${TRIGGER}`, json(body));
    expect([answer.status, answer.text]).toEqual([400, "invalid request: server is configured to reject WalRows plugin triggers"]);
    expect((await send(world, `POST ${TRIGGER}`, json({ ...body, trigger_specification: "request:x" }))).status).toBe(200);
    expect((await send(world, `POST ${TRIGGER}`, json({ ...body, trigger_specification: "never" }))).status).toBe(500);
  });

  it.each([
    [`DELETE ${TRIGGER}?db=x&trigger_name=t&force=true`, undefined, ["deleteTrigger", "x", "t", true]],
    [`DELETE ${TRIGGER}?db=x&trigger_name=t`, undefined, ["deleteTrigger", "x", "t", false]],
    [`DELETE ${TRIGGER}`, { db: "x", trigger_name: "t", force: true }, ["deleteTrigger", "x", "t", true]],
    [`POST ${TRIGGER}/enable?db=x&trigger_name=t`, undefined, ["setTriggerEnabled", "x", "t", true]],
    [`POST ${TRIGGER}/disable?db=x&trigger_name=t`, undefined, ["setTriggerEnabled", "x", "t", false]],
  ])("%s", async (line, value, call) => {
    const world = fakeWorld();
    expect((await send(world, line, value === undefined ? {} : json(value))).status).toBe(200);
    expect(world.calls).toEqual([call]);
  });

  it("keeps the reference's refusal of running ones", async () => {
    const world = fakeWorld();
    world.failures.set("deleteTrigger", failure("trigger.running", "Cannot delete running plugin t. Disable it first or use --force."));
    const answer = await send(world, `DELETE ${TRIGGER}?db=x&trigger_name=t`);
    expect([answer.status, answer.text]).toEqual([500, "Cannot delete running plugin t. Disable it first or use --force."]);
  });
});

describe("plugins (http-api §12)", () => {
  it("tests WAL plugins", async () => {
    const world = fakeWorld();
    const answer = await send(world, "POST /api/v3/plugin_test/wal", json({ filename: "p.py", database: "x", input_lp: "a b=1", input_arguments: { k: "v" } }));
    expect(JSON.parse(answer.text)).toMatchObject({ log_lines: ["INFO: x"], database_writes: { db: ["a b=1"] }, errors: [] });
    expect(world.calls).toEqual([["testWal", { fileName: "p.py", database: "x", inputLp: "a b=1", inputArguments: [["k", "v"]] }]]);
  });

  it("tests schedule plugins", async () => {
    const world = fakeWorld();
    const answer = await send(world, "POST /api/v3/plugin_test/schedule", json({ filename: "p.py", database: "x", schedule: "* * * * * *" }));
    expect(JSON.parse(answer.text)).toMatchObject({ trigger_time: "2026-01-01T00:00:01Z", errors: [] });
    expect(world.calls).toEqual([["testSchedule", { fileName: "p.py", database: "x", schedule: "* * * * * *" }]]);
  });

  it.each([["POST", "createPluginFile"], ["PUT", "updatePluginFile"]])("%s /api/v3/plugins/files is %s", async (method, call) => {
    const world = fakeWorld();
    expect((await send(world, `${method} /api/v3/plugins/files`, json({ plugin_name: "p.py", content: "é" }))).status).toBe(200);
    expect(world.calls).toEqual([[call, "p.py", Uint8Array.of(0xc3, 0xa9)]]);
  });

  it("takes files that are not text as base64, and refuses what is not base64", async () => {
    const world = fakeWorld();
    expect((await send(world, "POST /api/v3/plugins/files", json({ plugin_name: "m.bin", content: "/wA=", encoding: "base64" }))).status).toBe(200);
    expect(world.calls).toEqual([["createPluginFile", "m.bin", Uint8Array.of(255, 0)]]);
    expect((await send(world, "POST /api/v3/plugins/files", json({ plugin_name: "m.bin", content: "?", encoding: "base64" }))).status).toBe(400);
  });

  it("PUT /api/v3/plugins/directory replaces the directory of a trigger", async () => {
    const world = fakeWorld();
    const files = [{ relative_path: "__init__.py", content: "a" }, { relative_path: "sub/b.py", content: "b" }];
    expect((await send(world, "PUT /api/v3/plugins/directory", json({ plugin_name: "trigger", files }))).status).toBe(200);
    expect(world.calls).toEqual([["updatePluginFolder", "trigger", new Map([["__init__.py", Uint8Array.of(97)], ["sub/b.py", Uint8Array.of(98)]])]]);
  });

});

describe("engine requests (processing-engine §8, §10.4)", () => {
  const respond = (status: number, headers: [string, string][], body: string): { status: number; headers: [string, string][]; body: Uint8Array } => ({
    status, headers, body: new TextEncoder().encode(body),
  });

  it("hands over path, query, headers without authorization, and body", async () => {
    const world = fakeWorld();
    world.engineResponse = respond(200, [["Content-Type", "text/html"]], "hi");
    const answer = await send(world, "POST /api/v3/engine/a/b%20c?x=1&x=2&y=%20", {
      body: "in",
      headers: { authorization: "Bearer t", "X-Own": "1", "content-type": "text/plain" },
    });
    expect([answer.status, answer.text, answer.headers.get("content-type")]).toEqual([200, "hi", "text/html"]);
    const asked = world.calls[0]?.[1] as EngineRequest;
    // Over a socket the headers of the connection come with them.
    expect({ ...asked, headers: asked.headers.filter(([name]) => name !== "host" && name !== "content-length") }).toEqual({
      path: "a/b%20c",
      query: [["x", "1"], ["x", "2"], ["y", " "]],
      headers: [["content-type", "text/plain"], ["x-own", "1"]],
      body: new TextEncoder().encode("in"),
    });
  });

  it.each(["GET /api/v3/engine/none", "GET /api/v3/engine/", "POST /api/v3/engine/a/b"])("%s: no trigger", async (line) => {
    const { status, text, headers } = await send(fakeWorld(), line);
    expect([status, text, headers.get("content-type")]).toEqual([404, '{error: "not found"}', null]);
  });

  it.each([
    [99, 500, "x"], [1, 500, "x"], [600, 500, "x"], [204, 204, ""], [304, 304, ""], [599, 599, "x"],
  ])("status %i becomes %i", async (given, status, text) => {
    const world = fakeWorld();
    world.engineResponse = respond(given, [], "x");
    const answer = await send(world, "GET /api/v3/engine/a");
    expect([answer.status, answer.text]).toEqual([status, text]);
  });

  it("lets a plugin set headers but not the framing", async () => {
    const world = fakeWorld();
    world.engineResponse = respond(
      200,
      [["Content-Type", "text/html"], ["content-type", "text/csv"], ["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"], ["Content-Length", "999"], ["Transfer-Encoding", "chunked"], ["X-Bad", "a\r\nb: c"], ["bad name", "x"]],
      "hi",
    );
    const { headers, text } = await send(world, "GET /api/v3/engine/a");
    expect([text, headers.get("content-type"), headers.get("x-bad"), headers.get("content-length") ?? "2", headers.getSetCookie()]).toEqual([
      "hi", "text/csv", "", "2", ["a=1", "b=2"],
    ]);
  });

  it("answers a plugin's error as JSON without a content type", async () => {
    const world = fakeWorld();
    world.failures.set("request", failure("plugin.raised", "Python function call failed: ValueError: no"));
    const { status, text, headers } = await send(world, "GET /api/v3/engine/a");
    expect([status, headers.get("content-type")]).toEqual([500, null]);
    expect(JSON.parse(text)).toEqual({ error: "Python function call failed: ValueError: no", code: "plugin.raised" });
  });
});

describe("caches (http-api §11)", () => {
  it("are created from JSON, whatever is left out or null takes its default", async () => {
    const world = fakeWorld();
    const full = { db: "d", table: "t", name: "n", key_columns: ["a"], value_columns: ["b"], count: 2, ttl: 60 };
    expect(await send(world, "POST /api/v3/configure/last_cache", json(full))).toMatchObject({ status: 201, text: '{"name":"made"}' });
    await send(world, "POST /api/v3/configure/last_cache", json({ db: "d", table: "t", name: null }));
    await send(world, "POST /api/v3/configure/distinct_cache", json({ db: "d", table: "t", columns: ["a", "b"], max_cardinality: 5, max_age: 7 }));
    expect(world.calls).toEqual([
      ["createLast", { database: "d", table: "t", name: "n", keyColumns: ["a"], valueColumns: ["b"], count: 2, ttlSeconds: 60 }],
      ["createLast", { database: "d", table: "t", name: undefined, keyColumns: undefined, valueColumns: undefined, count: undefined, ttlSeconds: undefined }],
      ["createDistinct", { database: "d", table: "t", name: undefined, columns: ["a", "b"], cardinalityMax: 5, ageSecondsMax: 7 }],
    ]);
  });

  it.each(["last", "distinct"])("are deleted by query or body: %s", async (kind) => {
    const world = fakeWorld();
    const cache = { database: "d", table: "t", name: "n" };
    expect((await send(world, `DELETE /api/v3/configure/${kind}_cache?db=d&table=t&name=n`, {})).status).toBe(200);
    expect((await send(world, `DELETE /api/v3/configure/${kind}_cache`, json({ db: "d", table: "t", name: "n" }))).status).toBe(200);
    expect(world.calls).toEqual([["deleteCache", kind, cache], ["deleteCache", kind, cache]]);
  });

  it.each([
    ["last_cache", { db: "d" }, "missing field `table`"],
    ["last_cache", { db: "d", table: "t", count: "x" }, "expected a number"],
    ["distinct_cache", { db: "d", table: "t" }, "missing field `columns`"],
  ])("refuse a body that does not fit: %s", async (path, body, text) => {
    const answer = await send(fakeWorld(), `POST /api/v3/configure/${path}`, json(body));
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(text);
  });
});
