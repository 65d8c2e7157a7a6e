// Questions over 1 million TSBS rows (1,000 hosts, one row each 10 s), half in Parquet files and half in the buffer: server
// CPU per query over HTTP with JSON, and the ratio to other databases that are installed here. Linux only.
import { post, queryRows, removeFolder, startServer, type TestServer } from "../test/support/server.ts";
import { makeBodies } from "./line-protocol-bodies.ts";
import { peers, type Span } from "./peers.ts";
import { cpuSeconds, settled } from "./process-usage.ts";
import { quantile, report } from "./report.ts";

const LINES = 10_000;
const BODIES = 100;
const FIRST_SECOND = 1_704_067_200;
const SPAN: Span = { from: FIRST_SECOND, to: FIRST_SECOND + 10_000, hourFrom: FIRST_SECOND + 3_600, hourTo: FIRST_SECOND + 7_200 };
/** A query is repeated for so long, so that the kernel's hundredths of a second weigh little. */
const REPEAT_MS = 800;
const REPEATS_MIN = 8;
/** Until the compiler of a server that has just started is through with what the query needs. */
const WARM_UP_MS = 3_000;
const WARM_UPS_MIN = 3;
const FIELDS = ["usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq", "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice"];

const iso = (second: number): string => new Date(second * 1000).toISOString();
const HOUR = `time >= '${iso(SPAN.hourFrom)}' AND time < '${iso(SPAN.hourTo)}'`;
const MINUTE = "date_bin(INTERVAL '1 minute', time)";

/** By metric; the second is how many rows must come. */
const QUESTIONS: Readonly<Record<string, readonly [sql: string, rows: number]>> = {
  last_one_host: ["SELECT time, usage_user FROM cpu WHERE hostname = 'host_5' ORDER BY time DESC LIMIT 1", 1],
  last_one_host_cached: ["SELECT time, usage_user FROM last_cache('cpu', 'hosts') WHERE hostname = 'host_5'", 1],
  last_by_host: ["SELECT hostname, selector_last(usage_user, time)['value'] AS usage_user FROM cpu GROUP BY hostname", 1000],
  last_by_host_cached: ["SELECT hostname, usage_user FROM last_cache('cpu', 'hosts')", 1000],
  minutes_one_host: [`SELECT ${MINUTE} AS t, avg(usage_user) AS mean FROM cpu WHERE hostname = 'host_5' AND ${HOUR} GROUP BY t ORDER BY t`, 60],
  minutes_all_hosts: [`SELECT ${MINUTE} AS t, avg(usage_user) AS mean FROM cpu WHERE ${HOUR} GROUP BY t ORDER BY t`, 60],
  minutes_10_fields: [`SELECT ${MINUTE} AS t, ${FIELDS.map((field) => `avg(${field}) AS ${field}`).join(", ")} FROM cpu WHERE ${HOUR} GROUP BY t ORDER BY t`, 60],
  mean_by_host: ["SELECT hostname, avg(usage_user) AS mean FROM cpu GROUP BY hostname", 1000],
  mean_by_host_and_hour: ["SELECT hostname, date_bin(INTERVAL '1 hour', time) AS t, avg(usage_user) AS mean FROM cpu GROUP BY hostname, t", 3000],
};

const answer = async (url: string): Promise<string> => {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return text;
};

/** CPU ms of the process per query, and the median latency. */
async function measured(pid: number, url: string): Promise<{ readonly cpuMs: number; readonly latencyMs: number }> {
  const warm = performance.now();
  for (let round = 0; round < WARM_UPS_MIN || performance.now() - warm < WARM_UP_MS; round++) await answer(url);
  await settled(pid);
  const latencies: number[] = [];
  const before = cpuSeconds(pid);
  const started = performance.now();
  while (latencies.length < REPEATS_MIN || performance.now() - started < REPEAT_MS) {
    const asked = performance.now();
    await answer(url);
    latencies.push(performance.now() - asked);
  }
  return { cpuMs: ((cpuSeconds(pid) - before) * 1000) / latencies.length, latencyMs: quantile(latencies, 0.5) };
}

async function write(url: string, bodies: readonly Uint8Array[]): Promise<void> {
  for (const body of bodies) {
    const response = await fetch(url, { method: "POST", body: body as Uint8Array<ArrayBuffer> });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  }
}

async function metric(server: TestServer, name: string): Promise<number> {
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(await answer(`${server.url}/metrics`))?.[1] ?? Number.NaN);
}

/** The first half goes to files by its age; the second meets a server that keeps rows for longer than the run. */
async function filled(bodies: readonly Uint8Array[]): Promise<TestServer> {
  const writing = "/api/v3/write_lp?db=bench&precision=nanosecond";
  const first = await startServer({ flags: ["--wal-snapshot-size", "2"] });
  await write(first.url + writing, bodies.slice(0, BODIES / 2));
  for (let rows = 0; rows < (LINES * BODIES) / 2; rows = await metric(first, "tidemark_parquet_rows")) await new Promise((resolve) => setTimeout(resolve, 200));
  await first.stop();
  const server = await startServer({ folder: first.folder, flags: ["--buffer-size", "512mb"] });
  await write(server.url + writing, bodies.slice(BODIES / 2));
  const [buffered, stored] = [await metric(server, "tidemark_buffer_rows"), await metric(server, "tidemark_parquet_rows")];
  if (buffered !== stored || buffered + stored !== LINES * BODIES) throw new Error(`${buffered} rows in the buffer, ${stored} in files`);
  await post(server, "/api/v3/configure/last_cache", { db: "bench", table: "cpu", name: "hosts", key_columns: ["hostname"], ttl: 86_400 * 365 });
  return server;
}

const bodies = makeBodies("tsbs", BODIES, LINES);
const ours = new Map<string, number>();
const server = await filled(bodies);
try {
  const pid = server.process.pid as number;
  for (const [name, [sql, rows]] of Object.entries(QUESTIONS)) {
    const got = await queryRows(server, "bench", sql);
    if (got?.length !== rows) {
      process.stderr.write(`${name}: ${got?.length ?? "no"} rows instead of ${rows}\n`);
      continue;
    }
    const { cpuMs, latencyMs } = await measured(pid, `${server.url}/api/v3/query_sql?db=bench&format=json&q=${encodeURIComponent(sql)}`);
    ours.set(name, cpuMs);
    report("query", `${name}_cpu_ms`, cpuMs, "ms", { latency_ms_p50: Number(latencyMs.toFixed(2)) });
  }
  report("query", "event_loop_delay_max_ms", (await metric(server, "tidemark_event_loop_delay_seconds_max")) * 1000, "ms");
} finally {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
}

for await (const peer of peers(SPAN)) {
  try {
    await write(peer.writeUrl, bodies);
    await settled(peer.pid);
    for (const [name, url] of Object.entries(peer.questions)) {
      const own = ours.get(name);
      if (url === undefined || own === undefined) continue;
      const { cpuMs, latencyMs } = await measured(peer.pid, url);
      report("query", `${peer.name}_${name}_cpu_ms`, cpuMs, "ms", { latency_ms_p50: Number(latencyMs.toFixed(2)), ratio: Number((cpuMs / own).toPrecision(3)) });
    }
  } finally {
    await peer.stop();
  }
}
