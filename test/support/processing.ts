/** The real processing engine on a storage engine in memory, with a scripted sandbox. */
import { PROFILES } from "../../src/core/trigger/grants.ts";
import type { OwnLimits } from "../../src/core/trigger/limits.ts";
import { GapTable } from "../../src/engine/processing/gap-table.ts";
import { GlobalCache } from "../../src/engine/processing/global-cache.ts";
import { PROCESSING_LIMITS } from "../../src/engine/processing/limits.ts";
import { LogTable } from "../../src/engine/processing/log-table.ts";
import type { ProcessingEngine } from "../../src/engine/processing/processing-engine.ts";
import type { QueryService } from "../../src/engine/query-service.ts";
import { anyPlugin } from "../../src/testing/any-plugin.ts";
import { noNetwork } from "../../src/testing/no-network.ts";
import { createProcessing, type ProcessingParts } from "../../src/platform/processing.ts";
import type { Invocation, PluginHost, RunOptions, RunOutcome } from "../../src/ports/plugin-runtime.ts";
import type { Opened } from "./open-storage.ts";

let runIds = 0;

export type Script = (invocation: Invocation, host: PluginHost, options: RunOptions) => Promise<RunOutcome>;

export interface ScriptedEngine {
  readonly engine: ProcessingEngine;
  readonly logs: LogTable;
  readonly gaps: GapTable;
}

/** Every trigger's runs are answered by the script. */
export function scriptedEngine({ storage, catalog, clock }: Opened, script: Script, parts: Partial<Pick<ProcessingParts, "network" | "access" | "logsConnections">> = {}): ScriptedEngine {
  const logs = new LogTable(clock, 1_000);
  const gaps = new GapTable(clock);
  const { engine } = createProcessing({
    catalog, storage, clock, logs, gaps,
    newRunId: () => String((runIds += 1)),
    queries: {} as QueryService,
    log: { log: () => undefined },
    limits: PROCESSING_LIMITS,
    access: { grants: PROFILES.trusted, environment: () => undefined, isSelf: () => false, isClosed: () => false, systemMetrics: () => "{}" },
    sparseRows: false,
    network: noNetwork,
    logsConnections: false,
    plugins: anyPlugin,
    runtime: {
      start: async () => undefined,
      close: async () => undefined,
      statistics: () => ({ executors: 0, instances: 0, imageBytes: 0, restoreMsLast: 0, memoryBytes: 0 }),
      createInstance: () => ({ close: async () => undefined, memoryBytes: () => 0, run: script }),
    },
    ...parts,
  });
  return { engine, logs, gaps };
}

export const createTrigger = (engine: ProcessingEngine, name: string, specification: string, more: { readonly durable?: boolean; readonly runAsync?: boolean; readonly limits?: OwnLimits } = {}): Promise<void> =>
  engine.createTrigger({ database: "db", triggerName: name, pluginFileName: "p", specification, arguments: undefined, runAsync: false, errorBehavior: "log", disabled: false, ...more });
