// What plugins do in the sandbox, on the real interpreter: the tutorial's plugin, the cache across threads, the host's
// answers as Python exceptions, and what a plugin can see of the machine.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HostCallError, type PluginInstance, type PluginRuntime, type RunOutcome } from "../../src/ports/plugin-runtime.ts";
import { encodeTableBatchInto, tableBatchSize } from "../../src/core/columns/table-batch.ts";
import { MEBIBYTE, RecordingHost, createTestRuntime, plugin, scheduled, summary } from "./fixture.ts";
import { TUTORIAL_PLUGIN } from "../support/tutorial.ts";

let runtime: PluginRuntime;
beforeAll(async () => {
  runtime = createTestRuntime();
  await runtime.start();
});
afterAll(() => runtime.close());

const newInstance = (): PluginInstance => runtime.createInstance("test", { memoryBytesMax: 256 * MEBIBYTE });
const run = (instance: PluginInstance, body: string, host = new RecordingHost(), wallTimeMsMax = 20_000): Promise<RunOutcome> =>
  instance.run(scheduled(body), host, { wallTimeMsMax });

function homeBatch(): Uint8Array {
  const input = {
    databaseId: 1, tableId: 2, rowCount: 2, timeMin: 1n, timeMax: 2n,
    columns: [
      { name: "temp", type: "float64", values: Float64Array.of(21.5, 22) },
      { name: "time", type: "time", values: BigInt64Array.of(1n, 2n) },
    ],
  } as const;
  const bytes = new Uint8Array(tableBatchSize(input));
  encodeTableBatchInto(input, bytes, 0);
  return bytes;
}

describe("a run", () => {
  test("of the tutorial's plugin logs and yields its buffered write", async () => {
    const host = new RecordingHost();
    const event = { kind: "writes", tables: [{ tableName: "home", columns: ["temp", "time"], batches: [homeBatch(), homeBatch()] }] } as const;
    const outcome = await newInstance().run(plugin(TUTORIAL_PLUGIN, event), host, { wallTimeMsMax: 20_000 });
    expect(outcome).toEqual({ kind: "done", writes: [{ database: undefined, lines: "processed_data,source_table=home row_count=4i" }] });
    expect(host.logged).toEqual(["info: Processing 4 rows from home"]);
  });

  test("of a request trigger answers with status, headers and body", async () => {
    const source = "def process_request(influxdb3_local, q, headers, body, args=None):\n    return body.decode() + q['a'], 201, {'x-b': headers['b']}\n";
    const event = { kind: "request", query: [["a", "1"]], headers: [["b", "2"]], body: new TextEncoder().encode("body") } as const;
    const outcome = await newInstance().run(plugin(source, event), new RecordingHost(), { wallTimeMsMax: 20_000 });
    expect(summary(outcome)).toBe("done");
    if (outcome.kind !== "done") return;
    expect(outcome.response?.status).toBe(201);
    expect(outcome.response?.headers).toContainEqual(["x-b", "2"]);
    expect(new TextDecoder().decode(outcome.response?.body)).toContain("body1");
  });

  test("of a package imports its modules, and again after a new revision", async () => {
    const instance = newInstance();
    const files = (value: string): Map<string, Uint8Array> =>
      new Map([
        ["pack/__init__.py", "from .values import VALUE\ndef process_scheduled_call(api, t, args=None):\n    api.info(VALUE)\n"],
        ["pack/values.py", `VALUE = "${value}"\n`],
      ].map(([path, text]) => [path as string, new TextEncoder().encode(text)]));
    const host = new RecordingHost();
    for (const [revision, value] of [[1n, "one"], [2n, "two"]] as const) {
      const code = { fileName: "pack", source: undefined, module: "pack", files: files(value), revision };
      const invocation = { ...plugin(""), code };
      expect(summary(await instance.run(invocation, host, { wallTimeMsMax: 20_000 }))).toBe("done");
    }
    expect(host.logged).toEqual(["info: one", "info: two"]);
  });

  test("keeps the private cache while different executors run the instance", async () => {
    const own = createTestRuntime({ concurrency: 3 });
    await own.start();
    const counting = own.createInstance("counting", { memoryBytesMax: 64 * MEBIBYTE });
    const body = 'n = influxdb3_local.cache.get("n", 0) + 1\ninfluxdb3_local.cache.put("n", n)\ninfluxdb3_local.info(str(n))';
    const host = new RecordingHost();
    for (const busyCount of [0, 1, 2, 0, 1, 2, 0]) {
      // Idle executors are taken in their order: sleepers on the first ones push the run to the next.
      const sleepers = Array.from({ length: busyCount }, () => own.createInstance("sleeper", { memoryBytesMax: 64 * MEBIBYTE }));
      const sleeping = sleepers.map((sleeper) => run(sleeper, "import time\ntime.sleep(0.1)"));
      await Promise.resolve();
      await run(counting, body, host);
      await Promise.all(sleeping);
    }
    expect(host.logged).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => `info: ${n}`));
    expect(own.statistics().executors).toBeGreaterThanOrEqual(3);
    await own.close();
  });

  test("that raises hands over type, message and traceback, and the instance goes on", async () => {
    const instance = newInstance();
    const outcome = await run(instance, 'raise ValueError("no such room")');
    expect(outcome).toMatchObject({ kind: "raised", typeName: "ValueError", message: "no such room", cacheKeysLost: 0, outOfMemory: false });
    expect(outcome.kind === "raised" && outcome.traceback).toContain('File "plugin.py", line 2');
    expect(summary(await run(instance, "pass"))).toBe("done");
  });

  test("with a syntax error says file and line", async () => {
    const outcome = await newInstance().run(plugin("def process_scheduled_call(:\n"), new RecordingHost(), { wallTimeMsMax: 20_000 });
    expect(outcome).toMatchObject({ kind: "raised", typeName: "SyntaxError" });
    expect(outcome.kind === "raised" && outcome.traceback).toContain('File "plugin.py", line 1');
  });

  test("sees the host's refusals as the Python exceptions of their kinds", async () => {
    const kinds = ["query-error", "write-error", "type-error", "value-error", "denied", "limit", "internal"] as const;
    const host = new RecordingHost();
    let next = 0;
    host.query = () => Promise.reject(new HostCallError(kinds[next++] ?? "internal", "because"));
    const body = [
      `for _ in range(${kinds.length}):`,
      "    try:",
      '        influxdb3_local.query("SELECT 1")',
      "    except Exception as e:",
      "        influxdb3_local.info(type(e).__name__ + ' ' + str(e))",
    ].join("\n");
    expect(summary(await run(newInstance(), body, host))).toBe("done");
    const names = ["QueryError", "Exception", "TypeError", "ValueError", "PermissionError", "ResourceLimitError", "RuntimeError"];
    expect(host.logged).toEqual(names.map((name) => expect.stringMatching(new RegExp(`^info: ${name} .*because`))));
  });

  test("gets query rows, also when the answer is larger than the control block", async () => {
    const rowCount = 50_000;
    const input = {
      databaseId: 0, tableId: 0, rowCount, timeMin: 0n, timeMax: 0n,
      columns: [{ name: "v", type: "int64", values: BigInt64Array.from({ length: rowCount }, (_, index) => BigInt(index)) }],
    } as const;
    const bytes = new Uint8Array(tableBatchSize(input));
    encodeTableBatchInto(input, bytes, 0);
    const host = new RecordingHost();
    host.query = () => Promise.resolve(bytes);
    const body = 'rows = influxdb3_local.query("SELECT v")\ninfluxdb3_local.info(f"{len(rows)} {sum(r[\'v\'] for r in rows)}")';
    expect(summary(await run(newInstance(), body, host))).toBe("done");
    expect(host.logged).toEqual([`info: ${rowCount} ${(rowCount * (rowCount - 1)) / 2}`]);
  });
});

describe("the sandbox", () => {
  test("gives every instance its own randomness", async () => {
    const body = "import random, uuid, os\ninfluxdb3_local.info(f'{random.random()} {uuid.uuid4()} {os.urandom(8).hex()}')";
    const host = new RecordingHost();
    for (let count = 0; count < 3; count += 1) await run(newInstance(), body, host);
    const words = host.logged.flatMap((line) => line.split(" ").slice(1));
    expect(words).toHaveLength(9);
    expect(new Set(words).size).toBe(9);
  });

  test("shows no environment but guest paths and the time zone, and no file of the machine", async () => {
    const host = new RecordingHost();
    const body = [
      "import os",
      "influxdb3_local.info(repr(dict(sorted(os.environ.items()))))",
      "for path in ('/etc/passwd', '/../etc/passwd', '../../etc/passwd', '/lib/../../etc/passwd', '/proc/self/environ'):",
      "    try:",
      "        open(path)",
      "        influxdb3_local.error(path)",
      "    except OSError as e:",
      "        influxdb3_local.info(type(e).__name__)",
      "try:",
      "    open('/new', 'w')",
      "except OSError as e:",
      "    influxdb3_local.info(e.strerror)",
      "influxdb3_local.info(str(sorted(os.listdir('/'))))",
    ].join("\n");
    expect(summary(await run(newInstance(), body, host))).toBe("done");
    expect(host.logged[0]).toBe("info: {'INFLUXDB3_PLUGIN_DIR': '/plugins', 'PLUGIN_DIR': '/plugins', 'TZ': 'UTC', 'VIRTUAL_ENV': '/venv'}");
    expect(host.logged.filter((line) => line.startsWith("error"))).toEqual([]);
    expect(host.logged).toContain("info: Read-only file system");
    // The standard library, the plugin folder, which is empty here, and the folder of installed packages that VIRTUAL_ENV names.
    expect(host.logged.at(-1)).toBe("info: ['lib', 'plugins', 'venv']");
  });

  test("cuts huge log lines and floods of output", async () => {
    const host = new RecordingHost();
    const body = 'influxdb3_local.info("x" * 5_000_000)\nprint("y" * 1_000_000)\nfor _ in range(300_000): print("flood")';
    expect(summary(await run(newInstance(), body, host))).toBe("done");
    expect(host.logged[0]?.length).toBeLessThan(70_000);
    expect(host.logged[0]).toContain("(cut)");
    expect(host.printed[0]?.length).toBeLessThan(9_000);
    expect(host.printed.join("").length).toBeLessThan(1_100_000);
    expect(host.printed.at(-1)).toContain("is dropped");
  });

  test("turns sys.exit, os._exit and deep recursion into outcomes and goes on", async () => {
    const instance = newInstance();
    expect(summary(await run(instance, "import sys\nsys.exit(3)"))).toBe("raised SystemExit");
    expect(summary(await run(instance, "import os\nos._exit(3)"))).toBe("raised SystemExit");
    expect(summary(await run(instance, "def f(): return f()\nf()"))).toBe("raised RecursionError");
    const deep = "import sys\nsys.setrecursionlimit(10**6)\nclass A:\n    def __getattr__(s, n): return getattr(s, n + 'x')\nA().y";
    expect(summary(await run(instance, deep))).toMatch(/^raised (RecursionError|SystemError|MemoryError)$/);
    expect(summary(await run(instance, "pass"))).toBe("done");
  });

  test("answers a memory bomb with MemoryError, says what was lost and restores the instance", async () => {
    const instance = runtime.createInstance("bomb", { memoryBytesMax: 64 * MEBIBYTE });
    expect(summary(await run(instance, 'influxdb3_local.cache.put("a", 1)\ninfluxdb3_local.cache.put("b", 2)'))).toBe("done");
    const bomb = "held = []\nwhile True: held.append(bytearray(1_000_000))";
    const outcome = await run(instance, bomb);
    expect(outcome).toMatchObject({ kind: "raised", typeName: "MemoryError", outOfMemory: true, cacheKeysLost: 2 });
    const host = new RecordingHost();
    expect(summary(await run(instance, 'influxdb3_local.info(str(influxdb3_local.cache.get("a")))', host))).toBe("done");
    expect(host.logged).toEqual(["info: None"]);
  });
});
