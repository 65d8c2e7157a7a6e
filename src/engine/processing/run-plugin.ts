/**
 * One run of a plugin: read the code, log the start, run it in the sandbox, write what it collected, log the end
 * (spec: processing-engine §9, §10). A failure is a value here; nothing a plugin does throws.
 */
import { formatDuration } from "../../core/config/humantime.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import type { GrantName } from "../../core/trigger/grants.ts";
import type { LimitName } from "../../core/trigger/limits.ts";
import { HostCallError, type BufferedWrite, type PluginCode, type PluginEvent, type PluginResponse, type RunOutcome } from "../../ports/plugin-runtime.ts";
import type { TriggerPosition } from "../../core/wal/record.ts";
import { createPluginHost, guestText } from "./plugin-host.ts";
import { grantedHost, RunAccess } from "./run-access.ts";
import { meteredHost, RunMeter } from "./run-limits.ts";
import { count, type ProcessingServices, type TriggerContext } from "./services.ts";

/** Upstream's words for the three kinds of runs. */
export const RUN_KIND = { writes: "wal plugin", schedule: "schedule plugin", request: "request plugin" } as const;

export type RunReport =
  | { readonly ok: true; readonly response?: PluginResponse }
  /** `cancelled`: disabled, deleted or shut down; nobody's error. */
  | { readonly ok: false; readonly error: string; readonly traceback?: string; readonly cancelled: boolean };

/** `position`: what a durable trigger is done with when the run succeeds. */
export async function runPlugin(services: ProcessingServices, context: TriggerContext, event: PluginEvent, position?: TriggerPosition): Promise<RunReport> {
  const { clock, logs } = services;
  const { limits } = context;
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
  const meter = new RunMeter(limits, (text, limit) => tellLimit(services, context, text, limit));
  const access = new RunAccess({
    grants: context.grants,
    access: services.access,
    database: context.databaseName,
    onDenied: (grant, text) => tellDenial(services, context, grant, text),
  });
  const outcome = await context.instance.run(
    { code, arguments: context.definition.arguments, sparseRows: services.sparseRows, event },
    meteredHost(grantedHost(createPluginHost(services, context), access), meter),
    { wallTimeMsMax: limits.runWallTimeMsMax, signal: context.signal },
  );
  if (outcome.kind !== "done") return failed(services, context, outcome);
  await writeBack(services, context, event, outcome.writes, { meter, access, position });
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

function failed(services: ProcessingServices, context: TriggerContext, outcome: Exclude<RunOutcome, { kind: "done" }>): RunReport {
  if (outcome.cacheKeysLost > 0) {
    const text = `the plugin's instance was reset: its private cache lost ${outcome.cacheKeysLost} keys`;
    services.logs.add(context.definition.name, "WARN", text);
    services.log.log("warn", text, { trigger: context.definition.name, database: context.databaseName });
  }
  switch (outcome.kind) {
    case "raised":
      if (outcome.outOfMemory) tellLimit(services, context, `one instance has at most ${context.limits.instanceMemoryBytesMax} bytes of memory`, "memory");
      return { ok: false, error: `${outcome.typeName}: ${outcome.message}`, traceback: outcome.traceback, cancelled: false };
    case "failed":
      return { ok: false, error: outcome.message, cancelled: false };
    case "stopped":
      context.statistics.stopped += 1;
      count(context.statistics.stops, outcome.level);
      if (outcome.reason === "time-limit") count(context.statistics.limitsMet, "time");
      return outcome.reason === "cancelled"
        ? { ok: false, error: "the run was cancelled", cancelled: true }
        : {
            ok: false,
            error: `the run passed its time limit of ${context.limits.runWallTimeMsMax} ms and was stopped (${outcome.level})`,
            ...(outcome.traceback === undefined ? {} : { traceback: outcome.traceback }),
            cancelled: false,
          };
  }
}

function tellDenial(services: ProcessingServices, context: TriggerContext, grant: GrantName, text: string): void {
  const { name } = context.definition;
  count(context.statistics.denied, grant);
  services.logs.add(name, "WARN", `denied: ${text}`);
  services.log.log("warn", `Trigger '${name}' was denied something: ${text}`, { trigger: name, database: context.databaseName });
}

function tellLimit(services: ProcessingServices, context: TriggerContext, text: string, limit: LimitName): void {
  const { name } = context.definition;
  count(context.statistics.limitsMet, limit);
  services.logs.add(name, "WARN", `limit met: ${text}`);
  services.log.log("warn", `A run of trigger '${name}' met a limit: ${text}`, { trigger: name, database: context.databaseName });
}

/** Lines of one database go in one write, all or nothing; a failed write is logged and fails nothing (spec §9.3). */
async function writeBack(services: ProcessingServices, context: TriggerContext, event: PluginEvent, writes: readonly BufferedWrite[], { meter, access, position }: { readonly meter: RunMeter; readonly access: RunAccess; readonly position: TriggerPosition | undefined }): Promise<void> {
  const byDatabase = new Map<string, string[]>();
  for (const write of writes) {
    const database = write.database ?? context.databaseName;
    const lines = byDatabase.get(database);
    if (lines === undefined) byDatabase.set(database, [write.lines]);
    else lines.push(write.lines);
  }
  // The trigger's own database comes last: its record carries the position, so a crash before it repeats the run.
  const own = byDatabase.get(context.databaseName);
  if (own !== undefined && position !== undefined && byDatabase.delete(context.databaseName)) byDatabase.set(context.databaseName, own);
  let positionIsDurable = position === undefined;
  for (const [database, lines] of byDatabase) {
    const carried = database === context.databaseName ? position : undefined;
    try {
      access.check("db", database);
      for (const part of lines) meter.write(part);
      await services.storage.write({ database, lines: lines.join("\n"), noSync: false, origin: context.key, ...(carried === undefined ? {} : { position: carried }) });
      positionIsDurable ||= carried !== undefined;
    } catch (error) {
      context.statistics.errors += 1;
      const text = `error running ${RUN_KIND[event.kind]}: error writing back lines to ${database}: ${error instanceof HostCallError ? error.message : guestText(error, services.log)}`;
      context.statistics.lastError = text;
      services.logs.add(context.definition.name, "ERROR", text);
      services.log.log("error", text, { trigger: context.definition.name, database: context.databaseName });
    }
  }
  if (!positionIsDurable && position !== undefined) await commitPosition(services, context, position);
}

/** When it fails the trigger gets these rows again after a crash, which a durable one has to expect. */
export async function commitPosition(services: ProcessingServices, context: TriggerContext, position: TriggerPosition): Promise<void> {
  try {
    await services.storage.commitPosition(context.databaseId, position);
  } catch (error) {
    services.log.log("warn", `The position of trigger '${context.definition.name}' cannot be written: ${messageOf(error)}`, { trigger: context.definition.name, database: context.databaseName });
  }
}
