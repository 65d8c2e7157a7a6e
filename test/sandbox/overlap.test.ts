// Goal: runs of an asynchronous trigger overlap in sibling instances that share the private cache by key, as data, while
// the primary keeps its live objects (design §8.10); a synchronous one serves one request after another. Method: a real
// server and plugins that wait for each other.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, post, queryRows, runCli, removeFolder, startServer, type TestServer } from "../support/server.ts";

const PLUGIN = `
import time
from collections import deque

def process_request(local, query, headers, body, args=None):
    mode = query["mode"]
    if mode == "put":
        local.cache.put("data", {"n": [1, 2]})
        local.cache.put("window", deque([1], maxlen=3))
        return "put"
    if mode == "look":
        begun = time.time()
        local.cache.put(query["meet"] + query["id"], True, use_global=True)
        wanted = [query["meet"] + each for each in ("abc" if args is None else query["id"])]
        while time.time() < begun + 20 and not all(local.cache.get(each, use_global=True) for each in wanted):
            time.sleep(0.01)
        time.sleep(0.05)
        data, window = local.cache.get("data"), local.cache.get("window")
        local.cache.put("seen-" + query["id"], query["id"])
        local.cache.put("last", query["id"])
        return {"begun": begun, "ended": time.time(), "data": data, "window": window is not None}
    if mode == "change":
        local.cache.get("data")["n"].append(3)
        local.cache.delete("seen-a")
        return "changed"
    return {key: local.cache.get(key) for key in ("data", "seen-a", "seen-b", "seen-c", "last")}
`;

interface Look {
  readonly begun: number;
  readonly ended: number;
  readonly data: unknown;
  readonly window: boolean;
}

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ flags: ["--plugin-log-database", "kept"] });
  expect((await post(server, "/api/v3/configure/database", { db: "db" })).status).toBe(200);
  expect((await post(server, "/api/v3/plugins/files", { plugin_name: "look.py", content: PLUGIN })).status).toBe(200);
  for (const [name, run_async] of [["beside", true], ["behind", false]] as const) {
    const trigger = { db: "db", trigger_name: name, plugin_filename: "look.py", trigger_specification: `request:${name}`, trigger_settings: { run_async, error_behavior: "log" }, trigger_arguments: run_async ? null : { alone: "yes" } };
    expect(await post(server, "/api/v3/configure/processing_engine_trigger", trigger)).toMatchObject({ status: 200 });
  }
});
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
});

let meetings = 0;
const ask = async (path: string, mode: string, more = ""): Promise<string> => (await post(server, `/api/v3/engine/${path}?mode=${mode}${more}`, "")).text;
/** Three requests at once; the runs of the asynchronous trigger wait for each other. */
async function looks(path: string): Promise<Look[]> {
  meetings += 1;
  const answers = await Promise.all(["a", "b", "c"].map((id) => ask(path, "look", `&id=${id}&meet=m${meetings}`)));
  return answers.map((text) => JSON.parse(text) as Look);
}

/** How many ran at the same time at most. */
function overlap(runs: readonly Look[]): number {
  return Math.max(...runs.map(({ begun }) => runs.filter((other) => other.begun <= begun && begun < other.ended).length));
}

test("overlapping runs see the data that others put, and only the primary its live objects", async () => {
  expect(await ask("beside", "put")).toBe("put");
  const runs = await looks("beside");
  expect(overlap(runs)).toBe(3);
  expect(runs.map(({ data }) => data)).toEqual([{ n: [1, 2] }, { n: [1, 2] }, { n: [1, 2] }]);
  expect(runs.filter(({ window }) => window)).toHaveLength(1);
  const merged = JSON.parse(await ask("beside", "show")) as Record<string, unknown>;
  expect(merged).toMatchObject({ data: { n: [1, 2] }, "seen-a": "a", "seen-b": "b", "seen-c": "c" });
  expect(["a", "b", "c"]).toContain(merged["last"]);
});

test("a value that one run changed in place, and one that it deleted, are so for the others", async () => {
  expect(await ask("beside", "change")).toBe("changed");
  const runs = await looks("beside");
  expect(runs.map(({ data }) => data)).toEqual([{ n: [1, 2, 3] }, { n: [1, 2, 3] }, { n: [1, 2, 3] }]);
});

test("what cannot be shared is told once", async () => {
  const rows = await queryRows(server, "db", "SELECT log_text FROM system.processing_engine_logs WHERE log_level = 'WARN' AND trigger_name = 'beside'");
  expect(rows?.map(({ log_text }) => log_text)).toEqual([expect.stringContaining("the cache's 'window' stays with the instance that put it there")]);
});

test("a synchronous trigger serves one request after another, in one instance", async () => {
  expect(await ask("behind", "put")).toBe("put");
  const runs = await looks("behind");
  expect(overlap(runs)).toBe(1);
  expect(runs.every(({ window }) => window)).toBe(true);
});

test("the status of triggers and the metrics say what happened", async () => {
  const rows = await queryRows(server, "db", "SELECT trigger_name, state, run_async, runs, failures, instances, duration_seconds_p99 FROM system.processing_engine_trigger_status ORDER BY trigger_name");
  expect(rows?.[1]).toMatchObject({ trigger_name: "beside", state: "running", run_async: true, failures: 0, runs: 9 });
  expect(Number(rows?.[1]?.["instances"])).toBeGreaterThanOrEqual(3);
  expect(rows?.[0]).toMatchObject({ trigger_name: "behind", run_async: false, runs: 4, instances: 1 });
  expect(Number(rows?.[0]?.["duration_seconds_p99"])).toBeGreaterThanOrEqual(0.05);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('tidemark_trigger_runs_total{db="db",trigger="beside"} 9');
  expect(metrics).toContain('tidemark_trigger_duration_seconds_count{db="db",trigger="behind"} 4');
});

test("the command line shows them and prints what they logged", async () => {
  const at = ["--database", "db", "--host", server.url];
  const triggers = await runCli(["show", "triggers", ...at, "--format", "csv"]);
  expect(triggers.stdout.split("\n").find((line) => line.startsWith("beside,"))).toContain(",running,true,false,log,9,0,");
  const logs = await runCli(["logs", ...at, "--trigger", "behind", "--lines", "2"]);
  expect(logs.stdout.trimEnd().split("\n")).toEqual([
    expect.stringMatching(/^\S+ INFO  behind: starting execution of request plugin\.$/),
    expect.stringMatching(/^\S+ INFO  behind: finished execution in /),
  ]);
});

test("log rows are kept in a table when asked for", async () => {
  const rows = await eventually("the kept rows", async () => {
    const found = await queryRows(server, "kept", "SELECT trigger, level, count(*) AS n FROM processing_engine_logs WHERE log_text LIKE 'finished%' GROUP BY trigger, level ORDER BY trigger");
    return found?.length === 2 && found[0]?.["n"] === 4 ? found : undefined;
  });
  expect(rows).toEqual([{ trigger: "behind", level: "INFO", n: 4 }, { trigger: "beside", level: "INFO", n: 9 }]);
});
