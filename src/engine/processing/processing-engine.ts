/**
 * Keeps the catalog's triggers and the running ones in step. Catalog commits never wait for a plugin (the reference
 * deadlocks there, spec: processing-engine §5): a change is durable first, then the runner is started or stopped.
 */
import type { DatabaseDefinition, TriggerDefinition } from "../../core/catalog/definitions.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import { parseTriggerSpecification, formatTriggerSpecification } from "../../core/trigger/specification.ts";
import type { NamedText, PluginResponse } from "../../ports/plugin-runtime.ts";
import { checkSyntax } from "./check-syntax.ts";
import { RequestTrigger } from "./request-trigger.ts";
import { ScheduleTrigger } from "./schedule-trigger.ts";
import type { ProcessingServices, TriggerContext, TriggerRunner, TriggerStatistics } from "./services.ts";
import { WriteTrigger } from "./write-trigger.ts";

/** The catalog as the processing engine uses it. */
export interface ProcessingCatalog {
  database(name: string): DatabaseDefinition | undefined;
  databases(): Iterable<DatabaseDefinition>;
  createTrigger(database: string, definition: Omit<TriggerDefinition, "id">): Promise<void>;
  deleteTrigger(database: string, name: string, options: { readonly force: boolean }): Promise<void>;
  setTriggerDisabled(database: string, name: string, disabled: boolean): Promise<void>;
}

export interface CreateTrigger {
  readonly database: string;
  readonly triggerName: string;
  readonly pluginFileName: string;
  readonly specification: string;
  readonly arguments: readonly NamedText[] | undefined;
  readonly runAsync: boolean;
  readonly errorBehavior: "log" | "retry" | "disable";
  readonly disabled: boolean;
}

interface Running {
  readonly context: TriggerContext;
  readonly runner: TriggerRunner;
  readonly abort: AbortController;
}

export class ProcessingEngine {
  readonly #services: ProcessingServices;
  readonly #catalog: ProcessingCatalog;
  readonly #running = new Map<string, Running>();
  /** Request paths are global; the latest trigger takes a path over (spec §8). */
  readonly #paths = new Map<string, Running[]>();

  constructor(services: Omit<ProcessingServices, "disable">, catalog: ProcessingCatalog) {
    this.#catalog = catalog;
    this.#services = { ...services, disable: (database, name) => this.#disableAfterError(database, name) };
  }

  /** Starts every enabled trigger of the catalog. */
  start(): void {
    for (const database of this.#catalog.databases()) {
      for (const trigger of database.triggers.values()) if (!trigger.disabled) this.#startTrigger(database, trigger);
    }
  }

  /** In the reference's order of checks (spec §4.1): plugin file, then catalog. Nothing is left behind on failure. */
  async createTrigger(request: CreateTrigger): Promise<void> {
    const specification = parseTriggerSpecification(request.specification);
    const code = await this.#services.plugins.newest(request.pluginFileName, { pin: true });
    await checkSyntax(this.#services, code);
    await this.#catalog.createTrigger(request.database, {
      name: request.triggerName,
      pluginFileName: request.pluginFileName,
      specification: formatTriggerSpecification(specification),
      arguments: request.arguments,
      runAsync: request.runAsync,
      errorBehavior: request.errorBehavior,
      disabled: request.disabled,
    });
    if (!request.disabled) this.#startByName(request.database, request.triggerName);
  }

  async deleteTrigger(database: string, name: string, force: boolean): Promise<void> {
    const key = this.#keyOf(database, name);
    await this.#catalog.deleteTrigger(database, name, { force });
    if (key !== undefined) await this.#stopTrigger(key);
  }

  async setTriggerEnabled(database: string, name: string, enabled: boolean): Promise<void> {
    const key = this.#keyOf(database, name);
    await this.#catalog.setTriggerDisabled(database, name, !enabled);
    if (!enabled && key !== undefined) await this.#stopTrigger(key);
    if (enabled && (key === undefined || !this.#running.has(key))) this.#startByName(database, name);
  }

  /** To be called after a database was deleted: stops its triggers. */
  async databaseDeleted(databaseId: number): Promise<void> {
    const keys = [...this.#running.values()].filter(({ context }) => context.databaseId === databaseId).map(({ context }) => context.key);
    await Promise.all(keys.map((key) => this.#stopTrigger(key)));
  }

  /** Undefined when no trigger has this path. */
  async request(request: { readonly path: string; readonly query: readonly NamedText[]; readonly headers: readonly NamedText[]; readonly body: Uint8Array }): Promise<PluginResponse | undefined> {
    const running = this.#paths.get(request.path)?.at(-1);
    if (running === undefined || !(running.runner instanceof RequestTrigger)) return undefined;
    return running.runner.serve({ kind: "request", query: request.query, headers: request.headers, body: request.body });
  }

  /** Counters of the running triggers, for metrics. */
  statistics(): { readonly database: string; readonly trigger: string; readonly counters: TriggerStatistics }[] {
    return [...this.#running.values()].map(({ context }) => ({
      database: context.databaseName,
      trigger: context.definition.name,
      counters: context.statistics,
    }));
  }

  /** Cancels running plugins and waits for their runners. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((key) => this.#stopTrigger(key)));
  }

  #keyOf(database: string, name: string): string | undefined {
    const definition = this.#catalog.database(database);
    const trigger = definition?.triggers.get(name);
    return definition === undefined || trigger === undefined ? undefined : keyFor(definition, trigger);
  }

  #startByName(databaseName: string, name: string): void {
    const database = this.#catalog.database(databaseName);
    const trigger = database?.triggers.get(name);
    if (database !== undefined && trigger !== undefined) this.#startTrigger(database, trigger);
  }

  /** A trigger that cannot start is logged and the server goes on (spec §5). */
  #startTrigger(database: DatabaseDefinition, definition: TriggerDefinition): void {
    const key = keyFor(database, definition);
    if (this.#running.has(key)) return;
    try {
      const abort = new AbortController();
      const context: TriggerContext = {
        key,
        databaseId: database.id,
        databaseName: database.name,
        definition,
        specification: parseTriggerSpecification(definition.specification),
        instance: this.#services.runtime.createInstance(`${database.name}/${definition.name}`, {
          memoryBytesMax: this.#services.limits.instanceMemoryBytesMax,
        }),
        signal: abort.signal,
        statistics: { runs: 0, errors: 0, rows: 0, stopped: 0, retries: 0, ticksSkipped: 0, lastError: undefined },
      };
      const running: Running = { context, abort, runner: createRunner(this.#services, context) };
      this.#running.set(key, running);
      this.#takePath(running);
    } catch (error) {
      this.#services.log.log("error", `failed to start trigger ${definition.name}; continuing in degraded state: ${messageOf(error)}`, {
        trigger: definition.name,
        database: database.name,
      });
    }
  }

  #takePath(running: Running): void {
    const { specification } = running.context;
    if (specification.kind !== "request") return;
    const owners = this.#paths.get(specification.path);
    if (owners === undefined) this.#paths.set(specification.path, [running]);
    else owners.push(running);
  }

  async #stopTrigger(key: string): Promise<void> {
    const running = this.#running.get(key);
    if (running === undefined) return;
    this.#running.delete(key);
    const { specification } = running.context;
    if (specification.kind === "request") {
      const owners = (this.#paths.get(specification.path) ?? []).filter((owner) => owner !== running);
      if (owners.length === 0) this.#paths.delete(specification.path);
      else this.#paths.set(specification.path, owners);
    }
    running.abort.abort();
    await running.runner.stop();
    await running.context.instance.close();
  }

  /** Called from within the trigger's own run: it must not wait for that run. */
  async #disableAfterError(database: string, name: string): Promise<void> {
    const key = this.#keyOf(database, name);
    await this.#catalog.setTriggerDisabled(database, name, true);
    if (key !== undefined) void this.#stopTrigger(key);
  }
}

const keyFor = (database: DatabaseDefinition, trigger: TriggerDefinition): string => `${database.id}/${trigger.id}`;

function createRunner(services: ProcessingServices, context: TriggerContext): TriggerRunner {
  switch (context.specification.kind) {
    case "request":
      return new RequestTrigger(services, context);
    case "cron":
    case "every":
      return new ScheduleTrigger(services, context);
    default:
      return new WriteTrigger(services, context);
  }
}

