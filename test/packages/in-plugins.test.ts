// Goal: an installed package is there for the next run of every plugin, on every runtime and in every kind of executor, and so is
// psutil where it is granted. Method: the real program, wheels made by the test.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTrigger, eventually, post, removeFolder, runCli, startServer, type RuntimeName, type TestServer } from "../support/server.ts";
import { buildWheel, startIndex, type TestIndex } from "../support/wheels.ts";

const PLACES: readonly (readonly [name: string, runtime: RuntimeName, flags: readonly string[]])[] = [
  ["node", "node", []], ["node in processes", "node", ["--plugin-isolation", "process"]], ["deno", "deno", []], ["bun", "bun", []],
];

const TOOL = "from importlib import metadata, resources\nfrom .part import double\ndef answer():\n    return [double(21), metadata.version('tool'), resources.files('tool').joinpath('data.txt').read_text()]\n";
const toolWheel = (version: string, text: string): ReturnType<typeof buildWheel> =>
  buildWheel({ name: "tool", version, files: { "tool/__init__.py": TOOL, "tool/part.py": "def double(x):\n    return 2 * x\n", "tool/data.txt": text } });

const PLUGIN = `def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    try:
        import tool
    except ImportError as problem:
        return {"missing": str(problem)}
    try:
        open(tool.__file__, "w")
        wrote = True
    except OSError:
        wrote = False
    return {"answer": tool.answer(), "file": tool.__file__, "wrote": wrote}
`;
const FIGURES = `import psutil
def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    try:
        memory = psutil.virtual_memory()
    except psutil.AccessDenied as refusal:
        return {"denied": str(refusal)}
    psutil.cpu_percent()
    return {
        "percent": 0 <= psutil.cpu_percent() <= 100, "cores": psutil.cpu_count() >= 1, "load": len(psutil.getloadavg()), "total": memory.total >= memory.available > 0,
        "fields": list(memory._fields), "swap": psutil.swap_memory().percent >= 0, "own": psutil.Process().memory_full_info().rss > 0, "boot": psutil.boot_time() > 0,
        "disks": [usage.total >= usage.used for usage in (psutil.disk_usage(part.mountpoint) for part in psutil.disk_partitions())] == [True] * len(psutil.disk_partitions()),
        "net": all(len(counters) == 8 for counters in psutil.net_io_counters(pernic=True).values()),
    }
`;

describe.each(PLACES)("on %s", (_name, runtime, flags) => {
  let index: TestIndex;
  let server: TestServer;
  beforeAll(async () => {
    index = await startIndex();
    index.add(toolWheel("1.0", "one"));
    server = await startServer({ runtime, flags });
    await post(server, "/api/v3/configure/database", { db: "d" });
    for (const [name, code] of [["uses_tool", PLUGIN], ["figures", FIGURES]] as const) {
      await post(server, "/api/v3/plugins/files", { plugin_name: `${name}.py`, content: code });
      await createTrigger(server, { database: "d", name, specification: `request:${name}`, plugin: `${name}.py` });
    }
  }, 60_000);
  afterAll(async () => {
    await server.stop("SIGKILL");
    removeFolder(server.folder);
    await index.close();
  });

  const ask = async (path: string): Promise<unknown> => (await fetch(`${server.url}/api/v3/engine/${path}`)).json();
  const metric = async (name: string): Promise<number> => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]);
  const install = async (...words: string[]): Promise<number | null> => (await runCli(["install", "package", ...words, "--index-url", index.url, "--host", server.url])).code;

  it("a package is there from the next run on, read-only, with its metadata and data files", { timeout: 120_000 }, async () => {
    expect(await ask("uses_tool")).toEqual({ missing: "No module named 'tool'" });
    expect(await install("tool")).toBe(0);
    expect(await ask("uses_tool")).toEqual({ answer: [42, "1.0", "one"], file: "/venv/lib/python3.13/site-packages/tool/__init__.py", wrote: false });
    // The first trigger that starts with it leads to an image in which it is imported already (src/adapters/plugin-runtime/package-images.ts).
    for (const name of ["second", "third"]) {
      await createTrigger(server, { database: "d", name, specification: `request:${name}`, plugin: "uses_tool.py" });
      expect(await ask(name)).toMatchObject({ answer: [42, "1.0", "one"], wrote: false });
      await eventually("an image with the package", async () => ((await metric("tidemark_plugin_package_images")) === 1 ? true : undefined));
    }
    index.add(toolWheel("2.0", "two"));
    expect(await install("tool", "-U")).toBe(0);
    // What is imported stays (spec: processing-engine §15); a trigger that starts anew sees the new version.
    for (const action of ["disable", "enable"]) await post(server, `/api/v3/configure/processing_engine_trigger/${action}?db=d&trigger_name=uses_tool`, {});
    expect(await ask("uses_tool")).toMatchObject({ answer: [42, "2.0", "two"] });
  });

  it("psutil answers what was granted, and says which flag is missing", { timeout: 60_000 }, async () => {
    expect(await ask("figures")).toEqual({ denied: expect.stringContaining("--allow-sys memory") });
    const granted = await runCli(["update", "trigger", "--database", "d", "--trigger-name", "figures", "--allow-sys", "cpu,memory,disk,network", "--host", server.url]);
    expect([granted.code, granted.stderr]).toEqual([0, ""]);
    expect(await ask("figures")).toEqual({
      percent: true, cores: true, load: 3, total: true, swap: true, own: true, boot: true, disks: true, net: true,
      fields: ["total", "available", "percent", "used", "free", "active", "inactive", "buffers", "cached", "shared", "slab"],
    });
  });
});
