// The three ways to end a run (design §4) on the real interpreter, and that nobody else is harmed by any of them.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PluginInstance, PluginRuntime, RunOutcome } from "../../src/ports/plugin-runtime.ts";
import { MEBIBYTE, RecordingHost, createTestRuntime, scheduled, summary } from "./fixture.ts";

const LIMIT_MS = 150;
const PUT = 'influxdb3_local.cache.put("kept", 41)\ninfluxdb3_local.cache.put("also", 1)';
const GET = 'influxdb3_local.info(str(influxdb3_local.cache.get("kept")))';
const FOREVER = "while True: pass";
const SWALLOWING = "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass";
const NEVER_POLLING = "sum(range(10**12))";

let runtime: PluginRuntime;
afterAll(() => runtime.close());

const newInstance = (label = "test"): PluginInstance => runtime.createInstance(label, { memoryBytesMax: 256 * MEBIBYTE });

async function run(instance: PluginInstance, body: string, options: { limitMs?: number; signal?: AbortSignal; host?: RecordingHost } = {}): Promise<RunOutcome> {
  const { limitMs = 20_000, signal, host = new RecordingHost() } = options;
  return instance.run(scheduled(body), host, { wallTimeMsMax: limitMs, ...(signal === undefined ? {} : { signal }) });
}

async function cached(instance: PluginInstance): Promise<string | undefined> {
  const host = new RecordingHost();
  await run(instance, GET, { host });
  return host.logged[0];
}

describe.each(["process", "worker", "shared"] as const)("with %s isolation, a run past its time", (isolation) => {
  beforeAll(async () => {
    await runtime?.close();
    // A busy machine must get through the first grace: what is expected here is how far we have to go.
    runtime = createTestRuntime({ isolation, terminationEndsThread: true, hardStopGraceMs: 1_200 });
    await runtime.start();
  }, 60_000);

  test("in an endless loop is interrupted softly; its cache stays", async () => {
    const instance = newInstance();
    await run(instance, PUT);
    const outcome = await run(instance, FOREVER, { limitMs: LIMIT_MS });
    expect(outcome).toMatchObject({ kind: "stopped", reason: "time-limit", level: "soft", cacheKeysLost: 0 });
    expect(outcome.kind === "stopped" && outcome.traceback).toContain("plugin.py");
    expect(await cached(instance)).toBe("info: 41");
  });

  test("that swallows the interruption is left by force; its thread goes on, its cache is gone", async () => {
    const instance = newInstance();
    await run(instance, PUT);
    const outcome = await run(instance, SWALLOWING, { limitMs: LIMIT_MS });
    expect(outcome).toMatchObject({ kind: "stopped", reason: "time-limit", level: "hard", cacheKeysLost: 2 });
    expect(await cached(instance)).toBe("info: None");
  });

  test("that had to be left is succeeded by a guest that was made ready meanwhile, and that nothing was left in", async () => {
    const instance = newInstance();
    await run(instance, "pass");
    const restoreMs = runtime.statistics().restoreMsLast;
    const drawn = new Set<string | undefined>();
    for (let round = 0; round < 3; round += 1) {
      await run(instance, `import sys\nsys.mark = "left here"\n${SWALLOWING}`, { limitMs: LIMIT_MS });
      const host = new RecordingHost();
      await run(instance, 'import random, sys\ninfluxdb3_local.info(hasattr(sys, "mark"), random.random())', { host });
      expect(host.logged).toEqual([expect.stringMatching(/^info: False /)]);
      drawn.add(host.logged[0]);
    }
    expect(drawn.size).toBe(3);
    // No run had to wait for a restore.
    expect(runtime.statistics().restoreMsLast).toBe(restoreMs);
    await instance.close();
  });

  test("that never polls loses its thread and nothing else; parked instances keep memory and cache", async () => {
    const parked = ["a", "b", "c"].map(newInstance);
    for (const instance of parked) await run(instance, PUT);
    const runaway = newInstance("runaway");
    await run(runaway, PUT);
    const outcome = await run(runaway, NEVER_POLLING, { limitMs: LIMIT_MS });
    expect(outcome).toMatchObject({ kind: "stopped", reason: "time-limit", level: "terminated", cacheKeysLost: 2 });
    for (const instance of parked) expect(await cached(instance)).toBe("info: 41");
    expect(await cached(runaway)).toBe("info: None");
    for (const instance of [...parked, runaway]) await instance.close();
  });

  test("in time.sleep wakes up at once", async () => {
    const instance = newInstance();
    await run(instance, "pass");
    const started = performance.now();
    const outcome = await run(instance, "import time\ntime.sleep(60)\nwhile True: pass", { limitMs: LIMIT_MS });
    expect(summary(outcome)).toBe("stopped soft time-limit");
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("in a host call gets its refusal and ends", async () => {
    const host = new RecordingHost();
    host.query = () => new Promise(() => undefined);
    const instance = newInstance();
    const outcome = await run(instance, 'influxdb3_local.query("SELECT 1")', { limitMs: LIMIT_MS, host });
    expect(summary(outcome)).toBe("stopped soft time-limit");
    expect(summary(await run(instance, "pass"))).toBe("done");
  });

});

describe("a run past its time", () => {
  test("many times leaves every instance usable", async () => {
    const instance = newInstance();
    for (let count = 0; count < 5; count += 1) {
      expect(summary(await run(instance, FOREVER, { limitMs: 20 }))).toBe("stopped soft time-limit");
      expect(summary(await run(instance, SWALLOWING, { limitMs: 20 }))).toBe("stopped hard time-limit");
    }
    expect(summary(await run(instance, "import json\nassert json.dumps([1]) == '[1]'"))).toBe("done");
  });
});

describe("a cancelled run", () => {
  test("is interrupted as by the time limit", async () => {
    const controller = new AbortController();
    const host = new RecordingHost();
    host.log = () => controller.abort();
    const outcome = await run(newInstance(), `influxdb3_local.info("begun")\n${FOREVER}`, { signal: controller.signal, host });
    expect(outcome).toMatchObject({ kind: "stopped", reason: "cancelled", level: "soft" });
  });

  test("that waits for an executor ends without one", async () => {
    const narrow = createTestRuntime({ executorsMax: 1, concurrency: 1 });
    await narrow.start();
    const busy = narrow.createInstance("busy", { memoryBytesMax: 64 * MEBIBYTE });
    const waiting = narrow.createInstance("waiting", { memoryBytesMax: 64 * MEBIBYTE });
    const first = run(busy, FOREVER, { limitMs: 400 });
    const controller = new AbortController();
    const second = run(waiting, "pass", { signal: controller.signal });
    await Promise.resolve();
    controller.abort();
    expect(summary(await second)).toBe("stopped soft cancelled");
    expect(summary(await first)).toBe("stopped soft time-limit");
    await narrow.close();
  });
});

describe("executors", () => {
  test("waiting runs hold threads but let others compute", async () => {
    const narrow = createTestRuntime({ executorsMax: 6, concurrency: 1 });
    await narrow.start();
    const sleepers = Array.from({ length: 4 }, (_, index) => narrow.createInstance(`sleeper ${index}`, { memoryBytesMax: 64 * MEBIBYTE }));
    const started = performance.now();
    const outcomes = await Promise.all(sleepers.map((instance) => run(instance, "import time\ntime.sleep(0.5)")));
    expect(outcomes.map(summary)).toEqual(["done", "done", "done", "done"]);
    expect(performance.now() - started).toBeLessThan(1_900);
    expect(narrow.statistics().executors).toBeGreaterThanOrEqual(3);
    await narrow.close();
    expect(narrow.statistics().executors).toBe(0);
  });

  test("that spin until their time limit do not keep others waiting", async () => {
    const narrow = createTestRuntime({ executorsMax: 4, concurrency: 1, terminationEndsThread: true, hardStopGraceMs: 3_000 });
    await narrow.start();
    const [spinner, honest] = ["spinner", "honest"].map((label) => narrow.createInstance(label, { memoryBytesMax: 64 * MEBIBYTE })) as [PluginInstance, PluginInstance];
    const controller = new AbortController();
    const spinning = run(spinner, FOREVER, { limitMs: 60_000, signal: controller.signal });
    const started = performance.now();
    expect(summary(await run(honest, "pass"))).toBe("done");
    expect(performance.now() - started).toBeLessThan(10_000);
    controller.abort();
    expect(summary(await spinning)).toBe("stopped soft cancelled");
    await narrow.close();
  });

  test("end when they were idle for long enough, but for one", async () => {
    const brief = createTestRuntime({ executorIdleMs: 50 });
    await brief.start();
    const instances = [1, 2].map((index) => brief.createInstance(`${index}`, { memoryBytesMax: 64 * MEBIBYTE }));
    await Promise.all(instances.map((instance) => run(instance, "import time\ntime.sleep(0.3)")));
    await expect.poll(() => brief.statistics().executors, { timeout: 5_000 }).toBe(1);
    await brief.close();
  });

  test("an instance closed in the middle of a run ends it", async () => {
    const instance = newInstance();
    const running = run(instance, SWALLOWING);
    await instance.close();
    expect((await running).kind).toBe("stopped");
  });

  test("a trigger whose runs have to be ended by force again and again gets executors of its own", async () => {
    const logged: string[] = [];
    const strict = createTestRuntime({ executorsMax: 3, concurrency: 2, hardStopGraceMs: 20, terminateGraceMs: 20, terminationEndsThread: true, log: { log: (_level, text) => void logged.push(text) } });
    await strict.start();
    const [hostile, honest] = ["hostile", "honest"].map((label) => strict.createInstance(label, { memoryBytesMax: 64 * MEBIBYTE })) as [PluginInstance, PluginInstance];
    // A run may be stopped before it reaches what cannot be.
    for (let count = 0; count < 20 && strict.statistics().terminations < 3; count += 1) await run(hostile, NEVER_POLLING, { limitMs: 60 });
    expect(logged).toEqual([expect.stringMatching(/^The plugin of 'hostile' had to be ended by force 3 times/)]);
    expect(strict.statistics()).toMatchObject({ quarantined: 1, terminations: 3 });
    // Both run, and the hostile one's executor is never lent out: what it leaves on its thread nobody else meets.
    for (let count = 0; count < 3; count += 1) expect((await Promise.all([run(hostile, "pass"), run(honest, "pass")])).map(summary)).toEqual(["done", "done"]);
    await strict.close();
  });
});
