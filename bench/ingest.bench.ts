// Ingest over HTTP, fsync on, everything queryable: bodies of 10,000 lines over 4 connections, plain and gzip. CPU is the
// server process's own (all threads, user and system), read from /proc. Linux only.
import { once } from "node:events";
import { Agent, request } from "node:http";
import { gzipSync } from "node:zlib";
import { queryRows, removeFolder, startServer, type TestServer } from "../test/support/server.ts";
import { makeBodies, type Shape } from "./line-protocol-bodies.ts";
import { cpuSeconds, peakBytes, settled } from "./process-usage.ts";
import { quantile, report } from "./report.ts";

const CONNECTIONS = 4;
const LINES = 10_000;
const GZIP_LEVEL = 4;
const BODIES: Readonly<Record<Shape, number>> = { tsbs: 100, simple: 300 };
/** Bodies sent before the count starts: series and keys are known then, and the code is compiled. */
const WARM_UP: Readonly<Record<Shape, number>> = { tsbs: 8, simple: 30 };

async function send(agent: Agent, server: TestServer, body: Uint8Array, gzip: boolean): Promise<void> {
  const outgoing = request(`${server.url}/api/v3/write_lp?db=bench&precision=nanosecond`, {
    method: "POST", agent, headers: { "content-length": body.length, ...(gzip ? { "content-encoding": "gzip" } : {}) },
  });
  outgoing.end(body);
  const [answer] = await once(outgoing, "response");
  let text = "";
  for await (const part of answer) text += String(part);
  if (answer.statusCode !== 204) throw new Error(`${answer.statusCode} ${text}`);
}

/** Sends all bodies over the connections; the latency of each in ms. */
async function sendAll(server: TestServer, bodies: readonly Uint8Array[], gzip: boolean): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const latencies: number[] = [];
  let next = 0;
  const connection = async (): Promise<void> => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const started = performance.now();
      await send(agent, server, body, gzip);
      latencies.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  agent.destroy();
  return latencies;
}

async function metric(server: TestServer, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
}

async function run(shape: Shape, gzip: boolean): Promise<void> {
  const plain = makeBodies(shape, WARM_UP[shape] + BODIES[shape], LINES);
  const rawBytes = plain.reduce((sum, body) => sum + body.length, 0);
  const bodies = gzip ? plain.map((body) => new Uint8Array(gzipSync(body, { level: GZIP_LEVEL }))) : plain;
  const server = await startServer();
  try {
    const pid = server.process.pid as number;
    await sendAll(server, bodies.slice(0, WARM_UP[shape]), gzip);
    await settled(pid);
    await metric(server, "tidemark_event_loop_delay_seconds_max");
    const cpuBefore = cpuSeconds(pid);
    const started = performance.now();
    const latencies = await sendAll(server, bodies.slice(WARM_UP[shape]), gzip);
    const seconds = (performance.now() - started) / 1000;
    const cpu = cpuSeconds(pid) - cpuBefore;
    const rows = BODIES[shape] * LINES;
    const loopDelay = await metric(server, "tidemark_event_loop_delay_seconds_max");
    const table = shape === "tsbs" ? "cpu" : "m";
    const [count] = (await queryRows(server, "bench", `SELECT count(*) AS n FROM ${table}`)) ?? [];
    if (count?.["n"] !== plain.length * LINES) throw new Error(`${JSON.stringify(count)} rows instead of ${plain.length * LINES}`);
    const name = `${shape}${gzip ? "_gzip" : ""}`;
    report("ingest", `${name}_cpu_s_per_million_rows`, (cpu / rows) * 1e6, "s", { rows, bytes_per_row: Math.round(rawBytes / plain.length / LINES) });
    report("ingest", `${name}_rows_per_second`, rows / seconds, "rows/s", { latency_ms_p50: Math.round(quantile(latencies, 0.5)), latency_ms_p99: Math.round(quantile(latencies, 0.99)) });
    report("ingest", `${name}_peak_rss`, peakBytes(pid), "bytes", { event_loop_delay_max_ms: Math.round(loopDelay * 1000) });
  } finally {
    await server.stop("SIGKILL");
    removeFolder(server.folder);
  }
}

for (const shape of ["tsbs", "simple"] as const) for (const gzip of [false, true]) await run(shape, gzip);
