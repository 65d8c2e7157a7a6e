/** The real runners of triggers on a virtual clock, with a scripted plugin runtime. */
import type { DatabaseDefinition, TriggerDefinition } from "../../src/core/catalog/definitions.ts";
import { decodeTableBatch, encodeTableBatch } from "../../src/core/columns/table-batch.ts";
import type { InstanceLimits, Invocation, PluginHost, PluginInstance, RunOptions, RunOutcome } from "../../src/ports/plugin-runtime.ts";
import { anyPlugin } from "../../src/testing/any-plugin.ts";
import { noNetwork } from "../../src/testing/no-network.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { GapTable } from "../../src/engine/processing/gap-table.ts";
import { GlobalCache } from "../../src/engine/processing/global-cache.ts";
import { PROCESSING_LIMITS } from "../../src/engine/processing/limits.ts";
import { LogTable } from "../../src/engine/processing/log-table.ts";
import { ProcessingEngine, type ProcessingCatalog } from "../../src/engine/processing/processing-engine.ts";
import type { CommittedBatch } from "../../src/core/buffer/queryable-buffer.ts";
import { PROFILES, type TriggerGrants } from "../../src/core/trigger/grants.ts";
import { OpenConnections } from "../../src/engine/processing/open-connections.ts";
import { Runs } from "../../src/engine/processing/runs.ts";
import type { PluginAccess, PluginWrite } from "../../src/engine/processing/services.ts";

export type TriggerRun = (invocation: Invocation, host: PluginHost, options: RunOptions) => Promise<RunOutcome>;

export const done: RunOutcome = { kind: "done", writes: [] };
export const raised: RunOutcome = { kind: "raised", inEntryPoint: true, typeName: "ValueError", message: "no", traceback: "Traceback\n  File \"p.py\", line 3", cacheKeysLost: 0, outOfMemory: false };

export class TriggerWorld {
  readonly clock = new VirtualClock();
  readonly logs = new LogTable(this.clock, 100);
  readonly calls: { atMs: number; rows: number; tables: string[] }[] = [];
  readonly writes: PluginWrite[] = [];
  readonly positions: number[] = [];
  runIds = 0;
  closed = 0;
  readonly triggers = new Map<string, TriggerDefinition>();
  script: TriggerRun = async () => done;
  readonly instances: InstanceLimits[] = [];
  readonly access: PluginAccess & { grants: TriggerGrants } = {
    grants: PROFILES.strict,
    environment: (name) => (name === "KEY" ? "secret" : undefined),
    isSelf: (host, port) => host === "127.0.0.1" && port === 8181,
    isClosed: () => false,
    systemMetrics: (group) => `{"group":"${group}"}`,
  };
  #listeners: ((rows: CommittedBatch) => void)[] = [];
  #committed: CommittedBatch[] = [];
  engine: ProcessingEngine;

  constructor() {
    const database: DatabaseDefinition = { id: 1, name: "db", deleted: false, tables: new Map(), deletedTables: new Map(), triggers: this.triggers };
    const catalog: ProcessingCatalog = {
      database: (name) => (name === "db" ? database : undefined),
      databases: () => [database],
      createTrigger: async (_db, definition) => void this.triggers.set(definition.name, { id: this.triggers.size, ...definition }),
      deleteTrigger: async (_db, name) => void this.triggers.delete(name),
      setTriggerDisabled: async (_db, name, disabled) => void this.triggers.set(name, { ...(this.triggers.get(name) as TriggerDefinition), disabled }),
      updateTrigger: async (_db, name, settings) => void this.triggers.set(name, { ...(this.triggers.get(name) as TriggerDefinition), ...settings }),
    };
    const world = this;
    this.engine = new ProcessingEngine(
      {
        clock: this.clock, logs: this.logs, gaps: new GapTable(this.clock), runs: new Runs(() => String((this.runIds += 1))), limits: PROCESSING_LIMITS, access: this.access, sparseRows: false,
        network: noNetwork, connections: new OpenConnections(this.clock), logsConnections: false,
        globalCache: new GlobalCache(this.clock, 1000),
        log: { log: () => undefined },
        table: (_db, id) => ({ name: `t${id}`, columns: ["time"] }),
        query: async () => new Uint8Array(),
        plugins: anyPlugin,
        storage: {
          get headSequence() {
            return world.#committed.length;
          },
          write: async (write) => {
            this.writes.push(write);
            return write.lines.split("\n").length;
          },
          commitPosition: async (_db, position) => void this.positions.push(position.sequence),
          feed: {
            recordedPosition: () => undefined,
            firstSequence: () => 1,
            nextReadable: (_db, after) => after + 1,
            follow: () => () => undefined,
            started: () => undefined,
            advanced: () => undefined,
            countRows: async () => 0,
            read: async (_db, { after, through, wants }) => ({ batches: this.#committed.slice(after, through).filter(wants), through, fromLog: false }),
          },
          onCommitted: (listener) => {
            this.#listeners.push(listener);
            return () => (this.#listeners = this.#listeners.filter((other) => other !== listener));
          },
        },
        runtime: {
          start: async () => undefined,
          close: async () => undefined,
          statistics: () => ({ executors: 0, instances: 0, imageBytes: 0, restoreMsLast: 0, memoryBytes: 0 }),
          createInstance: (_label, limits): PluginInstance => (this.instances.push(limits), { memoryBytes: () => 0, close: async () => void (this.closed += 1), run: (invocation, host, options) => this.#run(invocation, host, options) }),
        },
      },
      catalog,
    );
  }

  #run(invocation: Invocation, host: PluginHost, options: RunOptions): Promise<RunOutcome> {
    const tables = invocation.event.kind === "writes" ? invocation.event.tables : [];
    const rows = tables.flatMap((table) => table.batches).reduce((sum, bytes) => sum + decodeTableBatch(bytes).rowCount, 0);
    this.calls.push({ atMs: this.clock.monotonicMs(), rows, tables: tables.map((table) => table.tableName) });
    return this.script(invocation, host, options);
  }

  async create(specification: string, errorBehavior: TriggerDefinition["errorBehavior"] = "log", settings: Partial<Pick<TriggerDefinition, "limits" | "grants" | "runAsync" | "durable">> = {}): Promise<void> {
    await this.engine.createTrigger({ database: "db", triggerName: "trigger", pluginFileName: "p", specification, arguments: undefined, runAsync: false, errorBehavior, disabled: false, ...settings });
  }

  commit(tableId: number, rowCount = 1, origin?: string): void {
    const bytes = encodeTableBatch({ databaseId: 1, tableId, rowCount, timeMin: 0n, timeMax: 0n, columns: [{ name: "time", type: "time", values: new BigInt64Array(rowCount) }] });
    const rows: CommittedBatch = { sequence: this.#committed.length + 1, databaseId: 1, tableId, bytes, rowCount, origin };
    this.#committed.push(rows);
    for (const listener of this.#listeners) listener(rows);
  }

  texts(level: string): string[] {
    return this.logs.rows().filter((row) => row.level === level).map((row) => row.text);
  }
}
