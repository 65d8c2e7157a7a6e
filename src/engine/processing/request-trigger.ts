/**
 * Serves one `request:` trigger: one request after another, or as many at once as there are instances when it is
 * asynchronous, with a bounded queue (spec: processing-engine §8).
 */
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { PluginEvent, PluginResponse } from "../../ports/plugin-runtime.ts";
import { logError } from "./error-policy.ts";
import { SELF_CALL_DEPTH_MAX } from "./limits.ts";
import { RUN_KIND, runPlugin } from "./run-plugin.ts";
import type { Run } from "./runs.ts";
import { noteError, type ProcessingServices, type TriggerContext, type TriggerRunner } from "./services.ts";

export class RequestTrigger implements TriggerRunner {
  readonly #services: ProcessingServices;
  readonly #context: TriggerContext;
  readonly #open = new Set<Promise<unknown>>();

  constructor(services: ProcessingServices, context: TriggerContext) {
    this.#services = services;
    this.#context = context;
  }

  /** Requests that wait for an instance. */
  get queueDepth(): number {
    return Math.max(0, this.#open.size - this.#context.statistics.running);
  }

  /**
   * `caller`: the plugin's run that makes the request. Throws `plugin.raised` with the reference's text,
   * `trigger.queue_full` when too many wait, `trigger.self_call` for one that would wait for its own caller.
   */
  async serve(event: Extract<PluginEvent, { kind: "request" }>, caller: Run | undefined): Promise<PluginResponse> {
    const { requestQueueMax } = this.#services.limits;
    if (this.#open.size >= requestQueueMax) {
      throw new DatabaseError("trigger.queue_full", {
        message: `${requestQueueMax} requests wait for trigger '${this.#context.definition.name}'`,
        hint: "try again later, or make the handler faster",
      });
    }
    this.#refuseDeadlock(caller);
    const { key, instances } = this.#context;
    const waits = caller !== undefined && !instances.hasRoom;
    if (waits) caller.waits.add(key);
    const turn = this.#run(event, caller).finally(() => this.#open.delete(turn));
    this.#open.add(turn);
    try {
      return await turn;
    } finally {
      if (waits) caller.waits.delete(key);
    }
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.#open);
  }

  /** At once and with a hint: waiting for the time limit would tell nobody anything. */
  #refuseDeadlock(caller: Run | undefined): void {
    if (caller === undefined) return;
    const { runs } = this.#services;
    const { key, instances, definition } = this.#context;
    const refuse = (message: string, hint: string): never => {
      // The body of this answer is plain text, and the plugin is to see what to do.
      throw new DatabaseError("trigger.self_call", { message: `Trigger '${definition.name}' ${message}: ${hint}`, hint });
    };
    if (runs.depth(caller) >= SELF_CALL_DEPTH_MAX) refuse(`was called by a plugin that was itself called so, ${SELF_CALL_DEPTH_MAX} deep`, "end the chain of calls earlier");
    if (instances.hasRoom || !runs.wouldWaitForItself(caller, key)) return;
    const hint = definition.runAsync ? "call it after the run has ended" : "create the trigger with --run-asynchronous, or call it after the run has ended";
    refuse("is busy with the run that makes this request, which would wait for itself", hint);
  }

  async #run(event: Extract<PluginEvent, { kind: "request" }>, parent: Run | undefined): Promise<PluginResponse> {
    if (this.#context.signal.aborted) throw new DatabaseError("plugin.raised", { message: "request handler for trigger down" });
    const report = await runPlugin(this.#services, this.#context, event, { parent });
    if (report.ok && report.response !== undefined) return report.response;
    if (report.ok) throw new DatabaseError("internal.invariant", { message: "A request run ended without a response" });
    const error = report.inEntryPoint !== true ? report.error : `Python function call failed: ${report.error}`;
    const text = `error running ${RUN_KIND.request}: ${error}`;
    noteError(this.#services, this.#context, text);
    logError(this.#services, this.#context, text, report);
    throw new DatabaseError("plugin.raised", { message: error });
  }
}
