/**
 * Compiles the files of a plugin in a sandbox before a trigger is created, so that a syntax error is told at
 * once with file and line. The reference tells it only at the first run (listed in docs/compatibility.md).
 */
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { NamedText, PluginCode, PluginHost, PluginInstance, RunOutcome } from "../../ports/plugin-runtime.ts";
import { HostCallError } from "../../ports/plugin-runtime.ts";
import { InstancePool } from "./instance-pool.ts";
import type { ProcessingServices } from "./services.ts";

const CHECKER = `import traceback

def process_scheduled_call(influxdb3_local, call_time, args):
    for file, source in args.items():
        try:
            compile(source, file, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            influxdb3_local.error("".join(traceback.format_exception_only(error)))
`;

const CHECKER_CODE: PluginCode = { fileName: "check_syntax.py", source: CHECKER, module: "check_syntax", files: new Map(), revision: 1n };

const refuse = (): never => {
  throw new HostCallError("denied", "not available while a plugin is checked");
};

/** Every Python file by its name. What is no UTF-8 is left to Python, which knows encodings. */
function pythonSources({ fileName, source, files }: PluginCode): NamedText[] {
  if (source !== undefined) return [[fileName, source]];
  return [...files].filter(([path]) => path.endsWith(".py")).flatMap(([path, content]): NamedText[] => {
    try {
      return [[path, new TextDecoder("utf-8", { fatal: true }).decode(content)]];
    } catch {
      return [];
    }
  });
}

/** One sandbox for all checks: it runs our own code only, and a plugin's text is data to it. */
export class SyntaxChecker {
  readonly #services: Pick<ProcessingServices, "runtime" | "limits" | "clock">;
  #instances: InstancePool | undefined;

  constructor(services: Pick<ProcessingServices, "runtime" | "limits" | "clock">) {
    this.#services = services;
  }

  /** Throws `plugin.syntax` with Python's own words when the source does not compile. */
  async check(code: PluginCode): Promise<void> {
    const sources = pythonSources(code);
    if (sources.length === 0) return;
    const found = await this.#problems(sources);
    if (found.length === 0) return;
    throw new DatabaseError("plugin.syntax", {
      message: `Plugin error: '${code.fileName}' cannot be compiled:\n${found.join("\n").trimEnd()}`,
      hint: "correct the line above; the trigger was not created",
    });
  }

  async close(): Promise<void> {
    await this.#instances?.close();
  }

  async #problems(sources: readonly NamedText[]): Promise<string[]> {
    const { limits } = this.#services;
    const found: string[] = [];
    const lease = await this.#pool().acquire();
    let outcome: RunOutcome | undefined;
    try {
      outcome = await lease.instance.run(
        { code: CHECKER_CODE, arguments: sources, sparseRows: false, event: { kind: "schedule", callTimeSeconds: 0n } },
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

const refuseLater = async (): Promise<never> => refuse();

const NOTHING_AVAILABLE: PluginHost = {
  network: {
    resolve: refuseLater, open: refuse, openTls: refuse, startTls: refuse, send: refuseLater, receive: refuseLater,
    wait: refuseLater, describe: refuse, close: refuse, feed: refuseLater, drain: refuseLater,
  },
  log: () => undefined,
  output: () => undefined,
  query: async () => refuse(),
  writeSync: async () => refuse(),
  globalCachePut: refuse,
  globalCacheGet: refuse,
  globalCacheDelete: refuse,
  checkGrant: refuse,
  systemMetrics: refuse,
  exceeded: refuse,
};
