// The sandbox's figures, for executor threads and executor processes: starting and resetting an instance, a host call, stopping
// at each level, memory per idle trigger, and what an attack costs a writer on the same server.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { join } from "node:path";
import { readArtefacts } from "../src/adapters/plugin-runtime/artefacts.ts";
import { createPythonRuntime } from "../src/adapters/plugin-runtime/python-runtime.ts";
import { createSystemClock } from "../src/adapters/system/clock.ts";
import { encodeTableBatch, type ColumnValues } from "../src/core/columns/table-batch.ts";
import { HostCallError } from "../src/ports/plugin-runtime.ts";
import { noNetworkCalls } from "../src/testing/no-network.ts";
import type { Invocation, PluginHost, PluginInstance, RunOutcome, TableRows } from "../src/ports/plugin-runtime.ts";
import { quantile, report } from "./report.ts";

// Bundled to dist/bench/.
const root = pathToFileURL(join(fileURLToPath(new URL(".", import.meta.url)), "../../"));
const MEMORY_BYTES_MAX = 268_435_456;
const ROWS = 10_000;
const HARD_GRACE_MS = 250;
const TERMINATE_GRACE_MS = 1_000;

const host: PluginHost = {
  log: () => undefined, output: () => undefined, query: async () => new Uint8Array(), writeSync: async () => undefined,
  globalCachePut: () => undefined, globalCacheGet: () => undefined, globalCacheDelete: () => false,
  checkGrant: () => undefined, systemMetrics: () => new Uint8Array(), exceeded: () => new HostCallError("limit", "limit"), network: noNetworkCalls,
};

function invocation(source: string, tables: readonly TableRows[] = []): Invocation {
  return { code: { fileName: "bench.py", source, module: "bench", files: new Map(), revision: BigInt(source.length) }, arguments: undefined, sparseRows: false, event: { kind: "writes", tables } };
}

const NOTHING = "def process_writes(l, b, a):\n    pass\n";
const SPEAKING = 'def process_writes(l, b, a):\n    l.info("here")\n';
const MEMORY_BOMB = 'def process_writes(l, b, a):\n    raise MemoryError("as if")\n';
const RUNAWAYS = [
  ["soft", "def process_writes(l, b, a):\n    while True: pass\n", 0],
  ["hard", "def process_writes(l, b, a):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass\n", HARD_GRACE_MS],
  ["terminated", "def process_writes(l, b, a):\n    sum(range(10**13))\n", HARD_GRACE_MS + TERMINATE_GRACE_MS],
] as const;

async function measure(isolation: "shared" | "process"): Promise<void> {
  const runtime = createPythonRuntime({
    loadArtefacts: () => readArtefacts(new URL("runtime-wasm/dist/", root)),
    executorEntry: new URL("dist/executor-worker.js", root),
    processCommand: { file: process.execPath, arguments: [fileURLToPath(new URL("dist/executor-process.js", root))] },
    isolation,
    terminationEndsThread: true,
    clock: createSystemClock(),
    log: { log: () => undefined },
  });
  const tell = (metric: string, value: number, unit: string, more: Readonly<Record<string, unknown>> = {}): void => report("sandbox", metric, value, unit, { isolation, ...more });
  const make = (label = "bench"): PluginInstance => runtime.createInstance(label, { memoryBytesMax: MEMORY_BYTES_MAX });
  const run = (instance: PluginInstance, what: Invocation, wallTimeMsMax = 30_000): Promise<RunOutcome> => instance.run(what, host, { wallTimeMsMax });
  const timed = async (instance: PluginInstance, what: Invocation): Promise<number> => {
    const started = performance.now();
    const outcome = await run(instance, what);
    if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
    return performance.now() - started;
  };

  await runtime.start();
  tell("interpreter_start_ms", runtime.statistics().bootMs, "ms");
  tell("image_bytes", runtime.statistics().imageBytes, "bytes");

  const warm = make();
  for (let round = 0; round < 20; round++) await timed(warm, invocation(NOTHING));
  const starts: number[] = [];
  for (let round = 0; round < 30; round++) {
    const instance = make();
    starts.push(await timed(instance, invocation(NOTHING)));
    await instance.close();
  }
  tell("instance_start_ms_p50", quantile(starts, 0.5), "ms", { p90: quantile(starts, 0.9), what: "first run of a new instance" });
  const resets: number[] = [];
  for (let round = 0; round < 30; round++) {
    await run(warm, invocation(MEMORY_BOMB));
    await timed(warm, invocation(NOTHING));
    resets.push(runtime.statistics().restoreMsLast);
  }
  tell("instance_reset_ms_p50", quantile(resets, 0.5), "ms", { p90: quantile(resets, 0.9), what: "restoring the image in place" });
  const empties: number[] = [];
  for (let round = 0; round < 300; round++) empties.push(await timed(warm, invocation(NOTHING)));
  const emptyMs = quantile(empties, 0.5);
  tell("empty_run_ms_p50", emptyMs, "ms");

  const decode = invocation(NOTHING, [batchOfFloats()]);
  const decodes: number[] = [];
  for (let round = 0; round < 60; round++) decodes.push(await timed(warm, decode));
  tell("decode_rows_per_second", (ROWS / Math.max(0.01, quantile(decodes, 0.5) - emptyMs)) * 1000, "rows/s", { rows: ROWS, columns: 10, run_ms_p50: quantile(decodes, 0.5) });

  const CALLS = 2000;
  const calls: number[] = [];
  for (let round = 0; round < 5; round++) calls.push(await timed(warm, invocation(`def process_writes(l, b, a):\n    for i in range(${CALLS}): l.cache.get("x", None, True)\n`)));
  tell("host_call_us", ((quantile(calls, 0.5) - emptyMs) * 1000) / CALLS, "us", { calls: CALLS });

  const LIMIT_MS = 100;
  for (const [level, source, graceMs] of RUNAWAYS) {
    const usable: number[] = [];
    const over: number[] = [];
    for (let round = 0; round < 15; round++) {
      // A trigger of its own each time: one that is ended again and again is set apart.
      const instance = make(`${level} ${round}`);
      await timed(instance, invocation(NOTHING));
      const started = performance.now();
      const outcome = await run(instance, invocation(source), LIMIT_MS);
      // The next run's first line of Python calls the host: what it costs to be heard counts too.
      let heard = Number.NaN;
      await instance.run(invocation(SPEAKING), { ...host, log: () => void (heard = performance.now()) }, { wallTimeMsMax: 30_000 });
      if (outcome.kind === "stopped" && outcome.level === level) {
        usable.push(heard - started - LIMIT_MS - graceMs);
        over.push(performance.now() - started - LIMIT_MS - graceMs);
      }
      await instance.close();
    }
    const tellStop = (metric: string, samples: readonly number[], what: string): void =>
      tell(`${metric}_ms_${level}`, quantile(samples, 0.5), "ms", { min: Math.min(...samples), max: Math.max(...samples), samples: samples.length, what });
    tellStop("deadline_to_usable", usable, "from the end of the grace to the first line of the next run");
    tellStop("deadline_to_next_end", over, "from the end of the grace to the end of the next run");
  }
  await warm.close();

  const before = process.memoryUsage.rss();
  const idle: PluginInstance[] = [];
  for (const count of [1, 10, 100]) {
    while (idle.length < count) {
      const instance = make(`idle ${idle.length}`);
      await timed(instance, invocation(NOTHING));
      idle.push(instance);
    }
    tell("rss_per_idle_trigger", (process.memoryUsage.rss() - before) / count, "bytes", { triggers: count, executors: runtime.statistics().executors, what: "of the server's process" });
  }
  await runtime.close();
}

function batchOfFloats(): TableRows {
  const columns: ColumnValues[] = Array.from({ length: 9 }, (_, index): ColumnValues => ({ name: `f${index}`, type: "float64", values: Float64Array.from({ length: ROWS }, (__, row) => row * 0.37 + index) }));
  columns.push({ name: "time", type: "time", values: BigInt64Array.from({ length: ROWS }, (_, row) => BigInt(row)) });
  const bytes = encodeTableBatch({ databaseId: 1, tableId: 1, rowCount: ROWS, timeMin: 0n, timeMax: BigInt(ROWS), columns });
  return { tableName: "t", columns: columns.map((column) => column.name), batches: [bytes] };
}

/** Writes without waiting for the disk, on a real server: quiet, and while a plugin attacks. */
async function writerUnderAttack(isolation: "shared" | "process"): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-bench-"));
  const listener = join(folder, "listener");
  const flags = ["--node-id", "bench", "--object-store", "memory", "--plugin-dir", folder, "--http-bind", "127.0.0.1:0", "--without-auth", "--tcp-listener-file-path", listener, "--plugin-isolation", isolation];
  const server = spawn(process.execPath, [fileURLToPath(new URL("dist/influxdb3.js", root)), "serve", ...flags], { stdio: "ignore" });
  try {
    for (let tries = 0; tries < 300 && !existsSync(listener); tries += 1) await new Promise((resolve) => setTimeout(resolve, 100));
    const url = `http://${readFileSync(listener, "utf8").trim()}`;
    const send = async (method: string, path: string, body: string | object): Promise<void> => {
      const json = typeof body !== "string";
      const answer = await fetch(url + path, { method, body: json ? JSON.stringify(body) : body, headers: json ? { "content-type": "application/json" } : {} });
      await answer.arrayBuffer();
    };
    await send("POST", "/api/v3/configure/database", { db: "db" });
    for (const [name, body] of [["loop", "while True: pass"], ["c_loop", "sum(range(10**13))"], ["memory", "held = []\n    while True: held.append(b'x' * 1_000_000)"], ["log", "while True: l.info('x')"]] as const) {
      await send("POST", "/api/v3/plugins/files", { plugin_name: `${name}.py`, content: `def process_request(l, q, h, b, a=None):\n    ${body}\n` });
      await send("POST", "/api/v3/configure/processing_engine_trigger", {
        db: "db", plugin_filename: `${name}.py`, trigger_name: name, trigger_settings: { run_async: false, error_behavior: "log" }, trigger_specification: `request:${name}`, disabled: false, limits: { time: "500ms" },
      });
    }
    let row = 0;
    const p99 = async (ms: number): Promise<number> => {
      const samples: number[] = [];
      for (const end = performance.now() + ms; performance.now() < end; ) {
        const started = performance.now();
        await send("POST", "/api/v3/write_lp?db=db&no_sync=true", `w f=1 ${(row += 1)}`);
        samples.push(performance.now() - started);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return quantile(samples, 0.99);
    };
    await p99(500);
    const quietMs = await p99(3_000);
    report("sandbox", "write_p99_ms_quiet", quietMs, "ms", { isolation });
    for (const name of ["loop", "c_loop", "memory", "log"]) {
      let attacking = true;
      const attack = (async () => {
        while (attacking) await send("POST", `/api/v3/engine/${name}`, "");
      })();
      const attackedMs = await p99(3_000);
      attacking = false;
      await attack;
      report("sandbox", `write_p99_ratio_${name}`, attackedMs / quietMs, "ratio", { isolation, p99_ms: attackedMs });
    }
  } finally {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const isolation of ["shared", "process"] as const) {
  await measure(isolation);
  await writerUnderAttack(isolation);
}
