/**
 * Keeps the catalog's triggers and the running ones in step. Catalog commits never wait for a plugin (the reference
 * deadlocks there, spec: processing-engine §5): a change is durable first, then the runner is started or stopped.
 */
import type { DatabaseDefinition, TriggerChange, TriggerDefinition } from "../../core/catalog/definitions.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import type { GrantName, OwnGrants, TriggerGrants } from "../../core/trigger/grants.ts";
import type { LimitName, OwnLimits } from "../../core/trigger/limits.ts";
import { likelyGrants } from "../../core/packages/likely-grants.ts";
import { manifestGrants } from "../../core/trigger/manifest-grants.ts";
import { parseTriggerSpecification, formatTriggerSpecification } from "../../core/trigger/specification.ts";
import type { NamedText, PluginResponse } from "../../ports/plugin-runtime.ts";
import { SyntaxChecker } from "./check-syntax.ts";
import { RequestTrigger } from "./request-trigger.ts";
import { ScheduleTrigger } from "./schedule-trigger.ts";
import { Histogram } from "./histogram.ts";
import { InstancePool } from "./instance-pool.ts";
import type { LogSource } from "./log-table.ts";
import type { SocketAddress } from "./open-connections.ts";
import type { ProcessingServices, StopOptions, TriggerContext, TriggerRunner, TriggerStatistics } from "./services.ts";
import { SharedCache } from "./shared-cache.ts";
import { instanceLimits, settingsOf, type TriggerSettings } from "./trigger-settings.ts";
import { WriteTrigger } from "./write-trigger.ts";

/** The catalog as the processing engine uses it. */
export interface ProcessingCatalog {
  database(name: string): DatabaseDefinition | undefined;
  databases(): Iterable<DatabaseDefinition>;
  createTrigger(database: string, definition: Omit<TriggerDefinition, "id">): Promise<void>;
  deleteTrigger(database: string, name: string, options: { readonly force: boolean }): Promise<void>;
  setTriggerDisabled(database: string, name: string, disabled: boolean): Promise<void>;
  updateTrigger(database: string, name: string, change: TriggerChange): Promise<void>;
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
  readonly limits?: OwnLimits;
  readonly grants?: OwnGrants;
  /** Rows not processed at a crash are delivered after it; default false. */
  readonly durable?: boolean;
}

/** Absent members stay as they are; a limit or grant that is undefined goes back to the server's value. */
export interface UpdateTrigger extends Partial<Pick<CreateTrigger, "pluginFileName" | "specification" | "runAsync" | "errorBehavior" | "durable">> {
  readonly database: string;
  readonly triggerName: string;
  readonly limits: { readonly [N in LimitName]?: number | undefined };
  readonly grants: { readonly [N in GrantName]?: TriggerGrants[N] | undefined };
  /** `undefined` in it: none. */
  readonly arguments?: { readonly values: readonly NamedText[] | undefined };
}

export interface PluginRequest {
  readonly path: string;
  readonly query: readonly NamedText[];
  readonly headers: readonly NamedText[];
  readonly body: Uint8Array;
  /** The other end of its connection, by which a run that calls its own server is known. */
  readonly peer?: SocketAddress | undefined;
}

/** A running trigger, for metrics and tables. */
export interface TriggerState {
  readonly database: string;
  readonly trigger: string;
  readonly counters: TriggerStatistics;
  readonly lag: TriggerLag;
  readonly queueDepth: number;
  readonly instances: number;
  readonly memoryBytes: number;
}

/** How far a trigger is behind the log. */
export interface TriggerLag {
  readonly rows: number;
  readonly seconds: number;
}

interface Running {
  readonly context: TriggerContext;
  readonly runner: TriggerRunner;
  readonly abort: AbortController;
}

export class ProcessingEngine {
  readonly #services: ProcessingServices;
  readonly #catalog: ProcessingCatalog;
  readonly #syntax: SyntaxChecker;
  readonly #running = new Map<string, Running>();
  /** Request paths are global; the latest trigger takes a path over (spec §8). */
  readonly #paths = new Map<string, Running[]>();

  constructor(services: Omit<ProcessingServices, "disable">, catalog: ProcessingCatalog) {
    this.#catalog = catalog;
    this.#syntax = new SyntaxChecker(services);
    this.#services = { ...services, disable: (database, name) => this.#disableAfterError(database, name) };
  }

  /** Starts every enabled trigger of the catalog. */
  start(): void {
    for (const database of this.#catalog.databases()) {
      for (const trigger of database.triggers.values()) if (!trigger.disabled) this.#startTrigger(database, trigger);
    }
    this.#services.storage.feed.started();
  }

  /** In the reference's order of checks (spec §4.1): plugin file, then catalog. Nothing is left behind on failure. */
  async createTrigger(request: CreateTrigger): Promise<void> {
    const specification = parseTriggerSpecification(request.specification);
    const code = await this.#services.plugins.newest(request.pluginFileName, { pin: true });
    await this.#syntax.check(code);
    const grants = await this.#grantsOf(request);
    await this.#catalog.createTrigger(request.database, {
      name: request.triggerName,
      pluginFileName: request.pluginFileName,
      specification: formatTriggerSpecification(specification),
      arguments: request.arguments,
      runAsync: request.runAsync,
      errorBehavior: request.errorBehavior,
      disabled: request.disabled,
      ...(request.limits === undefined ? {} : { limits: request.limits }),
      ...(grants === undefined ? {} : { grants }),
      ...(request.durable === true ? { durable: true } : {}),
    });
    if (!request.disabled) await this.#startByName(request.database, request.triggerName);
  }

  /** A plugin of ours has what its manifest asks for, unless the request says otherwise: there is nobody to ask. */
  async #grantsOf({ pluginFileName, grants }: CreateTrigger): Promise<OwnGrants | undefined> {
    const manifest = await this.#services.plugins.bundledManifest(pluginFileName);
    const asked = manifest === undefined ? {} : manifestGrants(manifest);
    return Object.keys(asked).length === 0 ? grants : { ...asked, ...grants };
  }

  /** What the plugin's manifest asks the user for. Throws `plugin.*`, and `trigger.invalid_settings` for a manifest that cannot be read. */
  async askedGrants(pluginFileName: string): Promise<OwnGrants> {
    if ((await this.#services.plugins.bundledManifest(pluginFileName)) !== undefined) return {};
    const manifest = await this.#services.plugins.manifest(pluginFileName);
    return manifest === undefined ? {} : manifestGrants(manifest);
  }

  /** What its code will need beside what every trigger has. Code that cannot be read: nothing; creating the trigger says why. */
  async likelyGrants(pluginFileName: string): Promise<OwnGrants> {
    const { plugins, access } = this.#services;
    if ((await plugins.bundledManifest(pluginFileName)) !== undefined) return {};
    const code = await plugins.newest(pluginFileName, { pin: false }).catch(() => undefined);
    const { sys = [] } = code === undefined ? {} : likelyGrants(code);
    return sys.every((group) => access.grants.sys.includes(group)) ? {} : { sys };
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
    if (enabled && (key === undefined || !this.#running.has(key))) await this.#startByName(database, name);
  }

  /**
   * Changes a trigger; a running one is stopped, its run with it, and starts anew, a durable one where it was. Throws
   * `resource.not_found`, and for a new plugin or specification what creating throws.
   */
  async updateTrigger(update: UpdateTrigger): Promise<void> {
    const { database, triggerName } = update;
    const trigger = this.#catalog.database(database)?.triggers.get(triggerName);
    const key = this.#keyOf(database, triggerName);
    const specification = update.specification === undefined ? undefined : formatTriggerSpecification(parseTriggerSpecification(update.specification));
    if (update.pluginFileName !== undefined) await this.#syntax.check(await this.#services.plugins.load(update.pluginFileName));
    const { pluginFileName, runAsync, errorBehavior, durable } = update;
    await this.#catalog.updateTrigger(database, triggerName, {
      ...withoutUndefined({ pluginFileName, specification, runAsync, errorBehavior, durable }),
      ...(update.arguments === undefined ? {} : { arguments: update.arguments.values }),
      limits: withoutUndefined({ ...trigger?.limits, ...update.limits }),
      grants: withoutUndefined({ ...trigger?.grants, ...update.grants }),
    });
    if (key === undefined || !this.#running.has(key)) return;
    await this.#stopTrigger(key, { keep: true });
    await this.#startByName(database, triggerName);
  }

  /** To be called after a database was deleted: stops its triggers. */
  async databaseDeleted(databaseId: number): Promise<void> {
    const keys = [...this.#running.values()].filter(({ context }) => context.databaseId === databaseId).map(({ context }) => context.key);
    await Promise.all(keys.map((key) => this.#stopTrigger(key)));
  }

  /** Plugin files were written: the next runs look at them. */
  codeChanged(): void {
    for (const { context } of this.#running.values()) context.loaded.code = undefined;
  }

  /** Whether the other end of a connection to this server is, or may be, a run of a plugin. */
  isPlugin(peer: SocketAddress | undefined): boolean {
    return this.#services.connections.isRun(peer);
  }

  /** Undefined when no trigger has this path. */
  async request(request: PluginRequest): Promise<PluginResponse | undefined> {
    const running = this.#paths.get(request.path)?.at(-1);
    if (running === undefined || !(running.runner instanceof RequestTrigger)) return undefined;
    const caller = request.peer === undefined ? undefined : this.#services.connections.caller(request.peer);
    return running.runner.serve({ kind: "request", query: request.query, headers: request.headers, body: request.body }, caller);
  }

  /** Counters of the running triggers, for metrics. */
  statistics(): TriggerState[] {
    return [...this.#running.values()].map(({ context, runner }) => ({
      lag: runner.lag?.() ?? { rows: 0, seconds: 0 },
      database: context.databaseName,
      trigger: context.definition.name,
      counters: context.statistics,
      queueDepth: runner.queueDepth,
      instances: context.instances.size,
      memoryBytes: context.instances.memoryBytes,
    }));
  }

  /** Cancels running plugins and waits for their runners. */
  async close(): Promise<void> {
    await Promise.all([this.#syntax.close(), ...[...this.#running.keys()].map((key) => this.#stopTrigger(key, { keep: true }))]);
    this.#services.connections.close();
  }

  #keyOf(database: string, name: string): string | undefined {
    const definition = this.#catalog.database(database);
    const trigger = definition?.triggers.get(name);
    return definition === undefined || trigger === undefined ? undefined : keyFor(definition, trigger);
  }

  async #startByName(databaseName: string, name: string): Promise<void> {
    const database = this.#catalog.database(databaseName);
    const trigger = database?.triggers.get(name);
    if (database === undefined || trigger === undefined) return;
    this.#startTrigger(database, trigger);
    await this.#running.get(keyFor(database, trigger))?.runner.ready;
  }

  /** A trigger that cannot start is logged and the server goes on (spec §5). */
  #startTrigger(database: DatabaseDefinition, definition: TriggerDefinition): void {
    const key = keyFor(database, definition);
    if (this.#running.has(key)) return;
    try {
      const abort = new AbortController();
      const settings = settingsOf(this.#services, definition);
      const source: LogSource = { key, trigger: definition.name, database: database.name };
      const context: TriggerContext = {
        key,
        databaseId: database.id,
        databaseName: database.name,
        definition,
        specification: parseTriggerSpecification(definition.specification),
        ...settings,
        source,
        loaded: { code: undefined, shown: undefined, checkedMs: 0 },
        instances: this.#createInstances(source, definition, settings),
        signal: abort.signal,
        statistics: newStatistics(),
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

  #createInstances(source: LogSource, definition: TriggerDefinition, settings: TriggerSettings): InstancePool {
    const { clock, runtime, access, logs, log } = this.#services;
    const { limits } = settings;
    const warn = (text: string): void => {
      logs.add(source, "WARN", text);
      log.log("warn", text, { trigger: source.trigger, database: source.database });
    };
    const onNotShared = (name: string, reason: string): void =>
      warn(`the cache's '${name}' stays with the instance that put it there, other overlapping runs do not have it: ${reason}`);
    return new InstancePool({
      make: () => runtime.createInstance(`${source.database}/${source.trigger}`, instanceLimits(settings, access)),
      instancesMax: definition.runAsync ? limits.instancesMax : 1,
      clock,
      cache: definition.runAsync ? new SharedCache({ clock, bytesMax: limits.cacheBytesMax, onNotShared }) : undefined,
      onDamage: (error) => warn(`what a run put into the cache cannot be read and is not shared: ${messageOf(error)}`),
    });
  }

  #takePath(running: Running): void {
    const { specification } = running.context;
    if (specification.kind !== "request") return;
    const owners = this.#paths.get(specification.path);
    if (owners === undefined) this.#paths.set(specification.path, [running]);
    else owners.push(running);
  }

  async #stopTrigger(key: string, options: StopOptions = { keep: false }): Promise<void> {
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
    await running.runner.stop(options);
    await running.context.instances.close();
  }

  /** Called from within the trigger's own run: it must not wait for that run. */
  async #disableAfterError(database: string, name: string): Promise<void> {
    const key = this.#keyOf(database, name);
    await this.#catalog.setTriggerDisabled(database, name, true);
    if (key !== undefined) void this.#stopTrigger(key);
  }
}

function withoutUndefined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

const keyFor = (database: DatabaseDefinition, trigger: TriggerDefinition): string => `${database.id}/${trigger.id}`;

function newStatistics(): TriggerStatistics {
  return {
    runs: 0, errors: 0, rows: 0, linesWritten: 0, connections: 0, networkBytesSent: 0, networkBytesReceived: 0, running: 0, durations: new Histogram(), stopped: 0, retries: 0, ticksSkipped: 0, consecutiveCalls: 0,
    spilledSlices: 0, rowsLost: 0, lastError: undefined, lastErrorNs: undefined, limitsMet: {}, denied: {}, stops: {},
  };
}

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

