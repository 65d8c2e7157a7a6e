/**
 * Goal: whatever a plugin tries, the run ends in the expected outcome, nothing escapes, and the same trigger and a sibling
 * work afterwards. Method: every file of zoo/ is one attack, run on the real interpreter with small limits behind the
 * engine's own meter, grants and cache; those that begin with 'network_' have the engine's network and local peers. An attack that gets somewhere it must not logs a line that begins with ESCAPED.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSystemClock } from "../../src/adapters/system/clock.ts";
import { GlobalCache } from "../../src/engine/processing/global-cache.ts";
import { createNodeNetwork } from "../../src/adapters/plugin-network/node-network.ts";
import { type GrantName, PROFILES } from "../../src/core/trigger/grants.ts";
import { PROCESSING_LIMITS } from "../../src/engine/processing/limits.ts";
import { OpenConnections } from "../../src/engine/processing/open-connections.ts";
import { RunAccess } from "../../src/engine/processing/run-access.ts";
import { RunMeter, meteredHost } from "../../src/engine/processing/run-limits.ts";
import { RunNetwork } from "../../src/engine/processing/run-network.ts";
import type { PluginInstance, PluginRuntime } from "../../src/ports/plugin-runtime.ts";
import { hostilePeers, type HostilePeers } from "../support/hostile-peers.ts";
import { folder } from "./zoo-files.ts";
import { MEBIBYTE, RecordingHost, createTestRuntime, plugin, scheduled, summary } from "./fixture.ts";

const STOPPED = /^stopped (soft|hard|terminated) time-limit$/;
// A busy machine may let a grace pass: which level stops what is stopping.test.ts's affair.
const SOFT = /^stopped (soft|hard) time-limit$/;
const HARD = /^stopped (hard|terminated) time-limit$/;
const LAST = /^stopped (terminated|hard) time-limit$/;
const MEMORY = /^(raised MemoryError|stopped (soft|hard|terminated) time-limit)$/;
const LIMIT = /^raised ResourceLimitError$/;
const RECURSION = /^(raised (RecursionError|MemoryError|SystemError)|stopped (soft|hard|terminated) time-limit)$/;
const DONE = /^done$/;

export interface Expected {
  readonly outcome: RegExp;
  /** Default 64. */
  readonly memoryMiB?: number;
  /** Default 400 where a time limit is what ends it, else 5,000; processes get three times as much. */
  readonly wallTimeMs?: number;
  /** What the meter told, by pattern. */
  readonly met?: RegExp;
  /** What the attack logs at least. */
  readonly logged?: string;
  /** Runs that may fail afterwards before the instance starts from the image: what cannot be put back between runs. Default 0. */
  readonly lostRuns?: number;
}

const is = (outcome: RegExp): Expected => ({ outcome });

/** By file name without ending. */
export const EXPECTED: Readonly<Record<string, Expected>> = {
  atexit_hooks: is(DONE), cache_evil_values: is(DONE), cache_key_giant: is(LIMIT), code_forged: is(/^raised (SystemError|RuntimeError)$/),
  del_loops: is(STOPPED), exit_abort: is(/^raised SystemError$/), exit_base: is(/^raised Odd$/), exit_import: is(/^raised SystemExit$/),
  exit_kill: is(/^raised AttributeError$/), exit_os: is(/^raised SystemExit$/), exit_raise_forged: is(/^raised PluginInterrupted$/),
  exit_sys: is(/^raised SystemExit$/), exit_unraisable: is(/^raised ValueError$/), files_descriptors: is(DONE), files_read: is(DONE),
  files_write: is(DONE), flood_cache: { outcome: LIMIT, memoryMiB: 256, wallTimeMs: 5_000 }, flood_calls: is(STOPPED),
  flood_log: { outcome: STOPPED, wallTimeMs: 3_000, met: /at most 10000 lines/ }, flood_log_big: { outcome: LIMIT, met: /at most 4194304 bytes/ },
  flood_print: { outcome: DONE, wallTimeMs: 5_000 },
  flood_query: { outcome: DONE, memoryMiB: 256, wallTimeMs: 5_000, logged: "info: refused" },
  flood_write: { outcome: LIMIT, memoryMiB: 256, wallTimeMs: 5_000 }, flood_write_databases: is(LIMIT),
  flood_write_forged: { outcome: /^failed .*larger than/, memoryMiB: 256, wallTimeMs: 5_000 },
  flood_write_sync: { outcome: LIMIT, memoryMiB: 128, wallTimeMs: 5_000, met: /at most 67108864 bytes/ },
  gc_tricks: is(DONE), generator_endless: is(LIMIT), generator_silent: is(SOFT), host_failure_giant: is(/^raised G{256}\.\.\.$/),
  host_forged_batches: { outcome: DONE, wallTimeMs: 5_000, logged: "info: decoded none" }, host_internal: is(DONE), host_malformed: is(DONE),
  host_reentrant: is(DONE), host_result_forged: is(/^raised SystemError$/), lock_for_ever: is(/^raised RuntimeError$/),
  log_injection: is(DONE), loop_c_sort: is(LAST), loop_c_sum: is(LAST), loop_excepthook: is(HARD), loop_finally: is(/^stopped (soft|hard) time-limit$/),
  loop_import: is(SOFT), loop_int_text: is(STOPPED), loop_itertools: is(LAST), loop_power: is(STOPPED), loop_python: is(SOFT), loop_regex: is(STOPPED),
  loop_swallow: is(HARD), machine_environment: is(DONE), machine_network: is(DONE), machine_process: is(DONE), machine_signals: is(DONE),
  memory_bytearray: is(MEMORY), memory_cache: is(MEMORY), memory_decompress: is(MEMORY), memory_deque: is(MEMORY), memory_dict: is(MEMORY),
  memory_int: is(MEMORY), memory_json: is(MEMORY), memory_list: is(MEMORY), memory_multiply: is(MEMORY), memory_one_piece: is(/^raised (OverflowError|MemoryError)$/),
  memory_swallow: is(MEMORY), memory_text: is(MEMORY), patch_builtins: is(DONE), patch_builtins_del: is(/^(done|raised .*|failed .*)$/),
  patch_glue: is(/^raised RuntimeError$/), patch_glue_loops: is(HARD), patch_import_time: is(/^(done|raised .*)$/), patch_line_builder: is(DONE),
  patch_local_api: is(DONE), patch_modules: is(DONE), patch_stdlib: is(DONE), patch_streams: is(DONE), pickle_code: is(DONE),
  recursion_compile: is(/^raised (MemoryError|RecursionError)$/), recursion_dealloc: { outcome: DONE, wallTimeMs: 5_000, logged: "info: freed" },
  recursion_getattr: is(RECURSION), recursion_pickle: is(RECURSION), recursion_python: is(RECURSION), recursion_repr: is(RECURSION),
  response_forged: { outcome: /^failed .*larger than/, wallTimeMs: 5_000 }, response_giant: is(LIMIT), response_header_giant: is(LIMIT),
  response_headers: { outcome: LIMIT, wallTimeMs: 5_000 }, response_headers_forged: { outcome: /^failed .*longer than/, wallTimeMs: 5_000 },
  response_json_giant: { outcome: LIMIT, wallTimeMs: 5_000 }, response_status: is(/^raised OverflowError$/),
  patch_limits: { outcome: /^failed .*larger than/, memoryMiB: 256 }, host_exceeded_flood: { outcome: DONE, logged: "info: all refused" }, host_grant_names: is(DONE), modules_poison: is(DONE),
  modules_again: is(DONE), loop_without_polls: is(STOPPED), interpreters_sub: is(DONE), state_of_interpreter: is(DONE), hooks_monitoring: is(/^raised RuntimeError$/), hooks_audit: { outcome: DONE, lostRuns: 1 },
  patch_types: { outcome: DONE, lostRuns: 1 }, finalizer_next_run: is(DONE), text_surrogates: is(/^raised Odd\nERROR forged/), files_packages: is(DONE), clock_numbers: is(/^raised SystemError$/), response_framing: is(DONE),
  net_malformed: is(DONE), network_waits: is(STOPPED), network_left_open: { outcome: DONE, wallTimeMs: 10_000 }, network_feeds: is(STOPPED),
  network_costly_tls: { outcome: DONE, wallTimeMs: 10_000, logged: "info: all refused" }, network_many: { outcome: LIMIT, met: /at most 256 connections/ }, network_others: is(DONE), sleep_for_ever: is(SOFT), sleep_in_select: is(STOPPED), trace_hooks: is(/^raised RuntimeError$/),
};

const HONEST = [
  "import json, re",
  'influxdb3_local.write(LineBuilder("m").tag("t", "v").int64_field("f", len("abc")))',
  'influxdb3_local.cache.put("n", 1)',
  'influxdb3_local.info(json.dumps({"a": [1]}), re.sub("a", "b", "abc"), influxdb3_local.cache.get("n"))',
].join("\n");

class ZooHost extends RecordingHost {
  readonly shared = new GlobalCache(createSystemClock(), 16 * MEBIBYTE);

  override query(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array());
  }

  /** Databases are granted here, so that what counts is the number of them. */
  override checkGrant(grant: GrantName, subject: string): void {
    if (grant !== "db") super.checkGrant(grant, subject);
  }

  override globalCachePut(key: string, value: Uint8Array): void {
    this.shared.put(key, value, undefined, { key: "attacker", bytesMax: 64 * MEBIBYTE });
  }

  override globalCacheGet(key: string): Uint8Array | undefined {
    return this.shared.get(key);
  }

  override globalCacheDelete(key: string): boolean {
    return this.shared.delete(key);
  }
}

async function expectHonest(instance: PluginInstance): Promise<void> {
  const host = new RecordingHost();
  const outcome = await instance.run(scheduled(HONEST), host, { wallTimeMsMax: 20_000 });
  expect(outcome).toEqual({ kind: "done", writes: [{ database: undefined, lines: "m,t=v f=3i" }] });
  expect(host.logged).toEqual(['info: {"a": [1]} bbc 1']);
}

/** The network of a run as the engine has it, granted nothing but the peers. */
function realNetwork(meter: RunMeter, grants: readonly string[]): { readonly network: RunNetwork; readonly connections: OpenConnections } {
  const clock = createSystemClock();
  const connections = new OpenConnections(clock);
  const server = { grants: PROFILES.strict, environment: () => undefined, isSelf: () => false, isClosed: () => false, systemMetrics: () => "" };
  const access = new RunAccess({ grants: { ...PROFILES.strict, net: grants }, access: server, database: "db", onDenied: () => undefined });
  const network = new RunNetwork({
    network: createNodeNetwork().ofRun("zoo"), clock, access, meter,
    begin: () => connections.begin(), end: (number) => connections.end(number), onConnected: () => undefined, onClosed: () => undefined,
  });
  return { network, connections };
}

const expectedOf = (name: string): Expected => EXPECTED[name] as Expected;

/** What ends by itself is given the time that a busy machine needs. */
const defaultWallTimeMs = (outcome: RegExp): number => (["soft", "hard", "terminated"].some((level) => outcome.test(`stopped ${level} time-limit`)) ? 400 : 5_000);

/** Defines the tests of `names` in this isolation. */
export function describeZoo(isolation: "shared" | "worker" | "process", names: readonly string[]): void {
  describe(`the zoo, ${isolation} isolation`, () => {
    let runtime: PluginRuntime;
    let sibling: PluginInstance;
    let peers: HostilePeers;
    beforeAll(async () => {
      peers = await hostilePeers();
      runtime = createTestRuntime({ isolation, hardStopGraceMs: isolation === "process" ? 700 : 100, terminateGraceMs: isolation === "process" ? 400 : 250, terminationEndsThread: true });
      await runtime.start();
      sibling = runtime.createInstance("sibling", { memoryBytesMax: 64 * MEBIBYTE });
    }, 60_000);
    afterAll(async () => {
      await runtime.close();
      await peers.close();
    });

    test.each(names)("%s", { timeout: 60_000 }, async (name) => {
      const { outcome: expected, memoryMiB = 64, wallTimeMs = defaultWallTimeMs(expectedOf(name).outcome), met: expectedMet, logged, lostRuns = 0 } = expectedOf(name);
      const source = readFileSync(new URL(`${name}.py`, folder), "utf8");
      const event = source.includes("def process_request") ? ({ kind: "request", query: [], headers: [], body: new Uint8Array() } as const) : undefined;
      const instance = runtime.createInstance(name, { memoryBytesMax: memoryMiB * MEBIBYTE });
      const host = new ZooHost();
      const met: string[] = [];
      const meter = new RunMeter(PROCESSING_LIMITS, (text) => met.push(text));
      const real = name.startsWith("network_") ? realNetwork(meter, peers.grants) : undefined;
      if (real !== undefined) host.network = real.network;
      const invocation = { ...plugin(source, event), arguments: Object.entries(peers.ports) };
      const outcome = await instance.run(invocation, meteredHost(host, meter), { wallTimeMsMax: isolation === "process" ? 3 * wallTimeMs : wallTimeMs });
      real?.network.end();
      expect(real?.connections.size ?? 0).toBe(0);
      expect(summary(outcome)).toMatch(expected);
      expect(host.logged.filter((line) => line.includes("ESCAPED"))).toEqual([]);
      if (expectedMet !== undefined) expect(met).toEqual([expect.stringMatching(expectedMet)]);
      if (logged !== undefined) expect(host.logged).toContain(logged);
      expectBounded(host, outcome);
      for (let lost = 0; lost < lostRuns; lost += 1) await instance.run(scheduled(HONEST), new RecordingHost(), { wallTimeMsMax: 20_000 });
      await expectHonest(instance);
      await expectHonest(sibling);
      await instance.close();
    });
  });
}

/** Nothing of the attack is larger on the host than the limits say. */
function expectBounded(host: ZooHost, outcome: unknown): void {
  expect(host.logged.length).toBeLessThanOrEqual(PROCESSING_LIMITS.runLogLinesMax);
  expect(host.logged.reduce((sum, line) => sum + line.length, 0)).toBeLessThan(2 * PROCESSING_LIMITS.runLogBytesMax);
  expect(host.printed.reduce((sum, line) => sum + line.length, 0)).toBeLessThan(2 * MEBIBYTE);
  expect(host.printed.length).toBeLessThanOrEqual(16_384);
  expect(host.shared.bytes).toBeLessThanOrEqual(8 * MEBIBYTE);
  if (typeof outcome === "object" && outcome !== null && "message" in outcome) expect(String(outcome.message).length).toBeLessThan(300_000);
}
