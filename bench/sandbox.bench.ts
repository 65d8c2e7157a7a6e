// The sandbox's figures: restoring an instance, decoding rows, a host call, stopping, memory per idle trigger.
import { fileURLToPath, pathToFileURL } from "node:url";
import { join } from "node:path";
import { readArtefacts } from "../src/adapters/plugin-runtime/artefacts.ts";
import { createPythonRuntime } from "../src/adapters/plugin-runtime/python-runtime.ts";
import { createSystemClock } from "../src/adapters/system/clock.ts";
import { encodeTableBatch, type ColumnValues } from "../src/core/columns/table-batch.ts";
import type { Invocation, PluginHost, PluginInstance, TableRows } from "../src/ports/plugin-runtime.ts";
import { quantile, report } from "./report.ts";

// Bundled to dist/bench/.
const root = pathToFileURL(join(fileURLToPath(new URL(".", import.meta.url)), "../../"));
const MEMORY_BYTES_MAX = 268_435_456;
const ROWS = 10_000;

const runtime = createPythonRuntime({
  loadArtefacts: () => readArtefacts(new URL("runtime-wasm/dist/", root)),
  executorEntry: new URL("dist/executor-worker.js", root),
  clock: createSystemClock(),
  log: { log: () => undefined },
});

const host: PluginHost = {
  log: () => undefined, output: () => undefined, query: async () => new Uint8Array(), writeSync: async () => undefined,
  globalCachePut: () => undefined, globalCacheGet: () => undefined, globalCacheDelete: () => false,
  checkGrant: () => undefined, systemMetrics: () => new Uint8Array(),
};

function invocation(source: string, tables: readonly TableRows[] = []): Invocation {
  return { code: { fileName: "bench.py", source, module: "bench", files: new Map(), revision: BigInt(source.length) }, arguments: undefined, sparseRows: false, event: { kind: "writes", tables } };
}

async function timed(instance: PluginInstance, what: Invocation, wallTimeMsMax = 30_000): Promise<number> {
  const started = performance.now();
  const outcome = await instance.run(what, host, { wallTimeMsMax });
  if (outcome.kind === "failed" || outcome.kind === "raised") throw new Error(JSON.stringify(outcome));
  return performance.now() - started;
}

const make = (): PluginInstance => runtime.createInstance("bench", { memoryBytesMax: MEMORY_BYTES_MAX });
const NOTHING = "def process_writes(l, b, a):\n    pass\n";

const booted = performance.now();
await runtime.start();
report("sandbox", "interpreter_start_ms", performance.now() - booted, "ms");
report("sandbox", "image_bytes", runtime.statistics().imageBytes, "bytes");

const restores: number[] = [];
const firsts: number[] = [];
for (let round = 0; round < 30; round++) {
  const instance = make();
  firsts.push(await timed(instance, invocation(NOTHING)));
  restores.push(runtime.statistics().restoreMsLast);
  await instance.close();
}
report("sandbox", "instance_restore_ms_p50", quantile(restores, 0.5), "ms", { p90: quantile(restores, 0.9) });
report("sandbox", "first_run_of_instance_ms_p50", quantile(firsts, 0.5), "ms");

const warm = make();
const empties: number[] = [];
for (let round = 0; round < 300; round++) empties.push(await timed(warm, invocation(NOTHING)));
report("sandbox", "empty_run_ms_p50", quantile(empties, 0.5), "ms");

const columns: ColumnValues[] = Array.from({ length: 9 }, (_, index): ColumnValues => ({ name: `f${index}`, type: "float64", values: Float64Array.from({ length: ROWS }, (_, row) => row * 0.37 + index) }));
columns.push({ name: "time", type: "time", values: BigInt64Array.from({ length: ROWS }, (_, row) => BigInt(row)) });
const batch = encodeTableBatch({ databaseId: 1, tableId: 1, rowCount: ROWS, timeMin: 0n, timeMax: BigInt(ROWS), columns });
const decode = invocation(NOTHING, [{ tableName: "t", columns: columns.map((column) => column.name), batches: [batch] }]);
const decodes: number[] = [];
for (let round = 0; round < 60; round++) decodes.push(await timed(warm, decode));
const decodeMs = Math.max(0.01, quantile(decodes, 0.5) - quantile(empties, 0.5));
report("sandbox", "decode_rows_per_second", (ROWS / decodeMs) * 1000, "rows/s", { rows: ROWS, columns: columns.length, run_ms_p50: quantile(decodes, 0.5) });

const CALLS = 2000;
const callsMs = await timed(warm, invocation(`def process_writes(l, b, a):\n    for i in range(${CALLS}): l.cache.get("x", None, True)\n`));
report("sandbox", "host_call_us", ((callsMs - quantile(empties, 0.5)) * 1000) / CALLS, "us", { calls: CALLS });

const LIMIT_MS = 100;
for (const [name, source] of [
  ["soft", "def process_writes(l, b, a):\n    while True: pass\n"],
  ["hard", "def process_writes(l, b, a):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass\n"],
  ["terminate", "def process_writes(l, b, a):\n    sum(range(10**13))\n"],
] as const) {
  const over: number[] = [];
  for (let round = 0; round < 5; round++) over.push((await timed(warm, invocation(source), LIMIT_MS)) - LIMIT_MS + (await timed(warm, invocation(NOTHING))));
  report("sandbox", `deadline_to_usable_ms_${name}`, quantile(over, 0.5), "ms", { grace: "included" });
}

const rssBefore = process.memoryUsage().rss;
const IDLE = 50;
const idle = Array.from({ length: IDLE }, make);
for (const instance of idle) await timed(instance, invocation(NOTHING));
report("sandbox", "rss_per_idle_instance", (process.memoryUsage().rss - rssBefore) / IDLE, "bytes", { instances: IDLE });
await runtime.close();
