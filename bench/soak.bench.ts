// WAL, schedule and request triggers together under load, for `SOAK_SECONDS` (30; `npm run bench:soak` takes 10 minutes): every
// written row must arrive, lag and memory must not grow. Reports latencies and prints a line every so often.
import { Agent, request as httpRequest } from "node:http";
import { readFileSync } from "node:fs";
import { eventually, post, queryRows, removeFolder, startServer } from "../test/support/server.ts";
import { quantile, report } from "./report.ts";

const SECONDS = Number(process.env["SOAK_SECONDS"] ?? 30);
const WRITERS = 2;
const LINES_PER_BODY = 500;
/** Rows per second of all writers together: what a small box takes in while it does all the rest. */
const ROWS_PER_SECOND = 20_000;
const REQUESTERS = 2;
const SAMPLE_MS = 5_000;

const SOURCES: Readonly<Record<string, string>> = {
  "sum.py": `
import uuid

def process_writes(local, batches, args):
    total, rows = 0.0, 0
    for batch in batches:
        if batch["table_name"] != "load":
            continue
        for row in batch["rows"]:
            total += row["value"]
        rows += len(batch["rows"])
    if rows:
        seen = local.cache.get("seen", 0) + rows
        local.cache.put("seen", seen)
        local.write(LineBuilder("sums").tag("trigger", args["name"]).tag("run", uuid.uuid4().hex).float64_field("total", total).int64_field("rows", rows).int64_field("seen", seen))
`,
  "tick.py": `
def process_scheduled_call(local, call_time, args):
    rows = local.query("SELECT count(*) AS n FROM load WHERE time > now() - INTERVAL '5 seconds'")
    local.write(LineBuilder("ticks").int64_field("n", rows[0]["n"]))
`,
  "echo.py": `
def process_request(local, query, headers, body, args=None):
    count = local.cache.get("count", 0) + 1
    local.cache.put("count", count)
    return {"count": count, "echo": query.get("id")}
`,
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
// A snapshot every 30 seconds: with the default of ten minutes the buffer would fill all the time, which is no growth.
const server = await startServer({ flags: ["--wal-snapshot-size", "30"] });
await post(server, "/api/v3/configure/database", { db: "soak" });
for (const [plugin_name, content] of Object.entries(SOURCES)) await post(server, "/api/v3/plugins/files", { plugin_name, content });
const create = async (name: string, plugin: string, specification: string, more: object = {}): Promise<void> => {
  const answer = await post(server, "/api/v3/configure/processing_engine_trigger", {
    db: "soak", trigger_name: name, plugin_filename: plugin, trigger_specification: specification, trigger_arguments: { name }, ...more,
  });
  if (answer.status !== 200) throw new Error(`${name}: ${answer.text}`);
};
await create("one_table", "sum.py", "table:load");
await create("all_tables", "sum.py", "all_tables");
await create("durable", "sum.py", "table:load", { durable: true });
await create("beside", "sum.py", "table:load", { trigger_settings: { run_async: true } });
await create("tick", "tick.py", "every:1s");
await create("cron", "tick.py", "cron:*/2 * * * * *");
await create("echo", "echo.py", "request:echo");
await create("echo_async", "echo.py", "request:echo_async", { trigger_settings: { run_async: true } });

const deadline = performance.now() + SECONDS * 1000;
const writes: number[] = [];
const requests: number[] = [];
let written = 0;
let failures = 0;

async function writer(id: number): Promise<void> {
  const perBodyMs = (LINES_PER_BODY * WRITERS * 1000) / ROWS_PER_SECOND;
  for (let next = performance.now(); performance.now() < deadline; next += perBodyMs) {
    const lines = Array.from({ length: LINES_PER_BODY }, (_, line) => `load,host=h${line % 50},writer=w${id} value=${line}.5,other=${line}i,third=${line * 2}.25`);
    const started = performance.now();
    // Times are the server's, one for each body: points of one body differ in their tags or replace each other.
    const answer = await post(server, "/api/v3/write_lp?db=soak", lines.join("\n"));
    writes.push(performance.now() - started);
    if (answer.status === 204) written += LINES_PER_BODY;
    else failures += 1;
    await pause(Math.max(0, next + perBodyMs - performance.now()));
  }
}

async function requester(path: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  while (performance.now() < deadline) {
    const started = performance.now();
    const status = await new Promise<number>((resolve, reject) => {
      httpRequest(`${server.url}/api/v3/engine/${path}?id=1`, { agent }, (answer) => answer.resume().on("end", () => resolve(answer.statusCode ?? 0))).on("error", reject).end();
    });
    requests.push(performance.now() - started);
    if (status !== 200) failures += 1;
    await pause(20);
  }
  agent.destroy();
}

interface Sample {
  readonly atSeconds: number;
  readonly rssMb: number;
  readonly lagRows: number;
  readonly lagSeconds: number;
  readonly guestMb: number;
}

async function sample(): Promise<Sample> {
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.process.pid}/status`, "utf8"))?.[1]) / 1024;
  const rows = await queryRows(server, "soak", "SELECT max(lag_rows) AS rows, max(lag_seconds) AS seconds, sum(memory_bytes) AS memory FROM system.processing_engine_trigger_status");
  const now = rows?.[0];
  return { atSeconds: Math.round(SECONDS - (deadline - performance.now()) / 1000), rssMb: Math.round(rss), lagRows: Number(now?.["rows"]), lagSeconds: Number(now?.["seconds"]), guestMb: Math.round(Number(now?.["memory"]) / 1_048_576) };
}

const samples: Sample[] = [];
async function sampler(): Promise<void> {
  while (performance.now() < deadline) {
    await pause(SAMPLE_MS);
    const now = await sample();
    samples.push(now);
    process.stderr.write(`${JSON.stringify(now)}\n`);
  }
}

await Promise.all([sampler(), ...Array.from({ length: WRITERS }, (_, id) => writer(id)), ...Array.from({ length: REQUESTERS }, (_, id) => requester(id % 2 === 0 ? "echo" : "echo_async"))]);
const expected = written;
for (const name of ["one_table", "all_tables", "durable", "beside"]) {
  const seen = await eventually(
    `every row at ${name}`,
    async () => {
      const rows = await queryRows(server, "soak", `SELECT sum(rows) AS rows FROM sums WHERE trigger = '${name}'`);
      return Number(rows?.[0]?.["rows"]) >= expected ? Number(rows?.[0]?.["rows"]) : undefined;
    },
    30_000,
  ).catch(async () => Number((await queryRows(server, "soak", `SELECT sum(rows) AS rows FROM sums WHERE trigger = '${name}'`))?.[0]?.["rows"]));
  report("soak", `rows_missing_${name}`, expected - seen, "rows", { written: expected });
}
const third = Math.max(1, Math.floor(samples.length / 3));
const mean = (part: readonly Sample[], of: (one: Sample) => number): number => part.reduce((sum, one) => sum + of(one), 0) / part.length;
report("soak", "seconds", SECONDS, "s", { failures, requests: requests.length });
report("soak", "rss_mb_middle_third", mean(samples.slice(third, 2 * third), ({ rssMb }) => rssMb), "MB", { first_third: Math.round(mean(samples.slice(0, third), ({ rssMb }) => rssMb)), last_third: Math.round(mean(samples.slice(-third), ({ rssMb }) => rssMb)), max: Math.max(...samples.map(({ rssMb }) => rssMb)) });
report("soak", "lag_seconds_max", Math.max(...samples.map(({ lagSeconds }) => lagSeconds)), "s", { first_third: mean(samples.slice(0, third), ({ lagSeconds }) => lagSeconds), last_third: mean(samples.slice(-third), ({ lagSeconds }) => lagSeconds) });
report("soak", "write_ms_p50", quantile(writes, 0.5), "ms", { p99: quantile(writes, 0.99) });
report("soak", "request_ms_p50", quantile(requests, 0.5), "ms", { p99: quantile(requests, 0.99) });
const status = await queryRows(server, "soak", "SELECT trigger_name, runs, failures, rows_in, rows_out, rows_lost, instances, last_error FROM system.processing_engine_trigger_status");
process.stderr.write(`${JSON.stringify(status, null, 1)}\n`);
await server.stop();
removeFolder(server.folder);
