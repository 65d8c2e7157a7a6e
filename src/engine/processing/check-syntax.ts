/**
 * Compiles a single-file plugin in a sandbox before a trigger is created, so that a syntax error is told at
 * once with file and line. The reference tells it only at the first run (listed in docs/compatibility.md).
 */
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { PluginCode, PluginHost, PluginInstance, RunOutcome } from "../../ports/plugin-runtime.ts";
import { HostCallError } from "../../ports/plugin-runtime.ts";
import { InstancePool } from "./instance-pool.ts";
import type { ProcessingServices } from "./services.ts";

const CHECKER = `import traceback

def process_scheduled_call(influxdb3_local, call_time, args):
    try:
        compile(args["source"], args["file"], "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        influxdb3_local.error("".join(traceback.format_exception_only(error)))
`;

const CHECKER_CODE: PluginCode = { fileName: "check_syntax.py", source: CHECKER, module: "check_syntax", files: new Map(), revision: 1n };

const refuse = (): never => {
  throw new HostCallError("denied", "not available while a plugin is checked");
};

/** One sandbox for all checks: it runs our own code only, and a plugin's text is data to it. */
export class SyntaxChecker {
  readonly #services: Pick<ProcessingServices, "runtime" | "limits" | "clock">;
  #instances: InstancePool | undefined;

  constructor(services: Pick<ProcessingServices, "runtime" | "limits" | "clock">) {
    this.#services = services;
  }

  /** Throws `plugin.syntax` with Python's own words when the source does not compile. */
  async check(code: PluginCode): Promise<void> {
    if (code.source === undefined) return;
    const found = await this.#problems(code.fileName, code.source);
    if (found.length === 0) return;
    throw new DatabaseError("plugin.syntax", {
      message: `Plugin error: '${code.fileName}' cannot be compiled:\n${found.join("\n").trimEnd()}`,
      hint: "correct the line above; the trigger was not created",
    });
  }

  async close(): Promise<void> {
    await this.#instances?.close();
  }

  async #problems(fileName: string, source: string): Promise<string[]> {
    const { limits } = this.#services;
    const found: string[] = [];
    const lease = await this.#pool().acquire();
    let outcome: RunOutcome | undefined;
    try {
      outcome = await lease.instance.run(
        { code: CHECKER_CODE, arguments: [["source", source], ["file", fileName]], sparseRows: false, event: { kind: "schedule", callTimeSeconds: 0n } },
        { ...NOTHING_AVAILABLE, log: (_level, text) => void found.push(text) },
        { wallTimeMsMax: limits.runWallTimeMsMax },
      );
      if (outcome.kind === "raised") found.push(`${outcome.typeName}: ${outcome.message}`);
      return found;
    } finally {
      lease.done(outcome);
    }
  }

  #pool(): InstancePool {
    const { runtime, limits, clock } = this.#services;
    const make = (): PluginInstance => runtime.createInstance("syntax check", { memoryBytesMax: limits.instanceMemoryBytesMax });
    this.#instances ??= new InstancePool({ make, instancesMax: 1, clock, cache: undefined, onDamage: () => undefined });
    return this.#instances;
  }
}

const NOTHING_AVAILABLE: PluginHost = {
  log: () => undefined,
  output: () => undefined,
  query: async () => refuse(),
  writeSync: async () => refuse(),
  globalCachePut: refuse,
  globalCacheGet: refuse,
  globalCacheDelete: refuse,
  checkGrant: refuse,
  systemMetrics: refuse,
};
