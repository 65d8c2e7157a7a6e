/**
 * One run of a plugin: read the code, log the start, run it in the sandbox, write what it collected, log the end
 * (spec: processing-engine §9, §10). A failure is a value here; nothing a plugin does throws.
 */
import { formatDuration } from "../../core/config/humantime.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import { HostCallError, type BufferedWrite, type PluginCode, type PluginEvent, type PluginResponse, type RunOutcome } from "../../ports/plugin-runtime.ts";
import { createPluginHost, guestText } from "./plugin-host.ts";
import { meteredHost, RunMeter } from "./run-limits.ts";
import type { ProcessingServices, TriggerContext } from "./services.ts";

/** Upstream's words for the three kinds of runs. */
export const RUN_KIND = { writes: "wal plugin", schedule: "schedule plugin", request: "request plugin" } as const;

export type RunReport =
  | { readonly ok: true; readonly response?: PluginResponse }
  /** `cancelled`: disabled, deleted or shut down; nobody's error. */
  | {
      readonly ok: false;
      readonly error: string;
      readonly traceback?: string;
      readonly cancelled: boolean;
      /** The entry point itself raised. */
      readonly inEntryPoint?: boolean;
    };

export async function runPlugin(services: ProcessingServices, context: TriggerContext, event: PluginEvent): Promise<RunReport> {
  const { clock, logs, limits } = services;
  const trigger = context.definition.name;
  const started = clock.monotonicMs();
  context.statistics.runs += 1;
  logs.add(trigger, "INFO", startText(event));
  let code: PluginCode;
  try {
    code = await services.plugins.load(context.definition.pluginFileName);
  } catch (error) {
    return { ok: false, error: messageOf(error), cancelled: false };
  }
  const meter = new RunMeter(limits, (text) => tellLimit(services, context, text));
  const outcome = await context.instance.run(
    { code, arguments: context.definition.arguments, sparseRows: services.sparseRows, event },
    meteredHost(createPluginHost(services, context), meter),
    { wallTimeMsMax: limits.runWallTimeMsMax, signal: context.signal },
  );
  if (outcome.kind !== "done") return failed(services, context, outcome);
  await writeBack(services, context, event, outcome.writes, meter);
  const elapsedNs = BigInt(Math.max(1, Math.round((clock.monotonicMs() - started) * 1e6)));
  logs.add(trigger, "INFO", `finished execution in ${formatDuration(elapsedNs)}`);
  return outcome.response === undefined ? { ok: true } : { ok: true, response: outcome.response };
}

/** The first log line of a run, in the reference's words (spec §17). */
export function startText(event: PluginEvent): string {
  if (event.kind !== "schedule") return `starting execution of ${RUN_KIND[event.kind]}.`;
  const nominal = new Date(Number(event.callTimeSeconds) * 1000).toISOString().slice(0, 19).replace("T", " ");
  return `starting execution with scheduled time ${nominal} UTC`;
}

/** `Type: message`; a sentence of the runtime about the plugin has no type. */
export function exceptionText({ typeName, message }: { readonly typeName: string; readonly message: string }): string {
  return typeName === "" ? message : `${typeName}: ${message}`;
}

function failed(services: ProcessingServices, context: TriggerContext, outcome: Exclude<RunOutcome, { kind: "done" }>): RunReport {
  if (outcome.cacheKeysLost > 0) {
    const text = `the plugin's instance was reset: its private cache lost ${outcome.cacheKeysLost} keys`;
    services.logs.add(context.definition.name, "WARN", text);
    services.log.log("warn", text, { trigger: context.definition.name, database: context.databaseName });
  }
  switch (outcome.kind) {
    case "raised":
      return {
        ok: false,
        error: exceptionText(outcome),
        ...(outcome.traceback === "" ? {} : { traceback: outcome.traceback }),
        cancelled: false,
        inEntryPoint: outcome.inEntryPoint === true,
      };
    case "failed":
      return { ok: false, error: outcome.message, cancelled: false };
    case "stopped":
      context.statistics.stopped += 1;
      return outcome.reason === "cancelled"
        ? { ok: false, error: "the run was cancelled", cancelled: true }
        : {
            ok: false,
            error: `the run passed its time limit of ${services.limits.runWallTimeMsMax} ms and was stopped (${outcome.level})`,
            ...(outcome.traceback === undefined ? {} : { traceback: outcome.traceback }),
            cancelled: false,
          };
  }
}

function tellLimit(services: ProcessingServices, context: TriggerContext, text: string): void {
  const { name } = context.definition;
  services.logs.add(name, "WARN", `limit met: ${text}`);
  services.log.log("warn", `A run of trigger '${name}' met a limit: ${text}`, { trigger: name, database: context.databaseName });
}

/** Lines of one database go in one write, all or nothing; a failed write is logged and fails nothing (spec §9.3). */
async function writeBack(services: ProcessingServices, context: TriggerContext, event: PluginEvent, writes: readonly BufferedWrite[], meter: RunMeter): Promise<void> {
  const byDatabase = new Map<string, string[]>();
  for (const write of writes) {
    const database = write.database ?? context.databaseName;
    const lines = byDatabase.get(database);
    if (lines === undefined) byDatabase.set(database, [write.lines]);
    else lines.push(write.lines);
  }
  for (const [database, lines] of byDatabase) {
    try {
      for (const part of lines) meter.write(part);
      await services.storage.write({ database, lines: lines.join("\n"), noSync: false, origin: context.key });
    } catch (error) {
      context.statistics.errors += 1;
      const text = `error running ${RUN_KIND[event.kind]}: error writing back lines to ${database}: ${error instanceof HostCallError ? error.message : guestText(error, services.log)}`;
      context.statistics.lastError = text;
      services.logs.add(context.definition.name, "ERROR", text);
      services.log.log("error", text, { trigger: context.definition.name, database: context.databaseName });
    }
  }
}
