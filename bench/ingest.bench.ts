// Ingest over HTTP: 10,000-line bodies over 4 connections, plain and gzip, fsync on, everything queryable, snapshots running.
// CPU is the server process's own, all threads, read from /proc. Other databases that are installed get the same load in
// the same run. Linux only.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { LineProtocolParser } from "../src/core/line-protocol/parser.ts";
import type { LineProtocolKernel } from "../src/core/line-protocol/kernel.ts";
import { post, queryRows, removeFolder, startServer, type TestServer } from "../test/support/server.ts";
import { type Load, peakBytes, sendAll, settled, type Target } from "./ingest-load.ts";
import { installedPeers, type Peer } from "./ingest-peers.ts";
import { makeBodies, type Shape } from "./line-protocol-bodies.ts";
import { quantile, report } from "./report.ts";

const LINES = 10_000;
const GZIP_LEVEL = 4;
/** Enough for several rounds of snapshots. */
const BODIES: Readonly<Record<Shape, number>> = { tsbs: 240, simple: 900 };
/** Slower databases get fewer. */
const PEER_BODIES: Readonly<Record<Shape, number>> = { tsbs: 30, simple: 200 };
/**
 * Bodies sent before the count starts: series and keys are known then, the first snapshots have been made (they begin at 35 %
 * of the buffer, 150 MB here) and most code is compiled. V8 compiles for half a second of processor time, which a server
 * spends once and not for each million rows.
 */
const WARM_UP: Readonly<Record<Shape, number>> = { tsbs: 160, simple: 800 };
/** Compiled programs need less. */
const PEER_WARM_UP: Readonly<Record<Shape, number>> = { tsbs: 8, simple: 30 };
/** Parsing alone: bodies of a round, and rounds, of which the median counts. */
const PARSED_BODIES = 100;
const PARSE_ROUNDS = 5;
const TABLE: Readonly<Record<Shape, string>> = { tsbs: "cpu", simple: "m" };
/** CPU seconds for a million rows. */
const TARGETS: Readonly<Record<string, number>> = { tsbs: 1.5, simple: 0.3, tsbs_gzip: 4, parse_tsbs: 0.6, parse_simple: 0.06 };
const LOOP_DELAY_MS_MAX = 20;
const QUERY = "SELECT hostname, max(usage_user) AS m, avg(usage_system) AS a FROM cpu WHERE time >= '2024-01-01T00:00:00Z' AND time < '2024-01-01T00:10:00Z' GROUP BY hostname";
const SLOW_QUERIES = 8;
const SLOW_QUERY = "SELECT count(*) AS n FROM m AS a JOIN m AS b ON a.site = b.site WHERE a.value + b.value > 0.5 AND a.time < '2024-01-01T00:01:00Z'";
const COMMITS = 300;

const only = process.env["BENCH_INGEST"]?.split(",");
const wants = (part: string): boolean => only === undefined || only.includes(part);

const cpuPerMillion = ({ cpuSeconds }: Load, bodies: number): number => (cpuSeconds / (bodies * LINES)) * 1e6;
const compressed = (bodies: readonly Uint8Array[]): Uint8Array[] => bodies.map((body) => new Uint8Array(gzipSync(body, { level: GZIP_LEVEL })));
const targetOf = (name: string): Readonly<Record<string, number>> => (TARGETS[name] === undefined ? {} : { target: TARGETS[name] });

async function metric(server: TestServer, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
}

async function withServer(work: (server: TestServer, target: Target) => Promise<void>): Promise<void> {
  const server = await startServer();
  try {
    await work(server, { pid: server.process.pid as number, writeUrl: `${server.url}/api/v3/write_lp?db=bench&precision=nanosecond`, stop: async () => undefined });
  } finally {
    await server.stop("SIGKILL");
    removeFolder(server.folder);
  }
}

/** All but the warm-up; the metrics count from here on. */
async function loaded(server: TestServer, target: Target, bodies: readonly Uint8Array[], shape: Shape, gzip: boolean): Promise<Load> {
  await sendAll(target, bodies.slice(0, WARM_UP[shape]), gzip);
  await settled(target.pid);
  if ((await metric(server, "tidemark_snapshots_total")) === 0) throw new Error("the warm-up is too short for a snapshot");
  await metric(server, "tidemark_event_loop_delay_seconds_max");
  return sendAll(target, bodies.slice(WARM_UP[shape]), gzip);
}

async function checkRows(server: TestServer, shape: Shape, rows: number): Promise<void> {
  const [count] = (await queryRows(server, "bench", `SELECT count(*) AS n FROM ${TABLE[shape]}`)) ?? [];
  if (count?.["n"] !== rows) throw new Error(`${JSON.stringify(count)} rows instead of ${rows}`);
}

async function ingest(name: string, shape: Shape, plain: readonly Uint8Array[], gzip: boolean): Promise<number> {
  const bodies = gzip ? compressed(plain) : plain;
  const counted = bodies.length - WARM_UP[shape];
  let cost = Number.NaN;
  await withServer(async (server, target) => {
    const load = await loaded(server, target, bodies, shape, gzip);
    const [snapshots, peak] = [await metric(server, "tidemark_snapshots_total"), peakBytes(target.pid)];
    await checkRows(server, shape, plain.length * LINES);
    cost = cpuPerMillion(load, counted);
    report("ingest", `${name}_cpu_s_per_million_rows`, cost, "s", { ...targetOf(name), rows: counted * LINES, bytes_per_row: Math.round((plain[0] as Uint8Array).length / LINES), snapshots });
    report("ingest", `${name}_rows_per_second`, (counted * LINES) / load.seconds, "rows/s", { latency_ms_p50: Math.round(quantile(load.latencies, 0.5)), latency_ms_p99: Math.round(quantile(load.latencies, 0.99)) });
    report("ingest", `${name}_peak_rss`, peak, "bytes", { after_count_query: peakBytes(target.pid) });
  });
  return cost;
}

async function peer({ name, version, start }: Peer, run: string, bodies: readonly Uint8Array[], shape: Shape, gzip: boolean, own: number): Promise<void> {
  const warmUp = PEER_WARM_UP[shape];
  const all = bodies.slice(0, warmUp + PEER_BODIES[shape]);
  const sent = gzip ? compressed(all) : all;
  const target = await start();
  try {
    await sendAll(target, sent.slice(0, warmUp), gzip);
    await settled(target.pid);
    const cost = cpuPerMillion(await sendAll(target, sent.slice(warmUp), gzip), sent.length - warmUp);
    report("ingest", `${run}_${name}_cpu_s_per_million_rows`, cost, "s", { version, ratio: Number((cost / own).toPrecision(3)), peak_rss: peakBytes(target.pid) });
  } finally {
    await target.stop();
  }
}

/** Full load with a query running all the time. */
async function eventLoop(plain: readonly Uint8Array[]): Promise<void> {
  await withServer(async (server, target) => {
    await sendAll(target, plain.slice(0, WARM_UP.tsbs), false);
    await settled(target.pid);
    let [running, queries] = [true, 0];
    const querying = (async () => {
      for (; running; queries++) await queryRows(server, "bench", QUERY);
    })();
    await metric(server, "tidemark_event_loop_delay_seconds_max");
    await sendAll(target, plain.slice(WARM_UP.tsbs), false);
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const [snapshots, merges] = [await metric(server, "tidemark_snapshots_total"), await metric(server, "tidemark_merges_total")];
    running = false;
    await querying;
    const seconds = (name: string): number => Number(new RegExp(`^tidemark_event_loop_delay_seconds_${name} (\\S+)$`, "m").exec(text)?.[1]);
    report("ingest", "event_loop_delay_ms_p99", seconds("p99") * 1000, "ms", { target: LOOP_DELAY_MS_MAX, max_ms: Math.round(seconds("max") * 1000), queries, snapshots, merges });
  });
}

/** Small commits beside slow queries. */
async function commitLatency(plain: readonly Uint8Array[]): Promise<void> {
  await withServer(async (server, target) => {
    await sendAll(target, plain.slice(0, 3), false);
    let running = true;
    let answered = 0;
    const querying = Array.from({ length: SLOW_QUERIES }, async () => {
      while (running) if ((await queryRows(server, "bench", SLOW_QUERY)) === undefined) await new Promise((resolve) => setTimeout(resolve, 20)); else answered++;
    });
    const latencies: number[] = [];
    for (let commit = 0; commit < COMMITS; commit++) {
      const started = performance.now();
      const { status, text } = await post(server, "/api/v3/write_lp?db=bench", `w value=${commit}`);
      if (status !== 204) throw new Error(text);
      latencies.push(performance.now() - started);
    }
    running = false;
    await Promise.all(querying);
    report("ingest", "commit_ms_p99_beside_slow_queries", quantile(latencies, 0.99), "ms", { p50: Number(quantile(latencies, 0.5).toPrecision(3)), commits: COMMITS, slow_queries: SLOW_QUERIES, queries_answered: answered });
  });
}

/** The parser alone, in this process, with and without its kernel. */
function parsing(shape: Shape, plain: readonly Uint8Array[]): void {
  const module = new WebAssembly.Module(readFileSync(fileURLToPath(new URL("../../runtime-wasm/dist/line-protocol.wasm", import.meta.url))));
  const { memory, ...calls } = new WebAssembly.Instance(module, {}).exports as { memory: WebAssembly.Memory };
  for (const [way, parser] of [["parse", new LineProtocolParser({ ...calls, memory: memory.buffer } as unknown as LineProtocolKernel)], ["parse_script", new LineProtocolParser()]] as const) {
    const parse = (body: Uint8Array): void => {
      parser.begin(body, { precision: "nanosecond", nowNs: 0n, acceptPartial: true, utf8Checked: true });
      while (!parser.step());
    };
    const bodies = plain.slice(0, PARSED_BODIES);
    bodies.forEach(parse);
    const seconds = Array.from({ length: PARSE_ROUNDS }, () => {
      const before = process.cpuUsage();
      bodies.forEach(parse);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1e6;
    });
    report("ingest", `${way}_${shape}_cpu_s_per_million_rows`, (quantile(seconds, 0.5) / (PARSED_BODIES * LINES)) * 1e6, "s", targetOf(`${way}_${shape}`));
  }
}

const peers = installedPeers();
for (const shape of ["tsbs", "simple"] as const) {
  if (!wants(shape) && !wants(`${shape}_gzip`) && !wants("parse") && !wants("event_loop") && !wants("commits")) continue;
  const plain = makeBodies(shape, WARM_UP[shape] + BODIES[shape], LINES);
  if (wants("parse")) parsing(shape, plain);
  for (const gzip of [false, true]) {
    const name = `${shape}${gzip ? "_gzip" : ""}`;
    if (!wants(name)) continue;
    const own = await ingest(name, shape, plain, gzip);
    if (wants("peers")) for (const each of peers) await peer(each, name, plain, shape, gzip, own);
  }
  if (shape === "tsbs" && wants("event_loop")) await eventLoop(plain);
  if (shape === "simple" && wants("commits")) await commitLatency(plain);
}
