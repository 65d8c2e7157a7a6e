/** What happens when a run of a WAL or schedule trigger fails: log, retry with back-off, or disable (spec §9.2). */
import type { PluginEvent } from "../../ports/plugin-runtime.ts";
import type { Clock } from "../../ports/clock.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import { RETRY_ATTEMPTS_MAX, RETRY_PAUSE_MS_FIRST, RETRY_PAUSE_MS_MAX } from "./limits.ts";
import { commitPosition, RUN_KIND, runPlugin, type RunParts, type RunReport } from "./run-plugin.ts";
import { logRow, noteError, type ProcessingServices, type TriggerContext } from "./services.ts";

/** Runs the event until it succeeded or its policy gave up. False: the trigger must not run on. */
export async function runWithPolicy(services: ProcessingServices, context: TriggerContext, event: PluginEvent, parts: RunParts = {}): Promise<boolean> {
  const end = await attempts(services, context, event, parts);
  if (end === "failed") await commitPosition(services, context, parts);
  return end !== "stopped";
}

/** `failed`: given up, and on with the next event. */
async function attempts(services: ProcessingServices, context: TriggerContext, event: PluginEvent, parts: RunParts): Promise<"done" | "failed" | "stopped"> {
  for (let attempt = 1; !context.signal.aborted; attempt++) {
    const report = await runPlugin(services, context, event, parts);
    if (report.ok) return "done";
    if (report.cancelled) return "stopped";
    const text = `error executing ${RUN_KIND[event.kind]}: ${report.error}`;
    noteError(services, context, text);
    switch (context.definition.errorBehavior) {
      case "log":
        logError(services, context, text, report);
        return "failed";
      case "disable":
        await disable(services, context, text, report);
        return "stopped";
      case "retry":
        if (attempt >= RETRY_ATTEMPTS_MAX) {
          logError(services, context, `${text}, gave up after ${attempt} attempts`, report);
          return "failed";
        }
        context.statistics.retries += 1;
        logRow(services, context, "WARN", `${text}, will retry`, report);
        await pause(services.clock, context.signal, Math.min(RETRY_PAUSE_MS_MAX, RETRY_PAUSE_MS_FIRST * 2 ** (attempt - 1)));
    }
  }
  return "stopped";
}

/** The first line is the reference's text; Python's traceback follows it (the reference drops it, spec §19 no. 13). */
export function logError(services: ProcessingServices, context: TriggerContext, text: string, report: Extract<RunReport, { ok: false }>): void {
  const trigger = context.definition.name;
  const full = report.traceback === undefined ? text : `${text}\n${report.traceback.trimEnd()}`;
  logRow(services, context, "ERROR", full, report);
  services.log.log("error", `trigger execution error: ${full}`, { trigger, database: context.databaseName });
}

async function disable(services: ProcessingServices, context: TriggerContext, text: string, report: Extract<RunReport, { ok: false }>): Promise<void> {
  const { name } = context.definition;
  logError(services, context, text, report);
  services.log.log("warn", `disabling trigger ${name} due to error`, { trigger: name, database: context.databaseName });
  try {
    await services.disable(context.databaseName, name);
  } catch (error) {
    services.log.log("error", `trigger ${name} is stopped, but the catalog could not be told: ${messageOf(error)}`, { trigger: name });
  }
}

function pause(clock: Clock, signal: AbortSignal, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal.addEventListener("abort", done, { once: true });
  });
}
