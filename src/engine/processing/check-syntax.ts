/**
 * Compiles the files of a plugin in a throw-away sandbox before a trigger is created, so that a syntax error is told at
 * once with file and line. The reference tells it only at the first run (listed in docs/compatibility.md).
 */
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { NamedText, PluginCode, PluginHost } from "../../ports/plugin-runtime.ts";
import { HostCallError } from "../../ports/plugin-runtime.ts";
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

/** Throws `plugin.syntax` with Python's own words when the source does not compile. */
export async function checkSyntax(services: Pick<ProcessingServices, "runtime" | "limits">, code: PluginCode): Promise<void> {
  const sources = pythonSources(code);
  if (sources.length === 0) return;
  const found: string[] = [];
  const host: PluginHost = {
    log: (_level, text) => void found.push(text),
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
  const instance = services.runtime.createInstance("syntax check", { memoryBytesMax: services.limits.instanceMemoryBytesMax });
  try {
    const outcome = await instance.run(
      {
        code: CHECKER_CODE,
        arguments: sources,
        sparseRows: false,
        event: { kind: "schedule", callTimeSeconds: 0n },
      },
      host,
      { wallTimeMsMax: services.limits.runWallTimeMsMax },
    );
    if (outcome.kind === "raised") found.push(`${outcome.typeName}: ${outcome.message}`);
  } finally {
    await instance.close();
  }
  if (found.length === 0) return;
  throw new DatabaseError("plugin.syntax", {
    message: `Plugin error: '${code.fileName}' cannot be compiled:\n${found.join("\n").trimEnd()}`,
    hint: "correct the line above; the trigger was not created",
  });
}
