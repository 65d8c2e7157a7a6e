/** `/api/v3/plugin_test/…` (spec: processing-engine §16). */
import { describe, expect, it } from "vitest";
import { handler, onWrites, request, rows, send, store, testRun, unique, write } from "./harness.ts";

const NOTHING = { log_lines: [], database_writes: {} };

export function testEndpointCases(): void {
  const wal = async (body: string, json: object): ReturnType<typeof testRun> => testRun("wal", { filename: await store(onWrites(body)), database: unique("none"), ...json });

  describe("§16, plugin_test/wal", () => {
    it("the reference's members, lines around the run included", async () => {
      const report = await wal('influxdb3_local.warn("rows", len(table_batches[0]["rows"]))', { input_lp: "m f=1 1\nm f=2 2" });
      expect(report).toMatchObject({ errors: [], database_writes: {} });
      expect(report.log_lines).toEqual(["INFO: starting execution of wal plugin.", "WARN: rows 2", expect.stringMatching(/^INFO: finished execution in \d/)]);
    });
    it("the database need not exist, and all tables are passed", async () => {
      expect((await wal('influxdb3_local.info([b["table_name"] for b in table_batches])', { input_lp: "a f=1\nb f=1" })).log_lines[1]).toBe("INFO: ['a', 'b']");
    });
    it("input arguments, or None", async () => {
      expect((await wal("influxdb3_local.info(args)", { input_lp: "a f=1", input_arguments: { k: "v" } })).log_lines[1]).toBe("INFO: {'k': 'v'}");
      expect((await wal("influxdb3_local.info(args)", { input_lp: "a f=1" })).log_lines[1]).toBe("INFO: None");
    });
    it("all four writes are collected by database, synchronous ones first", async () => {
      const line = (n: number): string => `LineBuilder("m").int64_field("n", ${n}).time_ns(${n})`;
      const report = await wal(`influxdb3_local.write(${line(1)})\ninfluxdb3_local.write_sync(${line(2)}, True)\ninfluxdb3_local.write_to_db("x", ${line(3)})\ninfluxdb3_local.write_sync_to_db("x", ${line(4)}, False)`, { database: "y", input_lp: "a f=1" });
      expect(report.database_writes).toEqual({ y: ["m n=2i 2", "m n=1i 1"], x: ["m n=4i 4", "m n=3i 3"] });
    });
    it("nothing is stored", async () => {
      await wal('influxdb3_local.write_sync(LineBuilder("leak").int64_field("n", 1), False)\ninfluxdb3_local.write_to_db("leaked_db", LineBuilder("leak").int64_field("n", 1))', { database: "conformance", input_lp: "leak_input f=1" });
      expect(await rows("conformance", "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'leak%'")).toEqual([]);
    });
    it("queries are real", async () => {
      const database = unique("real");
      await write(database, "stored f=7");
      expect((await wal('influxdb3_local.info(influxdb3_local.query("SELECT f FROM stored"))', { database, input_lp: "a f=1" })).log_lines[1]).toBe("INFO: [{'f': 7.0}]");
    });
    it("times are nanoseconds, without guessing", async () => {
      expect((await wal('influxdb3_local.info(table_batches[0]["rows"][0]["time"])', { input_lp: "a f=1 1700000000" })).log_lines[1]).toBe("INFO: 1700000000");
    });
    it("input that is not fully valid is an error and nothing runs", async () => {
      const report = await wal("influxdb3_local.info(1)", { input_lp: "good f=1\nbad" });
      expect([report, report.errors.length]).toMatchObject([NOTHING, 1]);
    });
    it("an exception is an error by class and text; the lines before stay (§19 no. 21: lost there)", async () => {
      const report = await wal('influxdb3_local.info("before")\nraise ValueError("bad")', { input_lp: "a f=1" });
      expect([report.errors, report.log_lines, report.database_writes]).toEqual([["error executing plugin: ValueError: bad"], ["INFO: starting execution of wal plugin.", "INFO: before"], {}]);
    });
    it("what the plugin wrote is checked, with the reference's form of an error", async () => {
      const report = await wal('class L:\n    def build(self): return "broken"\ninfluxdb3_local.write(L())', { input_lp: "a f=1" });
      expect(report.errors).toEqual([expect.stringMatching(/^WriteLineError \{ original_line: "broken", line_number: 1, error_message: ".+" \}$/)]);
    });
    it("several errors are reported at once", async () => {
      const report = await wal('class L:\n    def build(self): return "broken\\nalso"\ninfluxdb3_local.write(L())', { input_lp: "a f=1" });
      expect(report.errors).toHaveLength(2);
    });
    it("a missing plugin is status 500", async () => {
      const answer = await send("POST", "/api/v3/plugin_test/wal", { filename: "none.py", database: "d", input_lp: "a f=1" });
      expect([answer.status, answer.text]).toEqual([500, expect.stringContaining("Plugin error: reading plugin file: Plugin not found: ")]);
    });
    it("a path outside of the plugin folder is status 500", async () => {
      const answer = await send("POST", "/api/v3/plugin_test/wal", { filename: "../x.py", database: "d", input_lp: "a f=1" });
      expect([answer.status, answer.text]).toEqual([500, expect.stringContaining("Path traversal detected: plugin filename '../x.py' attempts to access files outside the plugin directory")]);
    });
    it("a missing member is status 400", async () => {
      expect((await send("POST", "/api/v3/plugin_test/wal", { filename: "none.py", database: "d" })).status).toBe(400);
    });
    it("directory plugins with relative imports run (§19 no. 20: not there)", async () => {
      const name = await store({ "__init__.py": "from .part import go\ndef process_writes(local, batches, args=None):\n    local.info(go())\n", "part.py": "def go(): return 'relative'\n" });
      expect((await testRun("wal", { filename: name, database: "d", input_lp: "a f=1" })).log_lines[1]).toBe("INFO: relative");
    });
  });

  describe("§16, plugin_test/schedule", () => {
    const schedule = async (json: object): ReturnType<typeof testRun> => testRun("schedule", { filename: await store("def process_scheduled_call(local, call_time, args=None):\n    local.info(call_time, args)\n"), database: "conformance", ...json });
    it("the nominal time is the next fire, as RFC 3339", async () => {
      const report = await schedule({ schedule: "0 0 0 1 1 * 2099", input_arguments: { a: "b" } });
      expect([report.trigger_time, report.errors, report.log_lines.slice(0, 2)]).toEqual(["2099-01-01T00:00:00Z", [], ["INFO: starting execution with scheduled time 2099-01-01 00:00:00 UTC", "INFO: 2099-01-01 00:00:00 {'a': 'b'}"]]);
    });
    it("by default it fires every second", async () => {
      const { trigger_time: time } = await schedule({});
      expect(Math.abs(Date.parse(String(time)) - Date.now())).toBeLessThan(5_000);
    });
    it("the database must exist", async () => expect(await schedule({ database: "nowhere" })).toMatchObject({ errors: ["couldn't find db"], trigger_time: null }));
    it("a broken expression", async () => expect((await schedule({ schedule: "x y z" })).errors[0]).toMatch(/^invalid cron syntax: /));
    it("a schedule that never fires", async () => expect((await schedule({ schedule: "0 0 0 1 1 * 1999" })).errors).toEqual(["cron schedule never triggers: 0 0 0 1 1 * 1999"]));
    it("trigger_time is null on an error", async () => {
      const file = await store("def process_scheduled_call(local, call_time, args=None):\n    raise ValueError('x')\n");
      expect(await testRun("schedule", { filename: file, database: "conformance" })).toMatchObject({ trigger_time: null, errors: ["error executing plugin: ValueError: x"] });
    });
  });
}

/** Beyond the reference. */
export function richReportCases(): void {
  const wal = async (body: string, json: object): ReturnType<typeof testRun> => testRun("wal", { filename: await store(onWrites(body)), database: unique("none"), ...json });

  describe("§13, §16, the test cache", () => {
    const COUNT = 'n = influxdb3_local.cache.get("n", 0) + 1\ninfluxdb3_local.cache.put("n", n)\ng = influxdb3_local.cache.get("n", 0, True) + 1\ninfluxdb3_local.cache.put("n", g, use_global=True)\ninfluxdb3_local.info(n, g)';
    const count = async (file: string, cache?: string): Promise<string | undefined> => (await testRun("wal", { filename: file, database: "d", input_lp: "a f=1", ...(cache === undefined ? {} : { cache_name: cache }) })).log_lines[1];

    it("stays between tests of one cache name, private and global part", async () => {
      const [file, cache] = [await store(onWrites(COUNT)), unique("cache")];
      expect([await count(file, cache), await count(file, cache)]).toEqual(["INFO: 1 1", "INFO: 2 2"]);
    });
    it("is another one for another name", async () => {
      const file = await store(onWrites(COUNT));
      expect([await count(file, unique("cache")), await count(file, unique("cache"))]).toEqual(["INFO: 1 1", "INFO: 1 1"]);
    });
    it("has the name _shared_test by default", async () => {
      const file = await store(onWrites(COUNT.replaceAll('"n"', '"shared"')));
      expect([await count(file), await count(file, "_shared_test")]).toEqual(["INFO: 1 1", "INFO: 2 2"]);
    });
    it("is not the servers' cache", async () => {
      const key = unique("key");
      await testRun("request", { filename: await store(handler(`influxdb3_local.cache.put("${key}", 1, use_global=True)\nreturn ""`)), database: "conformance" });
      expect((await request(`return str(influxdb3_local.cache.get("${key}", "unseen", True))`)).body).toBe("unseen");
    });
  });

  describe("plugin_test/request, ours", () => {
    it("gives the response and keeps what the other reports have", async () => {
      const file = await store(handler('influxdb3_local.info("in")\ninfluxdb3_local.write(LineBuilder("m").int64_field("n", 1).time_ns(1))\nreturn {"q": query_parameters, "h": request_headers.get("x-a"), "b": request_body.decode(), "a": args}, 201, {"X-B": "c"}'));
      const report = await testRun("request", { filename: file, database: "d", query: { q: "1" }, headers: { "X-A": "2", Authorization: "Bearer secret" }, body: "text", input_arguments: { k: "v" } });
      expect(report).toMatchObject({
        errors: [],
        database_writes: { d: ["m n=1i 1"] },
        response: { status: 201, headers: { "Content-Type": "application/json", "X-B": "c" }, body: '{"q": {"q": "1"}, "h": "2", "b": "text", "a": {"k": "v"}}' },
      });
      expect(report.log_lines.slice(0, 2)).toEqual(["INFO: starting execution of request plugin.", "INFO: in"]);
    });
    it("Authorization is taken away here too", async () => {
      const file = await store(handler("return str(sorted(request_headers))"));
      expect(await testRun("request", { filename: file, database: "d", headers: { AUTHORIZATION: "Bearer x", B: "1" } })).toMatchObject({ response: { body: "['b']" } });
    });
    it("a response that is not text comes as base64", async () => {
      const file = await store(handler("return bytes([255, 0])"));
      expect(await testRun("request", { filename: file, database: "d" })).toMatchObject({ response: { status: 200, body_base64: "/wA=" } });
    });
    it("an exception is an error without a response", async () => {
      const report = await testRun("request", { filename: await store(handler("raise KeyError('k')")), database: "d" });
      expect([report.errors, report["response"]]).toEqual([["error executing plugin: KeyError: 'k'"], null]);
    });
  });

  describe("§16, beyond the reference", () => {
    it("time and memory that the run used", async () => {
      const report = await wal("import time\ntime.sleep(0.02)\nheld = bytearray(30_000_000)", { input_lp: "a f=1" });
      expect(report["duration_ms"]).toBeGreaterThanOrEqual(20);
      expect(report["memory_bytes"]).toBeGreaterThan(30_000_000);
      expect(report["memory_bytes"]).toBeLessThan(256 * 1024 * 1024);
    });
    it("the traceback with the line in the plugin's file", async () => {
      const report = await wal('x = 1\nraise ValueError("bad")', { input_lp: "a f=1" });
      expect(report["traceback"]).toMatch(/File "case_\d+\.py", line 4, in process_writes\n {4}raise ValueError\("bad"\)/);
      expect(report["error_line"]).toBe(4);
    });
    it("a missing entry point", async () => {
      const report = await testRun("wal", { filename: await store("x = 1\n"), database: "d", input_lp: "a f=1" });
      expect(report.errors).toEqual(["error executing plugin: the process_writes function is not present in the plugin. Should be defined as: process_writes(influxdb3_local, table_batches, args=None)"]);
    });
    it("a run that passes its limit of memory is told, and what the reset of its instance cost", async () => {
      const report = await wal("influxdb3_local.cache.put('a', 1)\nheld = []\nwhile True: held.append(bytearray(10_000_000))", { input_lp: "a f=1" });
      expect(report.errors[0]).toMatch(/^error executing plugin: MemoryError/);
      expect(report.log_lines).toContainEqual(expect.stringMatching(/^WARN: the plugin's instance was reset: its private cache lost \d+ keys$/));
    });
  });
}
