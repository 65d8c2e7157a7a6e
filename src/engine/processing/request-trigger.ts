/** Serves one `request:` trigger: strictly one request after another, with a bounded queue (spec: processing-engine §8). */
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { PluginEvent, PluginResponse } from "../../ports/plugin-runtime.ts";
import { logError } from "./error-policy.ts";
import { RUN_KIND, runPlugin } from "./run-plugin.ts";
import type { ProcessingServices, TriggerContext, TriggerRunner } from "./services.ts";

export class RequestTrigger implements TriggerRunner {
  readonly #services: ProcessingServices;
  readonly #context: TriggerContext;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(services: ProcessingServices, context: TriggerContext) {
    this.#services = services;
    this.#context = context;
  }

  /** Throws `plugin.raised` with the reference's text, or `trigger.queue_full` when too many wait. */
  async serve(event: Extract<PluginEvent, { kind: "request" }>): Promise<PluginResponse> {
    const { requestQueueMax } = this.#services.limits;
    if (this.#waiting >= requestQueueMax) {
      throw new DatabaseError("trigger.queue_full", {
        message: `${requestQueueMax} requests wait for trigger '${this.#context.definition.name}'`,
        hint: "try again later, or make the handler faster",
      });
    }
    this.#waiting += 1;
    const turn = this.#last.then(() => this.#run(event)).finally(() => (this.#waiting -= 1));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async stop(): Promise<void> {
    await this.#last;
  }

  async #run(event: Extract<PluginEvent, { kind: "request" }>): Promise<PluginResponse> {
    if (this.#context.signal.aborted) throw new DatabaseError("plugin.raised", { message: "request handler for trigger down" });
    const report = await runPlugin(this.#services, this.#context, event);
    if (report.ok && report.response !== undefined) return report.response;
    if (report.ok) throw new DatabaseError("internal.invariant", { message: "A request run ended without a response" });
    const error = report.inEntryPoint !== true ? report.error : `Python function call failed: ${report.error}`;
    const text = `error running ${RUN_KIND.request}: ${error}`;
    this.#context.statistics.errors += 1;
    this.#context.statistics.lastError = text;
    logError(this.#services, this.#context, text, report);
    throw new DatabaseError("plugin.raised", { message: error });
  }
}
