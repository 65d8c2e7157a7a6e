// What a trigger's limits and grants mean inside the interpreter: scratch space, environment, guest paths, and the sentences
// of denials. Method: real plugins in threads and in processes; the engine's side is src/engine/processing/triggers.test.ts.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InstanceLimits, PluginInstance, PluginRuntime, RunOutcome } from "../../src/ports/plugin-runtime.ts";
import { MEBIBYTE, RecordingHost, createTestRuntime, plugin, scheduled, summary } from "./fixture.ts";

async function run(instance: PluginInstance, body: string, host = new RecordingHost()): Promise<{ outcome: RunOutcome; logged: string[] }> {
  const outcome = await instance.run(scheduled(body), host, { wallTimeMsMax: 20_000 });
  return { outcome, logged: host.logged };
}

describe.each(["shared", "process"] as const)("%s isolation", (isolation) => {
  let runtime: PluginRuntime;
  beforeAll(async () => {
    runtime = createTestRuntime({ isolation, terminationEndsThread: true });
    await runtime.start();
  }, 60_000);
  afterAll(() => runtime.close());

  const create = (limits: Partial<InstanceLimits> = {}, label = "test"): PluginInstance => runtime.createInstance(label, { memoryBytesMax: 96 * MEBIBYTE, ...limits });

  test("scratch space is a folder that works like one, lasts as long as the instance, and is nobody else's", async () => {
    const instance = create({ scratchBytesMax: MEBIBYTE });
    const { outcome, logged } = await run(instance, `
import os, shutil, tempfile, csv, pathlib
with open("/tmp/a.txt", "w") as file: file.write("one\\n")
with open("/tmp/a.txt", "a") as file: file.write("two\\n")
with open("/tmp/a.txt", "r+") as file:
    file.seek(1); file.write("N"); file.seek(0); influxdb3_local.info(file.read().split())
os.makedirs("/tmp/x/y")
os.rename("/tmp/a.txt", "/tmp/x/y/b.txt")
os.truncate("/tmp/x/y/b.txt", 3)
influxdb3_local.info(sorted(os.listdir("/tmp/x")), os.path.getsize("/tmp/x/y/b.txt"), os.path.exists("/tmp/a.txt"))
with tempfile.TemporaryFile() as file:
    file.write(b"z" * 100_000); file.seek(0); influxdb3_local.info(len(file.read()))
with tempfile.TemporaryDirectory() as name: pathlib.Path(name, "f").write_bytes(b"1")
shutil.copy("/tmp/x/y/b.txt", "/tmp/copy")
try: os.rmdir("/tmp/x")
except OSError as problem: influxdb3_local.info(problem.strerror)
try: open("/tmp/x/y/b.txt", "x")
except FileExistsError: influxdb3_local.info("exists")
influxdb3_local.info(sorted(os.listdir("/tmp")))`);
    expect(outcome).toMatchObject({ kind: "done" });
    expect(logged).toEqual(["info: ['oNe', 'two']", "info: ['y'] 3 False", "info: 100000", "info: Directory not empty", "info: exists", "info: ['copy', 'x']"]);
    const other = create({ scratchBytesMax: MEBIBYTE });
    expect((await run(other, 'import os\ninfluxdb3_local.info(os.listdir("/tmp"))')).logged).toEqual(["info: []"]);
    expect((await run(instance, 'influxdb3_local.info(open("/tmp/copy").read(), open("/tmp/x/y/b.txt").read())')).logged).toEqual(["info: oNe oNe"]);
    await Promise.all([instance.close(), other.close()]);
  });

  test("scratch space ends at its size, whatever is tried; what it gave back can be used again", async () => {
    const instance = create({ scratchBytesMax: 100_000 });
    const { logged } = await run(instance, `
import os
def attempt(name, action):
    try: action(); influxdb3_local.info(name, "ok")
    except OSError as problem: influxdb3_local.info(name, problem.strerror)
attempt("write", lambda: open("/tmp/a", "wb").write(b"x" * 200_000))
os.remove("/tmp/a")
attempt("truncate", lambda: (open("/tmp/b", "wb").close(), os.truncate("/tmp/b", 1 << 40)))
attempt("fits", lambda: open("/tmp/b", "wb").write(b"x" * 90_000))
attempt("second", lambda: open("/tmp/c", "wb").write(b"x" * 20_000))
os.remove("/tmp/b")
attempt("again", lambda: open("/tmp/c", "wb").write(b"x" * 90_000))
def many():
    for index in range(100_000): open(f"/tmp/{index}", "w").close()
os.remove("/tmp/c")
attempt("names", many)
held = open("/tmp/0", "wb"); os.remove("/tmp/0")
attempt("unnamed", lambda: held.write(b"x" * 90_000) and held.flush())`);
    expect(logged.map((line) => line.replace("info: ", ""))).toEqual([
      "write No space left on device", "truncate No space left on device", "fits ok", "second No space left on device", "again ok", "names No space left on device", "unnamed No space left on device",
    ]);
    await instance.close();
  });

  test("without scratch space a failed write says which flag gives it", async () => {
    const { outcome } = await run(create(), 'open("/tmp/x", "w")');
    expect(outcome).toMatchObject({ kind: "raised", typeName: "OSError", message: expect.stringMatching(/Read-only file system: '\/tmp\/x'; scratch space is not granted.*--allow-scratch/) });
  });

  test("the environment is guest paths and what was granted; a missing name says how to get it", async () => {
    const instance = create({ environment: [["API_KEY", "secret"], ["ODD", "ä=b"]] });
    const { logged, outcome } = await run(instance, `
import os
influxdb3_local.info(sorted(os.environ.items()))
influxdb3_local.info(os.environ.get("HOME"), os.getenv("PATH"), "HOME" in os.environ)
os.environ["HOME"]`);
    expect(logged).toEqual([
      "info: [('API_KEY', 'secret'), ('INFLUXDB3_PLUGIN_DIR', '/plugins'), ('ODD', 'ä=b'), ('PLUGIN_DIR', '/plugins'), ('TZ', 'UTC'), ('VIRTUAL_ENV', '/venv')]",
      "info: None None False",
    ]);
    expect(outcome).toMatchObject({ typeName: "KeyError", message: expect.stringContaining("grant it with --allow-env HOME") });
    await instance.close();
  });

  test("a name that may not be resolved says which flag grants it, in words that libraries show", async () => {
    const { outcome } = await run(create(), 'import urllib.request\nurllib.request.urlopen("http://example.org/x")');
    expect(outcome).toMatchObject({ kind: "raised", typeName: "URLError", message: expect.stringContaining("the network address example.org:80 is not granted to this trigger (grant it with --allow-net example.org:80") });
  });

  test("a database that is not granted is refused where the line is buffered", async () => {
    const { outcome } = await run(create(), 'influxdb3_local.write_to_db("other", LineBuilder("m").int64_field("f", 1))');
    expect(outcome).toMatchObject({ typeName: "PermissionError", message: expect.stringContaining("--allow-db other") });
  });

  test("limits of its own hold for writes, cache and response, and the host words them", async () => {
    const instance = create({ writeBytesMax: 100, cacheBytesMax: 100_000, responseBytesMax: 1_000 });
    const writes = 'for index in range(9): influxdb3_local.write(LineBuilder("measurement").int64_field("field", index))';
    expect((await run(instance, writes)).outcome).toMatchObject({ typeName: "ResourceLimitError", message: "limit write_bytes" });
    const cache = `
cache = influxdb3_local.cache
for index in range(5): cache.put("same", b"x" * 90_000)
cache.put("list", [0] * 1_000)
try: cache.put("more", ["y" * 500 for _ in range(2_000)])
except Exception as problem: influxdb3_local.info(type(problem).__name__)
cache.delete("same")
cache.put("more", "x" * 80_000)
influxdb3_local.info(cache.get("list")[:1], len(cache.get("more")))`;
    expect((await run(instance, cache)).logged).toEqual(["info: ResourceLimitError", "info: [0] 80000"]);
    const request = plugin('def process_request(l, q, h, b, a=None):\n    return "x" * int(b)\n', { kind: "request", query: [], headers: [], body: new TextEncoder().encode("1001") });
    expect(await instance.run(request, new RecordingHost(), { wallTimeMsMax: 20_000 })).toMatchObject({ typeName: "ResourceLimitError" });
    const forged = plugin(`
def process_request(l, q, h, b, a=None):
    from _tidemark import response
    response._body_bytes_max = 10**9
    return "x" * 2_000_000
`, { kind: "request", query: [], headers: [], body: new Uint8Array() });
    expect(summary(await instance.run(forged, new RecordingHost(), { wallTimeMsMax: 20_000 }))).toMatch(/^failed .*larger than/);
    await instance.close();
  });
});

test("time is seen in steps of the set resolution", async () => {
  const runtime = createTestRuntime({ clockResolutionNs: 100_000_000n });
  await runtime.start();
  const instance = runtime.createInstance("clock", { memoryBytesMax: 64 * MEBIBYTE });
  const { logged } = await run(instance, `
import time
seen = {time.perf_counter_ns() for _ in range(200_000)} | {time.time_ns() for _ in range(1_000)} | {time.monotonic_ns() for _ in range(1_000)} | {time.process_time_ns() for _ in range(1_000)}
influxdb3_local.info([value for value in seen if value % 100_000_000])
influxdb3_local.info(time.get_clock_info("monotonic").resolution)`);
  expect(logged).toEqual(["info: []", "info: 0.1"]);
  await runtime.close();
});
