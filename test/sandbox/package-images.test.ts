// Goal: what a plugin imports of the installed packages is imported once for all instances that import the same, and nobody can
// tell but by the time. Method: real interpreters, threads and processes; packages made by the test that remember when they were
// imported and what they saw.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { PluginRuntimeOptions } from "../../src/adapters/plugin-runtime/python-runtime.ts";
import { PACKAGE_IMAGES_MAX, PROCESS_IMAGES_MAX } from "../../src/adapters/plugin-runtime/limits.ts";
import type { Invocation, PluginInstance } from "../../src/ports/plugin-runtime.ts";
import { createTestRuntime, MEBIBYTE, plugin, RecordingHost } from "./fixture.ts";

/** A package that knows when it was imported. The wall clock counts milliseconds, and two executors may import within one. */
const DATED = "import time\nBORN = (time.time_ns(), time.perf_counter_ns())\n";

let folder: string;
let packages: string;
let runtime: ReturnType<typeof createTestRuntime>;
let told: string[];
let labels = 0;

function install(set: string, files: Readonly<Record<string, string>>): void {
  packages = join(folder, set);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(packages, path)), { recursive: true });
    writeFileSync(join(packages, path), text);
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-images-"));
  told = [];
});
afterEach(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(options: Partial<PluginRuntimeOptions>): void {
  runtime = createTestRuntime({ packages: () => packages, log: { log: (_level, text) => void told.push(text) }, ...options });
}

const instance = (environment: readonly (readonly [string, string])[] = []): PluginInstance => runtime.createInstance(`trigger ${labels++}`, { memoryBytesMax: 128 * MEBIBYTE, environment });

/** What the expression comes to after the imports. */
const tells = (imports: string, expression: string): Invocation => plugin(`${imports}\ndef process_scheduled_call(influxdb3_local, call_time, args=None):\n    influxdb3_local.info(str(${expression}))\n`);

async function ask(of: PluginInstance, what: Invocation): Promise<string> {
  const host = new RecordingHost();
  const outcome = await of.run(what, host, { wallTimeMsMax: 60_000 });
  if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
  return (host.logged[0] ?? "").replace("info: ", "");
}

const fresh = async (what: Invocation, environment?: readonly (readonly [string, string])[]): Promise<string> => {
  const one = instance(environment);
  const answer = await ask(one, what);
  await one.close();
  return answer;
};

const imagesAre = (count: number): Promise<void> => vi.waitFor(() => expect(runtime.statistics().packageImages).toBe(count), { timeout: 30_000, interval: 20 });
const refusedWith = (text: string): Promise<void> => vi.waitFor(() => expect(told).toContainEqual(expect.stringContaining(text)), { timeout: 30_000, interval: 20 });

describe.each(["shared", "process"] as const)("%s isolation", (isolation) => {
  test("what several plugins import is imported once; another set of imports is another image", { timeout: 120_000 }, async () => {
    install("one", { "dated/__init__.py": DATED, "dated/part.py": DATED, "other.py": DATED });
    start({ isolation });
    const own = await fresh(tells("import dated", "dated.BORN"));
    await imagesAre(1);
    const shared = await fresh(tells("import dated", "dated.BORN"));
    expect(shared).not.toBe(own);
    expect(await fresh(tells('"""Another plugin."""\nimport json, dated as d', "d.BORN"))).toBe(shared);
    const part = await fresh(tells("from dated import part", "part.BORN"));
    await imagesAre(2);
    expect(await fresh(tells("from dated import part", "part.BORN"))).not.toBe(part);
    expect(await fresh(tells("import dated", "dated.BORN"))).toBe(shared);
    expect(runtime.statistics().packageImageBytes).toBeGreaterThan(MEBIBYTE);
    expect(told).toEqual([]);
  });

  test("what a package changes at its import is seen by those who import it, and by nobody else", { timeout: 120_000 }, async () => {
    install("one", { "patching.py": "import string\nstring.digits = 'patched'\n" });
    start({ isolation });
    await fresh(tells("import patching, string", "string.digits"));
    await imagesAre(1);
    expect(await fresh(tells("import patching, string", "string.digits"))).toBe("patched");
    expect(await fresh(tells("import string", "string.digits"))).toBe("0123456789");
    expect(await fresh(tells("import string, os\nif os.name == 'nt':\n    import patching", "string.digits"))).toBe("0123456789");
  });

  test("instances of one image share no random numbers, and their memories are their own", { timeout: 120_000 }, async () => {
    install("one", { "held.py": "import random\nVALUES = []\nOWN = random.Random()\nFIXED = random.Random(7)\n" });
    start({ isolation, executorsMax: 1 });
    const append = tells("import held, random, uuid", "[held.VALUES.append(1), len(held.VALUES), random.random(), uuid.uuid4(), held.OWN.random()][1:]");
    await fresh(append);
    await imagesAre(1);
    const [left, right] = [instance(), instance()];
    const seen = [await ask(left, append), await ask(right, append), await ask(left, append)];
    expect(seen.map((text) => text.split(",")[0])).toEqual(["[1", "[1", "[2"]);
    expect(new Set(seen.flatMap((text) => text.split(",").slice(1))).size).toBe(9);
    const fixed = tells("import held", "held.FIXED.random()");
    expect(new Set([await fresh(fixed), await fresh(fixed)])).toEqual(new Set(["0.32383276483316237"]));
  });

  test("a reset begins with the image, also in a memory that has not its size", { timeout: 120_000 }, async () => {
    install("one", { "dated.py": `${DATED}PAD = bytearray(b"x") * 12_000_000\n` });
    start({ isolation });
    const what = tells("import dated", "dated.BORN");
    const early = instance();
    await ask(early, plugin("def process_scheduled_call(influxdb3_local, call_time, args=None):\n    influxdb3_local.info('')\n"));
    await fresh(what);
    await imagesAre(1);
    const born = await fresh(what);
    const outcome = await early.run(plugin("import dated\ndef process_scheduled_call(influxdb3_local, call_time, args=None):\n    raise MemoryError\n"), new RecordingHost(), { wallTimeMsMax: 60_000 });
    expect(outcome.kind).toBe("raised");
    expect(await ask(early, what)).toBe(born);
  });

  test("other packages: images of the old ones are gone, guests of theirs live on", { timeout: 120_000 }, async () => {
    install("one", { "tool.py": "VERSION = 1\n" });
    start({ isolation });
    const what = tells("import tool", "tool.VERSION");
    await fresh(what);
    await imagesAre(1);
    const old = instance();
    expect(await ask(old, what)).toBe("1");
    install("two", { "tool.py": "VERSION = 2\n" });
    runtime.renewExecutors();
    expect(runtime.statistics().packageImages).toBe(0);
    expect(await ask(old, what)).toBe("1");
    expect(await fresh(what)).toBe("2");
    await imagesAre(1);
    expect([await fresh(what), await ask(old, what)]).toEqual(["2", "1"]);
  });

  test.each([
    ["prints", "print('hello')", "its import prints"],
    ["fails", "raise RuntimeError('no')", "its import fails: RuntimeError: no"],
    ["takes random bytes", "import uuid\nSESSION = uuid.uuid4()", "its import takes random bytes"],
    ["sleeps", "import time\ntime.sleep(0.05)", "its import asks the host, or waits"],
    ["opens a file", "FILE = open(__file__)", "its import leaves something open"],
    ["never ends", "import os\nwhile 'GO' not in os.environ: pass", "its import takes longer than 1500 ms"],
  ])("a package whose import %s gets none", { timeout: 120_000 }, async (_name, code, reason) => {
    install("one", { "odd.py": `${code}\n` });
    start({ isolation, imageMakingMsMax: 1_500 });
    const one = instance([["GO", "1"]]);
    await one.run(tells("import odd", "1"), new RecordingHost(), { wallTimeMsMax: 60_000 });
    await refusedWith(reason);
    expect(runtime.statistics().packageImages).toBe(0);
  });

  test("a plugin that was granted a variable which the import looks at imports by itself", { timeout: 120_000 }, async () => {
    install("one", { "looks.py": "import os\nREGION = os.environ.get('REGION')\n", "lists.py": "import os\nALL = sorted(os.environ)\n" });
    start({ isolation });
    const what = tells("import looks", "looks.REGION");
    const all = tells("import lists", "'KEY' in lists.ALL");
    await Promise.all([fresh(what), fresh(all)]);
    await imagesAre(2);
    expect(await fresh(what, [["REGION", "eu"]])).toBe("eu");
    expect(await fresh(what, [["OTHER", "x"]])).toBe("None");
    expect(await fresh(all, [["KEY", "x"]])).toBe("True");
    expect(await fresh(all)).toBe("False");
  });

  test("images are few: the one that was used longest ago goes; guests move between executors with theirs", { timeout: 180_000 }, async () => {
    const names = Array.from({ length: PACKAGE_IMAGES_MAX + 1 }, (_, index) => `p${index}`);
    install("one", Object.fromEntries(names.map((name) => [`${name}.py`, `${DATED}NAME = '${name}'\nSEEN = []\n`])));
    start({ isolation, executorsMax: 1, concurrency: 1 });
    const what = (name: string): Invocation => tells(`import ${name}`, `[${name}.SEEN.append(1), ${name}.NAME, len(${name}.SEEN)][1:]`);
    for (const [index, name] of names.entries()) {
      await fresh(what(name));
      await imagesAre(Math.min(index + 1, PACKAGE_IMAGES_MAX));
    }
    expect(names.length).toBeGreaterThan(PROCESS_IMAGES_MAX + 1);
    const guests = names.slice(1).map((name) => ({ name, guest: instance() }));
    for (const round of [1, 2, 3]) for (const { name, guest } of guests) expect(await ask(guest, what(name))).toBe(`['${name}', ${round}]`);
  });
});
