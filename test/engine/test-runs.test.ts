// Goal: `plugin_test` runs a plugin for real and keeps nothing (spec: processing-engine §16). Method: a real server.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { post, queryRows, removeFolder, runCli, startServer, type TestServer } from "../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ flags: ["--plugin-profile", "trusted"] });
  expect((await post(server, "/api/v3/write_lp?db=db", "known f=1 1700000000000000000")).status).toBe(204);
});
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
});

interface Report {
  readonly log_lines: string[];
  readonly database_writes: Record<string, string[]>;
  readonly errors: string[];
  readonly trigger_time?: string | null;
}

async function upload(name: string, content: string): Promise<void> {
  expect((await post(server, "/api/v3/plugins/files", { plugin_name: name, content })).status).toBe(200);
}

async function run(kind: "wal" | "schedule", body: object): Promise<Report> {
  const answer = await post(server, `/api/v3/plugin_test/${kind}`, body);
  expect(answer.status).toBe(200);
  return JSON.parse(answer.text) as Report;
}

describe("plugin_test/wal", () => {
  it("shows log lines, writes and arguments, sync writes first, and stores nothing", async () => {
    await upload("w.py", `def process_writes(local, batches, args):
    local.warn("rows", len(batches[0]["rows"]), args["k"])
    local.write(LineBuilder("later").int64_field("n", 1).time_ns(5))
    local.write_sync(LineBuilder("now").int64_field("n", 2).time_ns(6), True)
    local.write_to_db("elsewhere", LineBuilder("x").int64_field("n", 3).time_ns(7))
`);
    const report = await run("wal", { filename: "w.py", database: "db", input_lp: "new,t=a f=1 1\nnew f=2 2", input_arguments: { k: "v" } });
    expect(report.errors).toEqual([]);
    expect(report.database_writes).toEqual({ db: ["now n=2i 6", "later n=1i 5"], elsewhere: ["x n=3i 7"] });
    expect(report.log_lines.slice(0, 2)).toEqual(["INFO: starting execution of wal plugin.", "WARN: rows 2 v"]);
    expect(report.log_lines[2]).toMatch(/^INFO: finished execution in /);
    expect(await queryRows(server, "db", "SELECT table_name FROM information_schema.tables WHERE table_schema = 'iox'")).toEqual([{ table_name: "known" }]);
  });

  it("keeps the log lines of a plugin that fails", async () => {
    await upload("f.py", 'def process_writes(local, batches, args):\n    local.info("before")\n    raise KeyError("x")\n');
    const report = await run("wal", { filename: "f.py", database: "none", input_lp: "m f=1" });
    expect(report.errors).toEqual(["error executing plugin: KeyError: 'x'"]);
    expect(report.log_lines).toEqual(["INFO: starting execution of wal plugin.", "INFO: before"]);
  });

  it("says what of the output the catalog would refuse", async () => {
    await upload("c.py", 'def process_writes(local, batches, args):\n    local.write(LineBuilder("known").string_field("f", "text"))\n');
    const { errors } = await run("wal", { filename: "c.py", database: "db", input_lp: "m f=1" });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^WriteLineError \{ original_line: .*, line_number: 1, error_message: "invalid column type for column 'f'/);
  });

  it("refuses input that is not fully valid, and a missing file", async () => {
    expect((await run("wal", { filename: "w.py", database: "db", input_lp: "good f=1\nbad" })).errors[0]).toContain("line_number: 2");
    const missing = await post(server, "/api/v3/plugin_test/wal", { filename: "nothing.py", database: "db", input_lp: "m f=1" });
    expect([missing.status, missing.text]).toEqual([500, expect.stringContaining("Plugin error: reading plugin file: Plugin not found:")]);
  });
});

describe("plugin_test/schedule", () => {
  it("runs with the schedule's next time as a naive whole-second datetime", async () => {
    await upload("s.py", "def process_scheduled_call(local, call_time, args):\n    local.info(type(call_time).__name__, call_time.tzinfo, call_time.isoformat())\n");
    const report = await run("schedule", { filename: "s.py", database: "db", schedule: "0 0 0 1 1 * 2099" });
    expect(report.errors).toEqual([]);
    expect(report.trigger_time).toBe("2099-01-01T00:00:00Z");
    expect(report.log_lines.slice(0, 2)).toEqual(["INFO: starting execution with scheduled time 2099-01-01 00:00:00 UTC", "INFO: datetime None 2099-01-01T00:00:00"]);
  });

  it.each([
    [{ database: "none" }, "couldn't find db"],
    [{ database: "db", schedule: "x" }, "invalid cron syntax: "],
    [{ database: "db", schedule: "0 0 0 1 1 * 1999" }, "cron schedule never triggers: 0 0 0 1 1 * 1999"],
  ])("answers %j with an error", async (body, text) => {
    const report = await run("schedule", { filename: "s.py", ...body });
    expect([report.trigger_time, report.errors[0]]).toEqual([null, expect.stringContaining(text)]);
  });

  it("takes the periods of every: too, from the next aligned time", async () => {
    const { trigger_time: time } = await run("schedule", { filename: "s.py", database: "db", schedule: "every:1h" });
    expect(time).toMatch(/T\d\d:00:00Z$/);
    expect((await run("schedule", { filename: "s.py", database: "db", schedule: "every:0s" })).errors[0]).toContain("failed to parse trigger from every:0s");
  });

  it("has a command", async () => {
    const { code, stdout } = await runCli(["test", "schedule_plugin", "s.py", "--database", "db", "--host", server.url]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ errors: [], database_writes: {} });
  });

  it("has a report to read", async () => {
    await upload("r.py", "def process_scheduled_call(local, call_time, args):\n    local.info('in')\n    raise ValueError('bad')\n");
    const { code, stdout } = await runCli(["test", "schedule_plugin", "r.py", "--database", "db", "--format", "report", "--host", server.url]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^r\.py: 1 error {2}[\d.]+ ms, [\d.]+ MiB of memory\n\nLog\n {2}INFO {3}in\n\nNothing would have been written\.\n\nFailed at r\.py, line 3\n {2}error executing plugin: ValueError: bad\n/)]);
  });
});

describe("the cache of tests", () => {
  const COUNT = 'def process_writes(local, batches, args):\n    n = local.cache.get("n", 0) + 1\n    local.cache.put("n", n)\n    local.cache.put("big", bytearray(int(args["size"])))\n    local.info(n)\n';
  const count = async (size: number): Promise<string[]> => (await run("wal", { filename: "count.py", database: "db", cache_name: "sized", input_lp: "m f=1", input_arguments: { size: String(size) } })).log_lines;

  it("is emptied, and says so, when the plugin's memory grew large", async () => {
    await upload("count.py", COUNT);
    expect((await count(1))[1]).toBe("INFO: 1");
    const large = await count(60_000_000);
    expect([large[1], large.at(-1)]).toEqual(["INFO: 2", expect.stringMatching(/^WARN: the test cache is emptied: the plugin's memory grew to \d+ bytes/)]);
    expect((await count(1))[1]).toBe("INFO: 1");
  });

  it("serves tests of one name one after another", async () => {
    await upload("slow.py", 'def process_writes(local, batches, args):\n    n = local.cache.get("slow", 0)\n    import time\n    time.sleep(0.02)\n    local.cache.put("slow", n + 1)\n    local.info(n)\n');
    const reports = await Promise.all(Array.from({ length: 5 }, () => run("wal", { filename: "slow.py", database: "db", cache_name: "serial", input_lp: "m f=1" })));
    expect(reports.map((report) => report.log_lines[1]).sort()).toEqual(["INFO: 0", "INFO: 1", "INFO: 2", "INFO: 3", "INFO: 4"]);
  });

  it("denies in a test what a trigger would be denied, and grants what the test grants", async () => {
    await upload("other.py", 'def process_writes(local, batches, args):\n    local.write_to_db("elsewhere", LineBuilder("m").int64_field("f", 1))\n');
    const test = { filename: "other.py", database: "db", input_lp: "m f=1" };
    expect((await run("wal", { ...test, grants: { db: [] } })).errors).toEqual([expect.stringContaining("elsewhere")]);
    expect((await run("wal", { ...test, grants: { db: ["elsewhere"] } })).errors).toEqual([]);
  });
});
