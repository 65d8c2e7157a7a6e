/**
 * One run of a plugin: read the code, log the start, run it in the sandbox, write what it collected, log the end
 * (spec: processing-engine §9, §10). A failure is a value here; nothing a plugin does throws.
 */
import { formatDuration } from "../../core/config/humantime.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import { grantFlag, type GrantName } from "../../core/trigger/grants.ts";
import type { LimitName } from "../../core/trigger/limits.ts";
import { HostCallError, type BufferedWrite, type PluginCode, type PluginEvent, type PluginResponse, type RunOutcome } from "../../ports/plugin-runtime.ts";
import { wantedFiles } from "../../core/trigger/wanted-files.ts";
import type { TriggerPosition } from "../../core/wal/record.ts";
import type { ShownFiles } from "../../ports/plugin-store.ts";
import { CODE_CHECK_MS } from "./limits.ts";
import { openTriggerNetwork } from "./trigger-network.ts";
import { createPluginHost, guestText } from "./plugin-host.ts";
import { grantedHost, RunAccess } from "./run-access.ts";
import { meteredHost, RunMeter } from "./run-limits.ts";
import type { LeasedInstance } from "./instance-pool.ts";
import type { Run } from "./runs.ts";
import { count, logRow, noteError, type ProcessingServices, tell, type TriggerContext } from "./services.ts";

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
      readonly runId: string;
      /** The entry point itself raised. */
      readonly inEntryPoint?: boolean;
    };

/** What a run is besides its event. */
export interface RunParts {
  /** What a durable trigger is done with when the run succeeds; asked for when its writes are. */
  readonly position?: () => TriggerPosition | undefined;
  /** The run whose call to this server led to it. */
  readonly parent?: Run | undefined;
}

export async function runPlugin(services: ProcessingServices, context: TriggerContext, event: PluginEvent, parts: RunParts = {}): Promise<RunReport> {
  const lease = await context.instances.acquire();
  const { statistics } = context;
  const run = services.runs.begin(context.key, parts.parent);
  const startedMs = services.clock.monotonicMs();
  statistics.running += 1;
  let outcome: RunOutcome | undefined;
  try {
    return await execute({ services, context, event, parts, run, lease: { ...lease, done: (ended) => void (outcome = ended) } });
  } finally {
    statistics.running -= 1;
    statistics.durations.add((services.clock.monotonicMs() - startedMs) / 1000);
    services.runs.end(run);
    lease.done(outcome);
  }
}

interface Execution {
  readonly services: ProcessingServices;
  readonly context: TriggerContext;
  readonly event: PluginEvent;
  readonly parts: RunParts;
  readonly run: Run;
  readonly lease: LeasedInstance;
}

async function execute(execution: Execution): Promise<RunReport> {
  const { services, context, event, run, lease } = execution;
  const { clock } = services;
  const { limits } = context;
  const started = clock.monotonicMs();
  context.statistics.runs += 1;
  logRow(services, context, "INFO", startText(event), { runId: run.id });
  let code: PluginCode;
  try {
    code = await currentCode(services, context);
    if (await showFiles(services, context)) tell(services, context, "WARN", leftOutText(context.loaded.shown), { runId: run.id });
  } catch (error) {
    return { ok: false, error: messageOf(error), cancelled: false, runId: run.id };
  }
  const meter = new RunMeter(limits, (text, limit) => tellLimit(execution, text, limit));
  const access = new RunAccess({
    grants: context.grants,
    access: services.access,
    database: context.databaseName,
    onDenied: (grant, text) => tellDenial(execution, grant, text),
  });
  const network = openTriggerNetwork(services, context, { run, access, meter });
  const host = meteredHost(grantedHost(createPluginHost(services, context, { runId: run.id, network }), access), meter);
  let outcome: RunOutcome;
  try {
    outcome = await lease.instance.run(
      { code, arguments: context.definition.arguments, shown: context.loaded.shown?.files ?? [], sparseRows: services.sparseRows, event, cacheUpdates: lease.cacheUpdates },
      host,
      { wallTimeMsMax: limits.runWallTimeMsMax, signal: context.signal },
    );
  } catch (error) {
    // No instance: there is no memory for one, or the interpreter does not start.
    return { ok: false, error: messageOf(error), cancelled: false, runId: run.id };
  } finally {
    network.end();
  }
  lease.done(outcome);
  if (outcome.kind !== "done") return failed(execution, outcome);
  await writeBack(execution, outcome.writes, { meter, access });
  const elapsedNs = BigInt(Math.max(1, Math.round((clock.monotonicMs() - started) * 1e6)));
  logRow(services, context, "INFO", `finished execution in ${formatDuration(elapsedNs)}`, { runId: run.id });
  return outcome.response === undefined ? { ok: true } : { ok: true, response: outcome.response };
}

/** Looking at the files takes longer than a short run: of runs in quick succession the first looks for all. */
async function currentCode({ plugins, clock }: ProcessingServices, { loaded, definition }: TriggerContext): Promise<PluginCode> {
  const nowMs = clock.monotonicMs();
  if (loaded.code !== undefined && nowMs - loaded.checkedMs < CODE_CHECK_MS) return loaded.code;
  const code = await plugins.load(definition.pluginFileName);
  loaded.code = code;
  loaded.checkedMs = nowMs;
  return code;
}

/** True: there is more that is left out than there was before. */
async function showFiles({ plugins }: ProcessingServices, { loaded, definition, grants }: TriggerContext): Promise<boolean> {
  const wanted = wantedFiles(grants.files, definition.arguments);
  if (wanted === undefined) return false;
  const before = loaded.shown?.leftOut ?? 0;
  loaded.shown = await plugins.shown(wanted);
  return loaded.shown.leftOut > before;
}

export function leftOutText(shown: ShownFiles | undefined): string {
  return `${shown?.leftOut ?? 0} files of the plugin folder are not shown to the plugin: they are too large or too many (grant only what it needs with ${grantFlag("files")})`;
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

function failed(execution: Execution, outcome: Exclude<RunOutcome, { kind: "done" }>): RunReport {
  const { services, context, run } = execution;
  const runId = run.id;
  if (outcome.cacheKeysLost > 0) tell(services, context, "WARN", `the plugin's instance was reset: its private cache lost ${outcome.cacheKeysLost} keys`, { runId });
  switch (outcome.kind) {
    case "raised":
      if (outcome.outOfMemory) tellLimit(execution, `one instance has at most ${context.limits.instanceMemoryBytesMax} bytes of memory`, "memory");
      return {
        ok: false,
        error: exceptionText(outcome),
        ...(outcome.traceback === "" ? {} : { traceback: outcome.traceback }),
        cancelled: false,
        inEntryPoint: outcome.inEntryPoint === true,
        runId,
      };
    case "failed":
      return { ok: false, error: outcome.message, cancelled: false, runId };
    case "stopped":
      context.statistics.stopped += 1;
      count(context.statistics.stops, outcome.level);
      if (outcome.reason === "time-limit") count(context.statistics.limitsMet, "time");
      return outcome.reason === "cancelled"
        ? { ok: false, error: "the run was cancelled", cancelled: true, runId }
        : {
            ok: false,
            error: `the run passed its time limit of ${context.limits.runWallTimeMsMax} ms and was stopped (${outcome.level})`,
            ...(outcome.traceback === undefined ? {} : { traceback: outcome.traceback }),
            cancelled: false,
            runId,
          };
  }
}

function tellDenial({ services, context, run }: Execution, grant: GrantName, text: string): void {
  const { name } = context.definition;
  count(context.statistics.denied, grant);
  logRow(services, context, "WARN", `denied: ${text}`, { runId: run.id });
  services.log.log("warn", `Trigger '${name}' was denied something: ${text}`, { trigger: name, database: context.databaseName });
}

function tellLimit({ services, context, run }: Execution, text: string, limit: LimitName): void {
  const { name } = context.definition;
  count(context.statistics.limitsMet, limit);
  logRow(services, context, "WARN", `limit met: ${text}`, { runId: run.id });
  services.log.log("warn", `A run of trigger '${name}' met a limit: ${text}`, { trigger: name, database: context.databaseName });
}

/** Lines of one database go in one write, all or nothing; a failed write is logged and fails nothing (spec §9.3). */
async function writeBack(execution: Execution, writes: readonly BufferedWrite[], { meter, access }: { readonly meter: RunMeter; readonly access: RunAccess }): Promise<void> {
  const { services, context, event, parts, run } = execution;
  const byDatabase = new Map<string, string[]>();
  for (const write of writes) {
    const database = write.database ?? context.databaseName;
    const lines = byDatabase.get(database);
    if (lines === undefined) byDatabase.set(database, [write.lines]);
    else lines.push(write.lines);
  }
  // The trigger's own database comes last: its record carries the position, so a crash before it repeats the run.
  const own = byDatabase.get(context.databaseName);
  if (own !== undefined && parts.position !== undefined && byDatabase.delete(context.databaseName)) byDatabase.set(context.databaseName, own);
  let isCarried = parts.position === undefined;
  for (const [database, lines] of byDatabase) {
    const position = database === context.databaseName ? parts.position?.() : undefined;
    try {
      access.check("db", database);
      for (const part of lines) meter.write(part);
      context.statistics.linesWritten += await services.storage.write({ database, lines: lines.join("\n"), noSync: false, origin: context.key, ...(position === undefined ? {} : { position }) });
      isCarried ||= position !== undefined;
    } catch (error) {
      const text = `error running ${RUN_KIND[event.kind]}: error writing back lines to ${database}: ${error instanceof HostCallError ? error.message : guestText(error, services.log)}`;
      noteError(services, context, text);
      tell(services, context, "ERROR", text, { runId: run.id });
    }
  }
  if (!isCarried) await commitPosition(services, context, parts);
}

/** When it fails the trigger gets these rows again after a crash, which a durable one has to expect. */
export async function commitPosition(services: ProcessingServices, context: TriggerContext, parts: RunParts): Promise<void> {
  const position = parts.position?.();
  if (position === undefined) return;
  try {
    await services.storage.commitPosition(context.databaseId, position);
  } catch (error) {
    services.log.log("warn", `The position of trigger '${context.definition.name}' cannot be written: ${messageOf(error)}`, { trigger: context.definition.name, database: context.databaseName });
  }
}
