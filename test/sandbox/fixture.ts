/** The real runtime with the real interpreter on real threads, and small plugins to run in it. */
import { fileURLToPath } from "node:url";
import { createSystemClock } from "../../src/adapters/system/clock.ts";
import { readArtefacts } from "../../src/adapters/plugin-runtime/artefacts.ts";
import { type PluginRuntimeOptions, createPythonRuntime } from "../../src/adapters/plugin-runtime/python-runtime.ts";
import { denialText, type GrantName } from "../../src/core/trigger/grants.ts";
import { noNetworkCalls } from "../../src/testing/no-network.ts";
import { HostCallError } from "../../src/ports/plugin-runtime.ts";
import type { Invocation, NetworkCalls, PluginEvent, PluginHost, PluginRuntime, RunOutcome } from "../../src/ports/plugin-runtime.ts";

export const MEBIBYTE = 1024 * 1024;
export const artefactFolder: URL = new URL("../../runtime-wasm/dist/", import.meta.url);

export const processCommand = { file: process.execPath, arguments: [fileURLToPath(new URL("../../dist/executor-process.js", import.meta.url))] };

export function createTestRuntime(options: Partial<PluginRuntimeOptions> = {}): ReturnType<typeof createPythonRuntime> {
  return createPythonRuntime({
    loadArtefacts: () => readArtefacts(artefactFolder),
    executorEntry: new URL("../../dist/executor-worker.js", import.meta.url),
    clock: createSystemClock(),
    log: { log: () => undefined },
    processCommand,
    concurrency: 2,
    // A machine under load must get through the first one.
    hardStopGraceMs: 400,
    terminateGraceMs: 400,
    ...options,
  });
}

/** A host that notes everything and answers nothing special. */
export class RecordingHost implements PluginHost {
  readonly logged: string[] = [];
  readonly printed: string[] = [];
  readonly cache = new Map<string, Uint8Array>();
  network: NetworkCalls = {
    ...noNetworkCalls,
    resolve: async (host: string, port: number): Promise<Uint8Array> => {
      this.checkGrant("net", `${host}:${port}`);
      return noNetworkCalls.resolve(host, port);
    },
  };

  log(level: string, text: string): void {
    this.logged.push(`${level}: ${text}`);
  }

  output(text: string): void {
    this.printed.push(text);
  }

  query(_sql: string, _parameters: readonly (readonly [string, string])[], _database: string | undefined): Promise<Uint8Array> {
    return Promise.reject(new Error("no query in this test"));
  }

  writeSync(_database: string | undefined, _lines: string, _noSync: boolean): Promise<void> {
    return Promise.resolve();
  }

  globalCachePut(key: string, value: Uint8Array): void {
    this.cache.set(key, value);
  }

  globalCacheGet(key: string): Uint8Array | undefined {
    return this.cache.get(key);
  }

  globalCacheDelete(key: string): boolean {
    return this.cache.delete(key);
  }

  checkGrant(grant: GrantName, subject: string): void {
    throw new HostCallError("denied", denialText(grant, subject));
  }

  exceeded(limit: string): HostCallError {
    return new HostCallError("limit", `limit ${limit}`);
  }

  systemMetrics(group: string): Uint8Array {
    throw new HostCallError("denied", denialText("sys", group));
  }
}

let revision = 0n;

/** A plugin whose scheduled call runs `body` (lines of Python). */
export function scheduled(body: string): Invocation {
  const lines = body.trim().split("\n").map((line) => `    ${line}`);
  return plugin(`def process_scheduled_call(influxdb3_local, call_time, args=None):\n${lines.join("\n")}\n`);
}

export function plugin(source: string, event: PluginEvent = { kind: "schedule", callTimeSeconds: 0n }): Invocation {
  revision += 1n;
  return {
    code: { fileName: "plugin.py", source, module: "plugin", files: new Map(), revision },
    arguments: undefined,
    sparseRows: false,
    event,
  };
}

/** Short description of an outcome for expectations. */
export function summary(outcome: RunOutcome): string {
  switch (outcome.kind) {
    case "done":
      return "done";
    case "raised":
      return `raised ${outcome.typeName}`;
    case "stopped":
      return `stopped ${outcome.level} ${outcome.reason}`;
    case "failed":
      return `failed ${outcome.message}`;
  }
}
