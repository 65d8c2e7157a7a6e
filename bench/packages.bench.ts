// Packages: installing with a warm cache, and what `import requests` costs a trigger that starts, with and without memory images
// of it; HTTP calls of a plugin. Needs a package index (TIDEMARK_INDEX, default PyPI); without one it says so and measures nothing.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createFolderEnvironment } from "../src/adapters/package-environment/folder.ts";
import { wheelMetadata } from "../src/adapters/package-environment/unpack-wheel.ts";
import { createHttpPackageIndex } from "../src/adapters/package-index/http-index.ts";
import { readArtefacts } from "../src/adapters/plugin-runtime/artefacts.ts";
import { createPythonRuntime } from "../src/adapters/plugin-runtime/python-runtime.ts";
import { createSystemClock } from "../src/adapters/system/clock.ts";
import { isDatabaseError } from "../src/core/errors/database-error.ts";
import { readInstallRequest } from "../src/core/packages/install-request.ts";
import { PackageService } from "../src/engine/packages/package-service.ts";
import type { PackageIndex } from "../src/ports/package-index.ts";
import { HostCallError, type Invocation, type PluginHost } from "../src/ports/plugin-runtime.ts";
import { noNetworkCalls } from "../src/testing/no-network.ts";
import { createTrigger, post, removeFolder, startServer } from "../test/support/server.ts";
import { quantile, report } from "./report.ts";

// Bundled to dist/bench/.
const root = pathToFileURL(join(fileURLToPath(new URL(".", import.meta.url)), "../../"));
const indexUrl = process.env["TIDEMARK_INDEX"] ?? "https://pypi.org/simple";
const ROUNDS = 9;
const folder = mkdtempSync(join(tmpdir(), "tidemark-bench-packages-"));

/** Asks the index once for everything: what is measured is the installer. */
function remembering(index: PackageIndex): PackageIndex {
  const known = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    if (!known.has(key)) known.set(key, ask());
    return known.get(key) as Promise<T>;
  };
  return {
    project: (url, name) => once(`${url} ${name}`, () => index.project(url, name)),
    links: (location) => once(location, () => index.links(location)),
    download: (url, options) => once(url, () => index.download(url, options)),
  };
}

let names = 0;
const environment = createFolderEnvironment(join(folder, "venv"), () => `set${names++}`);
const service = new PackageService({
  environment, index: remembering(createHttpPackageIndex()), metadataOf: wheelMetadata, builtIn: new Map(),
  defaults: { indexUrl, extraIndexUrls: [], findLinks: [], noIndex: false },
});

async function install(...packages: string[]): Promise<number> {
  const request = await readInstallRequest({ packages, requirementsFiles: [] }, () => Promise.reject(new Error("no files")));
  if (!("requirements" in request)) throw new Error(request.join("; "));
  const started = performance.now();
  await service.install(request);
  return performance.now() - started;
}

const host: PluginHost = {
  log: () => undefined, output: () => undefined, query: async () => new Uint8Array(), writeSync: async () => undefined,
  globalCachePut: () => undefined, globalCacheGet: () => undefined, globalCacheDelete: () => false,
  checkGrant: () => undefined, systemMetrics: () => new Uint8Array(), exceeded: () => new HostCallError("limit", "limit"), network: noNetworkCalls,
};
const SOURCE = "import requests\ndef process_scheduled_call(influxdb3_local, call_time, args=None):\n    assert requests.Session\n";
const invocation: Invocation = {
  code: { fileName: "uses_requests.py", source: SOURCE, module: "uses_requests", files: new Map(), revision: 1n },
  arguments: undefined, sparseRows: false, event: { kind: "schedule", callTimeSeconds: 0n },
};

async function measureStart(isolation: "shared" | "process", packageImages: boolean): Promise<void> {
  const site = await environment.sitePackages();
  const runtime = createPythonRuntime({
    loadArtefacts: () => readArtefacts(new URL("runtime-wasm/dist/", root)),
    executorEntry: new URL("dist/executor-worker.js", root),
    processCommand: { file: process.execPath, arguments: [fileURLToPath(new URL("dist/executor-process.js", root))] },
    isolation, packageImages,
    packages: () => site,
    terminationEndsThread: true,
    clock: createSystemClock(),
    log: { log: (_level, text) => process.stderr.write(`${text}\n`) },
  });
  const start = async (): Promise<number> => {
    const instance = runtime.createInstance("bench", { memoryBytesMax: 268_435_456 });
    const started = performance.now();
    const outcome = await instance.run(invocation, host, { wallTimeMsMax: 30_000 });
    const tookMs = performance.now() - started;
    if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
    await instance.close();
    return tookMs;
  };
  await runtime.start();
  const firstMs = await start();
  // The second one waits for the image, if there is to be one.
  await start();
  const starts: number[] = [];
  for (let round = 0; round < ROUNDS; round++) starts.push(await start());
  const { packageImages: images, packageImageBytes } = runtime.statistics();
  report("packages", "requests_start_ms_p50", quantile(starts, 0.5), "ms", { isolation, image: packageImages, p90: quantile(starts, 0.9), first_ms: firstMs, images, image_bytes: packageImageBytes, what: "first run of a new instance whose plugin imports requests" });
  await runtime.close();
}

const CALLER = `import http.client, time, urllib.request

def process_request(influxdb3_local, q, h, b, args=None):
    host, calls = args["host"], int(args["calls"])
    started = time.perf_counter()
    connection = http.client.HTTPConnection(host)
    for call in range(calls):
        connection.request("GET", "/")
        connection.getresponse().read()
    kept = time.perf_counter()
    for call in range(calls):
        urllib.request.urlopen("http://" + host + "/").read()
    return {"kept": calls / (kept - started), "each": calls / (time.perf_counter() - kept)}
`;
/** Below what one run may open. */
const CALLS = 200;

/** Against a server of this process that answers at once. */
async function measureCalls(): Promise<void> {
  const local = createServer((_request, response) => void response.end("ok"));
  await new Promise<void>((resolve) => local.listen(0, "127.0.0.1", resolve));
  const server = await startServer({ flags: ["--plugin-profile", "trusted"] });
  try {
    await post(server, "/api/v3/configure/database", { db: "d" });
    await post(server, "/api/v3/plugins/files", { plugin_name: "caller.py", content: CALLER });
    await createTrigger(server, { database: "d", name: "caller", specification: "request:caller", plugin: "caller.py", arguments: { host: `127.0.0.1:${(local.address() as AddressInfo).port}`, calls: String(CALLS) } });
    const kept: number[] = [];
    const each: number[] = [];
    for (let round = 0; round < 5; round++) {
      const response = await fetch(`${server.url}/api/v3/engine/caller`);
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      const answer = JSON.parse(text) as { kept: number; each: number };
      kept.push(answer.kept);
      each.push(answer.each);
    }
    report("packages", "http_calls_per_second", quantile(kept, 0.5), "calls/s", { what: "http.client over one kept connection, from a plugin to loopback" });
    report("packages", "http_connections_per_second", quantile(each, 0.5), "calls/s", { what: "urllib.request, a connection for each" });
  } finally {
    await server.stop("SIGKILL");
    removeFolder(server.folder);
    local.close();
    local.closeAllConnections();
  }
}

async function measure(): Promise<void> {
  await measureCalls();
  report("packages", "install_first_ms", await install("requests"), "ms", { what: "requests and what it needs, from the index" });
  const cached: number[] = [];
  for (let round = 0; round < 5; round++) {
    await service.uninstall(["requests"]);
    cached.push(await install("requests"));
  }
  report("packages", "install_cached_ms_p50", quantile(cached, 0.5), "ms", { what: "the same with a warm cache" });
  for (const isolation of ["shared", "process"] as const) for (const packageImages of [false, true]) await measureStart(isolation, packageImages);
}

try {
  await measure();
} catch (error) {
  if (!isDatabaseError(error) || error.code !== "package.index_unavailable") throw error;
  process.stderr.write(`packages: skipped, no package index at ${indexUrl} (${error.message})\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
