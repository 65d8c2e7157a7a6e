/** What the three entry points are called with (spec: processing-engine §8, §10, §10.2, §10.3, §3). */
import { describe, expect, it } from "vitest";
import { createTrigger, evaluate, finished, handler, onWrites, request, rows, send, store, testRun, theServer, unique, until, wal, write } from "./harness.ts";

const ECHO = handler('import json\nreturn json.dumps({"q": query_parameters, "h": request_headers, "b": repr(request_body), "a": args})');

interface Echo {
  readonly q: Record<string, string>;
  readonly h: Record<string, string>;
  readonly b: string;
  readonly a: Record<string, string> | null;
}

export function entryPointCases(): void {
  describe("§10.3, arguments of process_request", () => {
    const echo = async (options: { query?: string; headers?: Record<string, string>; body?: string | Uint8Array; arguments?: Record<string, string> }): Promise<Echo> => {
      const trigger = await createTrigger(await store(ECHO), "request", options.arguments === undefined ? {} : { arguments: options.arguments });
      const answer = options.body === undefined ? await trigger.get(options.query, options.headers) : await trigger.post(options.body, options);
      await trigger.remove();
      return JSON.parse(answer.body) as Echo;
    };

    it("the query is a dict of str, percent-decoded, the last of a repeated key wins (§8)", async () => {
      expect((await echo({ query: "?a=1&b=%C3%A9%20x+y&a=2&empty=" })).q).toEqual({ a: "2", b: "é x y", empty: "" });
    });
    it("without a query it is an empty dict", async () => expect((await echo({})).q).toEqual({}));
    it("header names are lower case", async () => expect((await echo({ headers: { "X-MiXeD": "Value" } })).h["x-mixed"]).toBe("Value"));
    it("the Authorization header is taken away", async () => {
      const { h } = await echo({ headers: { authorization: "Bearer secret", "x-other": "1" } });
      expect(h["x-other"]).toBe("1");
      expect(JSON.stringify(h)).not.toContain("secret");
    });
    it("the body is bytes", async () => expect((await echo({ body: new Uint8Array([0, 255, 10]) })).b).toBe(String.raw`b'\x00\xff\n'`));
    it("without a body it is b\"\"", async () => expect((await echo({})).b).toBe("b''"));
    it("a gzip body is unpacked (§8)", async () => {
      const packed = new Uint8Array(await new Response(new Blob(["zipped"]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer());
      expect((await echo({ body: packed, headers: { "content-encoding": "gzip" } })).b).toBe("b'zipped'");
    });
    it("args is None for a trigger without arguments (§3)", async () => expect((await echo({})).a).toBe(null));
    it("args is a dict of str (§3)", async () => expect((await echo({ arguments: { days: "7", name: "é" } })).a).toEqual({ days: "7", name: "é" }));
    it("types are exactly dict, dict, bytes and dict", async () => {
      expect(await evaluate('json.dumps([type(x).__name__ for x in (query_parameters, request_headers, request_body, args)])', "import json", { arguments: { a: "b" } })).toEqual(["dict", "dict", "bytes", "dict"]);
    });
  });

  describe("§3, args", () => {
    it("is a fresh dict for each call: changes do not stay", async () => {
      const trigger = await createTrigger(await store(handler('args["n"] = args["n"] + "x"\nreturn args["n"]')), "request", { arguments: { n: "a" } });
      expect([(await trigger.get()).body, (await trigger.get()).body]).toEqual(["ax", "ax"]);
      await trigger.remove();
    });
    it("may be emptied by the plugin", async () => expect(await evaluate("str(len(args))", "args.clear()", { arguments: { a: "1" } })).toBe(0));
  });

  describe("§8, request triggers", () => {
    it("the path may hold slashes and must match exactly; no trigger is 404 with the literal text", async () => {
      const answer = await fetch(`${theServer().url}/api/v3/engine/no/such/path`);
      expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('{error: "not found"}')]);
    });
    it.each(["PUT", "DELETE", "PATCH"])("%s is 404", async (method) => {
      const trigger = await createTrigger(await store(handler('return "x"')), "request");
      const answer = await fetch(`${theServer().url}/api/v3/engine/${trigger.name}/path`, { method });
      expect(answer.status).toBe(404);
      await trigger.remove();
    });
    it("a later trigger takes the path over; deleting it gives the path back (§19 no. 10: both lose it there)", async () => {
      const path = unique("shared/");
      const [first, second] = [await createTrigger(await store(handler('return "first"')), `request:${path}`), await createTrigger(await store(handler('return "second"')), `request:${path}`)];
      const get = async (): Promise<string> => (await fetch(`${theServer().url}/api/v3/engine/${path}`)).text();
      expect(await get()).toBe("second");
      await second.remove();
      expect(await get()).toBe("first");
      await first.remove();
    });
    it("the answer comes after the handler's writes are stored", async () => {
      const database = unique("db");
      const trigger = await createTrigger(await store(handler('influxdb3_local.write(LineBuilder("made").int64_field("n", 1).time_ns(5))\nreturn "ok"')), "request", { database });
      expect((await trigger.get()).body).toBe("ok");
      expect(await rows(database, "SELECT n FROM made")).toEqual([{ n: 1 }]);
      await trigger.remove();
    });
  });

  describe("§10.2, process_scheduled_call", () => {
    const scheduled = async (body: string, schedule?: string): Promise<string[]> => {
      const file = await store(`def process_scheduled_call(influxdb3_local, call_time, args=None):\n${body.split("\n").map((line) => `    ${line}`).join("\n")}\n`);
      const report = await testRun("schedule", { filename: file, database: "conformance", ...(schedule === undefined ? {} : { schedule }) });
      expect(report.errors).toEqual([]);
      return report.log_lines.slice(1, -1);
    };
    it("call_time is a naive datetime of the nominal time", async () => {
      expect(await scheduled("influxdb3_local.info(type(call_time).__module__, type(call_time).__name__, call_time.tzinfo, call_time)", "0 30 12 24 12 * 2099")).toEqual(["INFO: datetime datetime None 2099-12-24 12:30:00"]);
    });
    it("in whole seconds", async () => expect(await scheduled("influxdb3_local.info(call_time.microsecond)")).toEqual(["INFO: 0"]));
    it("in UTC, which is also the local zone (§10.2, ours)", async () => {
      expect(await scheduled("import datetime, time\ninfluxdb3_local.info(datetime.datetime.fromtimestamp(0), time.tzname[0], time.timezone)")).toEqual(["INFO: 1970-01-01 00:00:00 UTC 0"]);
    });
    it("works with strftime, arithmetic and naive comparison (§24)", async () => {
      expect(await scheduled("import datetime\nearlier = call_time - datetime.timedelta(hours=1)\ninfluxdb3_local.info(earlier < call_time, earlier.strftime('%Y-%m-%dT%H:%M:%SZ'))", "0 0 1 1 1 * 2099")).toEqual(["INFO: True 2099-01-01T00:00:00Z"]);
    });
    it("is called by its trigger at the epoch-aligned time, which the log names (§7)", async () => {
      const file = await store("def process_scheduled_call(influxdb3_local, call_time, args=None):\n    influxdb3_local.info('at', call_time, args['k'])\n");
      const trigger = await createTrigger(file, "every:1s", { arguments: { k: "v" } });
      const logs = await finished(trigger);
      const match = /^INFO starting execution with scheduled time (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC$/.exec(logs[0] ?? "");
      expect(match).not.toBeNull();
      expect(logs[1]).toBe(`INFO at ${match?.[1]} v`);
      await trigger.remove();
    });
    it("its return value is ignored", async () => expect(await scheduled("return {'ignored': 1}")).toEqual([]));
  });

  describe("§10, names and positions", () => {
    it("parameter names are free: arguments are positional", async () => {
      const file = await store('def process_request(a, b, c, d, e):\n    return f"{type(b).__name__} {type(d).__name__} {e}"\n');
      const trigger = await createTrigger(file, "request");
      expect((await trigger.get()).body).toBe("dict bytes None");
      await trigger.remove();
    });
    it("the entry point may be a callable object", async () => {
      const file = await store('class Handler:\n    def __call__(self, *values):\n        return str(len(values))\nprocess_request = Handler()\n');
      const trigger = await createTrigger(file, "request");
      expect((await trigger.get()).body).toBe("5");
      await trigger.remove();
    });
    it("a wrong number of parameters is an ordinary error", async () => {
      const trigger = await createTrigger(await store("def process_request(influxdb3_local):\n    return 'x'\n"), "request");
      const answer = await trigger.get();
      expect([answer.status, answer.body]).toEqual([500, expect.stringContaining("TypeError: process_request() takes 1 positional argument but 5 were given")]);
      await trigger.remove();
    });
    it("an async function is never awaited: unsupported return type", async () => {
      const trigger = await createTrigger(await store("async def process_request(influxdb3_local, q, h, b, args=None):\n    return 'x'\n"), "request");
      const answer = await trigger.get();
      expect([answer.status, answer.body]).toEqual([500, expect.stringContaining('{"error":"Unsupported return type from Python function"')]);
      await trigger.remove();
    });
    it("module-level code runs first", async () => {
      expect((await request("return ORDER[0]", { before: 'ORDER = ["module"]' })).body).toBe("module");
    });
  });

  describe("§10.1, table_batches", () => {
    const seen = async (expression: string, lines: string, options: Parameters<typeof wal>[2] = {}): Promise<unknown> => {
      const { said, trigger } = await wal(`import json\ninfluxdb3_local.info(json.dumps(${expression}))`, lines, options);
      await trigger.remove();
      expect(said).toHaveLength(1);
      return JSON.parse((said[0] as string).slice("INFO ".length));
    };
    it("a list of one dict per table, in the order of the first write", async () => {
      expect(await seen('[(b["table_name"], len(b["rows"])) for b in table_batches]', "zeta f=1 1\nalpha f=1 1\nzeta f=2 2")).toEqual([["zeta", 2], ["alpha", 1]]);
    });
    it("types by kind of column", async () => {
      const lines = 'm,tag=t i=1i,u=2u,f=3.5,b=true,s="text" 1700000000000000001';
      expect(await seen('[type(table_batches[0]["rows"][0][k]).__name__ for k in ("tag", "i", "u", "f", "b", "s", "time")]', lines)).toEqual(["str", "int", "int", "float", "bool", "str", "int"]);
    });
    it("values, time in nanoseconds", async () => {
      const lines = 'm,tag=t i=-9223372036854775808i,u=18446744073709551615u,f=3.5,b=f,s="te\\"xt" 1700000000000000001';
      expect(await seen('{k: str(v) for k, v in table_batches[0]["rows"][0].items()}', lines)).toEqual({ tag: "t", i: "-9223372036854775808", u: "18446744073709551615", f: "3.5", b: "False", s: 'te"xt', time: "1700000000000000001" });
    });
    it("rows are real dicts of their own", async () => {
      expect(await seen('[table_batches[0]["rows"][0].setdefault("new", 1), "new" in table_batches[0]["rows"][1]]', "m f=1 1\nm f=2 2")).toEqual([1, false]);
    });
    it("time is the last key; every column is there, absent ones None (§10.1, 3.11)", async () => {
      expect(await seen('[list(r.items()) for r in table_batches[0]["rows"]]', "m,t=a f=1 5\nm g=2 6")).toEqual([
        [["t", "a"], ["f", 1], ["g", null], ["time", 5]],
        [["t", null], ["f", null], ["g", 2], ["time", 6]],
      ]);
    });
    it("row.get works for a column that no line has", async () => expect(await seen('[r.get("absent") for r in table_batches[0]["rows"]]', "m f=1 5")).toEqual([null]));
    it("duplicates of one point are all there, in order of arrival (§6)", async () => {
      expect(await seen('[r["f"] for r in table_batches[0]["rows"]]', "m f=1 5\nm f=2 5\nm f=1 4")).toEqual([1, 2, 1]);
    });
    it("a line without a time has the server's", async () => {
      expect(await seen('__import__("time").time_ns() - table_batches[0]["rows"][0]["time"] < 60_000_000_000', "m f=1")).toBe(true);
    });
    it("names and values beyond ASCII", async () => expect(await seen('[table_batches[0]["table_name"], table_batches[0]["rows"][0]["étage"]]', "größe,étage=世界 f=1 5")).toEqual(["größe", "世界"]));
    it("a table: trigger gets its table only", async () => {
      expect(await seen('[b["table_name"] for b in table_batches]', "other f=1 5\nmine f=1 5", { specification: "table:mine" })).toEqual(["mine"]);
    });
    it("rejected lines of a partial write are absent (§6)", async () => {
      const database = unique("waldb");
      const trigger = await createTrigger(await store(onWrites("influxdb3_local.info(len(table_batches[0]['rows']))")), "all_tables", { database });
      const partial = await fetch(`${theServer().url}/api/v3/write_lp?db=${database}`, { method: "POST", body: "m f=1 5\nbad line\nm f=2 6" });
      expect(partial.status).toBe(400);
      await finished(trigger);
      expect(await trigger.said()).toEqual(["INFO 2"]);
      await trigger.remove();
    });
    it("the rows of a call can be queried already (§6)", async () => {
      const { said, trigger } = await wal('influxdb3_local.info(influxdb3_local.query("SELECT count(*) AS n FROM m")[0]["n"])', "m f=1 5\nm f=2 6");
      expect(said).toEqual(["INFO 2"]);
      await trigger.remove();
    });
    it("writes to another database do not call it (§6)", async () => {
      const [database, other] = [unique("waldb"), unique("waldb")];
      const trigger = await createTrigger(await store(onWrites('influxdb3_local.info(table_batches[0]["table_name"])')), "all_tables", { database });
      await write(other, "elsewhere f=1");
      await write(database, "here f=1");
      await finished(trigger);
      expect(await trigger.said()).toEqual(["INFO here"]);
      await trigger.remove();
    });
    it("waits for a table that does not exist yet (§19 no. 6: dies there)", async () => {
      const database = unique("waldb");
      const trigger = await createTrigger(await store(onWrites('influxdb3_local.info(table_batches[0]["table_name"])')), "table:later", { database });
      await write(database, "first f=1");
      await write(database, "later f=1");
      await finished(trigger);
      expect(await trigger.said()).toEqual(["INFO later"]);
      await trigger.remove();
    });
  });

  describe("§17, lines around a run", () => {
    it("of a request", async () => {
      const trigger = await createTrigger(await store(handler('return "x"')), "request");
      await trigger.get();
      expect(await trigger.logs()).toEqual(["INFO starting execution of request plugin.", expect.stringMatching(/^INFO finished execution in \d+/)]);
      await trigger.remove();
    });
    it("of a write", async () => {
      const { logs, trigger } = await wal("pass", "m f=1");
      expect(logs).toEqual(["INFO starting execution of wal plugin.", expect.stringMatching(/^INFO finished execution in \d+/)]);
      await trigger.remove();
    });
    it("print goes into the log as well (§14.3: the server's stdout there)", async () => {
      const { said, trigger } = await wal('import sys\nprint("out")\nprint("err", file=sys.stderr)', "m f=1");
      expect([...said].sort()).toEqual(["INFO err", "INFO out"]);
      await trigger.remove();
    });
  });

  describe("§4, §5, life of a trigger", () => {
    it("disable and enable start with an empty private cache and fresh code", async () => {
      const name = unique("again_");
      const trigger = await createTrigger(await store(handler('n = influxdb3_local.cache.get("n", 0) + 1\ninfluxdb3_local.cache.put("n", n)\nreturn str(n)'), name), "request");
      expect([(await trigger.get()).body, (await trigger.get()).body]).toEqual(["1", "2"]);
      for (const action of ["disable", "enable"]) {
        const answer = await fetch(`${theServer().url}/api/v3/configure/processing_engine_trigger/${action}?db=${trigger.database}&trigger_name=${trigger.name}`, { method: "POST" });
        expect(answer.status).toBe(200);
      }
      expect((await trigger.get()).body).toBe("1");
      await trigger.remove();
    });
    it("a run that is cancelled gets an exception that `except Exception` lets pass (3.11: KeyboardInterrupt; ours may come between two calls)", async () => {
      const key = unique("cancelled");
      const body = `import time\ninfluxdb3_local.cache.put("${key}", "running", use_global=True)\ntry:\n    try:\n        while True:\n            influxdb3_local.info("on")\n            time.sleep(0.01)\n    except Exception:\n        influxdb3_local.cache.put("${key}", "swallowed", use_global=True)\nexcept BaseException as problem:\n    influxdb3_local.cache.put("${key}", f"{type(problem).__name__} {isinstance(problem, KeyboardInterrupt)} {problem}", use_global=True)\n    raise`;
      const trigger = await createTrigger(await store(handler(body)), "request");
      const answer = trigger.get();
      const seen = async (): Promise<string> => (await request(`return influxdb3_local.cache.get("${key}", "", True)`)).body;
      await until("the run", async () => ((await seen()) === "running" ? true : undefined));
      await trigger.remove();
      expect((await answer).status).toBe(500);
      // On a busy machine the run may be ended before it says what it saw.
      expect(await seen()).toMatch(/^(?:running|PluginInterrupted False |KeyboardInterrupt True influxdb3 is shutting down; aborting plugin execution)$/);
    });
    it("an enabled trigger is deleted with force only", async () => {
      const trigger = await createTrigger(await store(handler('return "x"')), "request");
      const answer = await send("DELETE", "/api/v3/configure/processing_engine_trigger", { db: trigger.database, trigger_name: trigger.name });
      expect([answer.status, answer.text]).toEqual([500, expect.stringContaining(`Cannot delete running plugin ${trigger.name}. Disable it first or use --force.`)]);
      await trigger.remove();
      expect(await until("its path to go", async () => ((await trigger.get()).status === 404 ? true : undefined))).toBe(true);
    });
  });
}
