// The processing engine's figures: from durable rows to the plugin's first line, empty runs, rows through a plugin,
// requests to a plugin over HTTP, and what idle triggers cost.
import { Agent, request as httpRequest } from "node:http";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createMemoryObjectStore } from "../src/adapters/object-store/memory.ts";
import { readArtefacts } from "../src/adapters/plugin-runtime/artefacts.ts";
import { createPythonRuntime } from "../src/adapters/plugin-runtime/python-runtime.ts";
import { createSystemClock } from "../src/adapters/system/clock.ts";
import { createMemoryWalLog } from "../src/adapters/wal-log/memory.ts";
import { encodeTableBatch, type ColumnValues } from "../src/core/columns/table-batch.ts";
import { PROFILES } from "../src/core/trigger/grants.ts";
import { CatalogService } from "../src/engine/catalog-service.ts";
import { GapTable } from "../src/engine/processing/gap-table.ts";
import { PROCESSING_LIMITS } from "../src/engine/processing/limits.ts";
import { LogTable } from "../src/engine/processing/log-table.ts";
import type { QueryService } from "../src/engine/query-service.ts";
import { Storage } from "../src/engine/storage.ts";
import { createProcessing, type Processing } from "../src/platform/processing.ts";
import type { PluginCode, PluginHost } from "../src/ports/plugin-runtime.ts";
import type { PluginStore } from "../src/ports/plugin-store.ts";
import { anyPlugin } from "../src/testing/any-plugin.ts";
import { noNetwork } from "../src/testing/no-network.ts";
import { eventually, post, removeFolder, startServer, type TestServer } from "../test/support/server.ts";
import { quantile, report } from "./report.ts";

// Bundled to dist/bench/.
const root = pathToFileURL(join(fileURLToPath(new URL(".", import.meta.url)), "../../"));
const MEMORY_BYTES_MAX = 268_435_456;
const SUM_ROWS = 50_000;
const RUNS = 2_000;
const LATENCY_WRITES = 200;
const REQUESTS = 6_000;
const CONNECTIONS = 4;
const IDLE_TRIGGERS = 100;
/** Longer than an instance without cache keeps its memory. */
const IDLE_MS = 45_000;

const clock = createSystemClock();
const quiet = { log: () => undefined };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const codeOf = (fileName: string, source: string): PluginCode => ({ fileName, source, module: fileName, files: new Map(), revision: BigInt(source.length) });

const runtime = createPythonRuntime({
  loadArtefacts: () => readArtefacts(new URL("runtime-wasm/dist/", root)),
  executorEntry: new URL("dist/executor-worker.js", root),
  clock, log: quiet, terminationEndsThread: true,
});
await runtime.start();

const refuse = (): never => {
  throw new Error("not in a bench");
};
const host = {
  log: () => undefined, output: () => undefined, query: async () => new Uint8Array(), writeSync: async () => undefined,
  globalCachePut: () => undefined, globalCacheGet: () => undefined, globalCacheDelete: () => false, checkGrant: refuse, systemMetrics: refuse,
} as unknown as PluginHost;

/** Sources by file name, as the plugin folder. */
const sources: Record<string, string> = {
  "enter.py": "def process_writes(local, batches, args):\n    local.info('entered')\n",
  "empty.py": "def process_scheduled_call(local, call_time, args):\n    pass\ndef process_writes(local, batches, args):\n    pass\n",
};

interface Rig {
  readonly storage: Storage;
  readonly processing: Processing;
  readonly logs: LogTable;
}

async function makeRig(): Promise<Rig> {
  const random16 = (): Uint8Array => crypto.getRandomValues(new Uint8Array(16));
  const catalog = await CatalogService.open({ store: createMemoryObjectStore(new Map()), prefix: "c", random16, clock, log: quiet });
  const storage = await Storage.open({ catalog, clock, log: quiet, random16, wal: createMemoryWalLog() });
  const logs = new LogTable(clock, PROCESSING_LIMITS.logRowsMax);
  const load = async (fileName: string): Promise<PluginCode> => codeOf(fileName, sources[fileName] ?? "");
  const plugins: PluginStore = { ...anyPlugin, load, newest: load };
  let runIds = 0;
  const processing = createProcessing({
    catalog, storage, clock, logs, plugins, runtime, gaps: new GapTable(clock), log: quiet, sparseRows: false, queries: {} as QueryService,
    limits: { ...PROCESSING_LIMITS, flushIntervalMs: 1 }, newRunId: () => String((runIds += 1)),
    access: { grants: PROFILES.strict, environment: () => undefined, isSelf: () => false, isClosed: () => false, systemMetrics: () => "{}" },
    network: noNetwork, logsConnections: false,
  });
  return { storage, processing, logs };
}

const write = (storage: Storage, lines: string): Promise<unknown> =>
  storage.write({ database: "db", body: new TextEncoder().encode(lines), precision: "nanosecond", acceptPartial: false, noSync: false });

async function triggerLatency(): Promise<void> {
  const { storage, processing, logs } = await makeRig();
  await write(storage, "m f=0 1");
  let entered: (() => void) | undefined;
  logs.listen(({ text }) => text === "entered" && entered?.());
  await processing.engine.createTrigger({ database: "db", triggerName: "t", pluginFileName: "enter.py", specification: "table:m", arguments: undefined, runAsync: false, errorBehavior: "log", disabled: false });
  const latencies: number[] = [];
  let durableMs = 0;
  storage.onCommitted(() => (durableMs = performance.now()));
  for (let round = 0; round < LATENCY_WRITES; round++) {
    const enteredMs = new Promise<number>((resolve) => (entered = () => resolve(performance.now())));
    await write(storage, `m f=${round} ${round + 2}`);
    latencies.push((await enteredMs) - durableMs);
    await pause(3);
  }
  report("engine", "durable_to_entry_ms_p50", quantile(latencies, 0.5), "ms", { p99: quantile(latencies, 0.99), writes: LATENCY_WRITES });
  await processing.engine.close();
  await storage.close();
}

async function emptyRuns(): Promise<void> {
  const instance = runtime.createInstance("empty", { memoryBytesMax: MEMORY_BYTES_MAX });
  const invocation = { code: codeOf("empty.py", sources["empty.py"] as string), arguments: undefined, sparseRows: false, event: { kind: "schedule", callTimeSeconds: 0n } } as const;
  const durations: number[] = [];
  const begun = performance.now();
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now();
    await instance.run(invocation, host, { wallTimeMsMax: 30_000 });
    durations.push(performance.now() - started);
  }
  report("engine", "empty_run_ms_p50", quantile(durations, 0.5), "ms", { p99: quantile(durations, 0.99) });
  report("engine", "empty_runs_per_second", (RUNS / (performance.now() - begun)) * 1000, "1/s", { instances: 1 });
  await instance.close();
}

async function rowsThroughPlugin(): Promise<void> {
  const columns: ColumnValues[] = Array.from({ length: 9 }, (_, index): ColumnValues => ({ name: `f${index}`, type: "float64", values: Float64Array.from({ length: SUM_ROWS }, (_, row) => row * 0.37 + index) }));
  columns.push({ name: "time", type: "time", values: BigInt64Array.from({ length: SUM_ROWS }, (_, row) => BigInt(row)) });
  const batch = encodeTableBatch({ databaseId: 1, tableId: 1, rowCount: SUM_ROWS, timeMin: 0n, timeMax: BigInt(SUM_ROWS), columns });
  const source = "def process_writes(local, batches, args):\n    total = 0.0\n    for batch in batches:\n        for row in batch['rows']:\n            total += row['f3']\n";
  const instance = runtime.createInstance("sum", { memoryBytesMax: MEMORY_BYTES_MAX });
  const durations: number[] = [];
  for (let round = 0; round < 40; round++) {
    const started = performance.now();
    const outcome = await instance.run(
      { code: codeOf("sum.py", source), arguments: undefined, sparseRows: false, event: { kind: "writes", tables: [{ tableName: "t", columns: columns.map((column) => column.name), batches: [batch] }] } },
      host, { wallTimeMsMax: 30_000 },
    );
    if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
    durations.push(performance.now() - started);
  }
  report("engine", "sum_plugin_rows_per_second", (SUM_ROWS / quantile(durations.slice(10), 0.5)) * 1000, "rows/s", { rows: SUM_ROWS, columns: columns.length });
  await instance.close();
}

await triggerLatency();
await emptyRuns();
await rowsThroughPlugin();
await runtime.close();

/** Seconds of all processors, in hundredths. */
function cpuSeconds(server: TestServer): number {
  const fields = readFileSync(`/proc/${server.process.pid}/stat`, "utf8").split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** Requests per second over keep-alive connections, each with one request under way. */
async function requestsPerSecond(server: TestServer, path: string): Promise<{ readonly perSecond: number; readonly cpuMs: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const send = (): Promise<void> =>
    new Promise((resolve, reject) => {
      httpRequest(`${server.url}/api/v3/engine/${path}`, { agent }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`status ${answer.statusCode}`));
        answer.resume().on("end", resolve);
      }).on("error", reject).end();
    });
  for (let warm = 0; warm < 200; warm++) await send();
  let left = REQUESTS;
  const cpuBefore = cpuSeconds(server);
  const started = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    while (left-- > 0) await send();
  }));
  const perSecond = (REQUESTS / (performance.now() - started)) * 1000;
  agent.destroy();
  return { perSecond, cpuMs: ((cpuSeconds(server) - cpuBefore) * 1000) / REQUESTS };
}

const plugins = mkdtempSync(join(tmpdir(), "tidemark-bench-"));
const server = await startServer({ flags: ["--plugin-dir", plugins, "--memory-limit", "4gb", "--plugins-memory", "1200mb"] });
await post(server, "/api/v3/configure/database", { db: "bench" });
await post(server, "/api/v3/plugins/files", { plugin_name: "hello.py", content: "def process_request(local, query, headers, body, args):\n    return 'hello'\n" });
const createRequestTrigger = async (name: string, runAsync: boolean): Promise<void> => {
  const answer = await post(server, "/api/v3/configure/processing_engine_trigger", {
    db: "bench", trigger_name: name, plugin_filename: "hello.py", trigger_specification: `request:${name}`, trigger_settings: { run_async: runAsync, error_behavior: "log" }, disabled: false,
  });
  if (answer.status !== 200) throw new Error(answer.text);
};
await createRequestTrigger("sync", false);
await createRequestTrigger("async", true);
await eventually("the interpreter", async () => ((await fetch(`${server.url}/api/v3/engine/sync`)).status === 200 ? true : undefined));
for (const kind of ["sync", "async"]) {
  const { perSecond, cpuMs } = await requestsPerSecond(server, kind);
  report("engine", `requests_per_second_${kind}`, perSecond, "1/s", { connections: CONNECTIONS, server_cpu_ms_per_request: Number(cpuMs.toPrecision(3)) });
}

const residentBytes = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.process.pid}/status`, "utf8"))?.[1] ?? Number.NaN) * 1024;
for (let index = 0; index < IDLE_TRIGGERS; index++) {
  await createRequestTrigger(`idle${index}`, false);
  await fetch(`${server.url}/api/v3/engine/idle${index}`);
}
const justAfter = residentBytes();
await pause(IDLE_MS);
// A little life, as every server has: what is not referenced any more goes when somebody makes garbage.
await requestsPerSecond(server, "sync");
report("engine", "rss_with_idle_triggers", residentBytes(), "bytes", { triggers: IDLE_TRIGGERS + 2, right_after_their_runs: justAfter, limit: 1_073_741_824 });
await server.stop();
removeFolder(server.folder);
rmSync(plugins, { recursive: true });
