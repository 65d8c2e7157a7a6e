// Goal: no instance learns or inherits anything of another. Method: several instances on one executor, which therefore use
// the same thread one after the other; each looks for what the others left.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PluginInstance, PluginRuntime } from "../../src/ports/plugin-runtime.ts";
import { MEBIBYTE, RecordingHost, createTestRuntime, scheduled } from "./fixture.ts";

async function logOf(instance: PluginInstance, body: string): Promise<string[]> {
  const host = new RecordingHost();
  const outcome = await instance.run(scheduled(body), host, { wallTimeMsMax: 20_000 });
  expect(outcome).toMatchObject({ kind: "done" });
  return host.logged.map((line) => line.replace("info: ", ""));
}

const DRAW = `
import os, random, secrets, tempfile, time, uuid
influxdb3_local.info(random.random(), random.getrandbits(64), random.Random().random())
influxdb3_local.info(uuid.uuid4(), uuid.uuid1(), secrets.token_hex(8), os.urandom(8).hex(), next(tempfile._get_candidate_names()))
influxdb3_local.info(time.time(), hash("x"))`;

describe.each(["shared", "process"] as const)("%s isolation", (isolation) => {
  let runtime: PluginRuntime;
  beforeAll(async () => {
    runtime = createTestRuntime({ isolation, executorsMax: 1, concurrency: 1 });
    await runtime.start();
  }, 60_000);
  afterAll(() => runtime.close());
  const create = (label: string): PluginInstance => runtime.createInstance(label, { memoryBytesMax: 64 * MEBIBYTE });

  test("what is random differs between instances and after a reset; time goes on", async () => {
    const instances = ["a", "b"].map(create) as [PluginInstance, PluginInstance];
    const draws = [await logOf(instances[0], DRAW), await logOf(instances[1], DRAW)];
    await instances[0].run(scheduled('raise MemoryError("as if")'), new RecordingHost(), { wallTimeMsMax: 20_000 });
    draws.push(await logOf(instances[0], DRAW));
    for (const line of [0, 1]) {
      const values = draws.flatMap((draw) => (draw[line] as string).split(" "));
      expect(new Set(values).size).toBe(values.length);
    }
    const times = draws.map((draw) => Number((draw[2] as string).split(" ")[0]));
    for (const [index, time] of times.entries()) {
      expect(Math.abs(time - Date.now() / 1000)).toBeLessThan(30);
      if (index > 0) expect(time).toBeGreaterThanOrEqual(times[index - 1] as number);
    }
    // One image, one hash seed; another process has another one.
    expect(new Set(draws.map((draw) => (draw[2] as string).split(" ")[1])).size).toBe(1);
    await Promise.all(instances.map((instance) => instance.close()));
  });

  test("patches, modules, caches, open files and leftovers of one trigger are not there for another", async () => {
    const [hostile, honest] = ["hostile", "honest"].map(create) as [PluginInstance, PluginInstance];
    await hostile.run(scheduled(`
import builtins, json, os, sys, types, atexit, gc, codecs
from _tidemark import local_api, line_builder
builtins.len = lambda value: 666
builtins.SECRET = "left behind"
sys.modules["json"] = types.ModuleType("json")
sys.modules["evil"] = types.ModuleType("evil")
sys.path.insert(0, "/evil")
sys.setswitchinterval(1); sys.setrecursionlimit(100)
os.environ["LEFT"] = "behind"
line_builder.LineBuilder = None
LineBuilder.__init__ = None
influxdb3_local.cache.put("secret", "left behind")
held = open("/lib/python313.zip", "rb")
builtins.held = held
sys.stdout = None
local_api._buffered[None] = ["forged f=1"]
codecs.register(lambda name: None)
gc.disable()`), new RecordingHost(), { wallTimeMsMax: 20_000 });
    const found = await logOf(honest, `
import builtins, gc, json, os, sys
found = [name for name in ("SECRET", "held") if hasattr(builtins, name)]
found += [name for name in ("evil",) if name in sys.modules]
if len([1]) != 1 or not hasattr(json, "dumps") or "/evil" in sys.path or "LEFT" in os.environ or not gc.isenabled(): found.append("patched")
if sys.getrecursionlimit() == 100 or sys.stdout is None: found.append("settings")
if influxdb3_local.cache.get("secret") is not None: found.append("cache")
for name in os.listdir("/"):
    if name not in ("lib", "plugins", "tmp", "venv"): found.append(name)
try:
    os.fstat(4)
    found.append("descriptor")
except OSError: pass
influxdb3_local.info(found, LineBuilder("m").int64_field("f", 1).build())`);
    expect(found).toEqual(["[] m f=1i"]);
    await Promise.all([hostile.close(), honest.close()]);
  });
});

test("the hash seed is random per image", async () => {
  const seeds = new Set<string>();
  for (let start = 0; start < 3; start += 1) {
    const runtime = createTestRuntime();
    await runtime.start();
    const instance = runtime.createInstance("hash", { memoryBytesMax: 64 * MEBIBYTE });
    seeds.add((await logOf(instance, 'influxdb3_local.info(hash("a text"))'))[0] as string);
    await runtime.close();
  }
  expect(seeds.size).toBeGreaterThan(1);
});
