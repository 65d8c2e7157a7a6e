/** Wires the processing engine to storage, queries and the sandbox. */
import type { CatalogService } from "../engine/catalog-service.ts";
import { GlobalCache } from "../engine/processing/global-cache.ts";
import { GLOBAL_CACHE_BYTES_MAX, type ProcessingLimits } from "../engine/processing/limits.ts";
import type { GapTable } from "../engine/processing/gap-table.ts";
import type { LogTable } from "../engine/processing/log-table.ts";
import { PluginFiles } from "../engine/processing/plugin-files.ts";
import { ProcessingEngine, type ProcessingCatalog } from "../engine/processing/processing-engine.ts";
import type { PluginAccess, ProcessingServices } from "../engine/processing/services.ts";
import { OpenConnections } from "../engine/processing/open-connections.ts";
import { Runs } from "../engine/processing/runs.ts";
import { TestRuns } from "../engine/processing/test-run.ts";
import type { QueryService } from "../engine/query-service.ts";
import type { Storage } from "../engine/storage.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogSink } from "../ports/log-sink.ts";
import type { PluginNetwork } from "../ports/plugin-network.ts";
import type { PluginRuntime } from "../ports/plugin-runtime.ts";
import type { PluginStore } from "../ports/plugin-store.ts";

export interface ProcessingParts {
  readonly catalog: CatalogService;
  readonly storage: Storage;
  readonly queries: QueryService;
  readonly runtime: PluginRuntime;
  readonly plugins: PluginStore;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly logs: LogTable;
  readonly gaps: GapTable;
  readonly newRunId: () => string;
  readonly limits: ProcessingLimits;
  readonly access: PluginAccess;
  readonly network: PluginNetwork;
  readonly logsConnections: boolean;
  readonly sparseRows: boolean;
}

export interface Processing {
  readonly engine: ProcessingEngine;
  readonly tests: TestRuns;
  readonly files: PluginFiles;
}

const encoder = new TextEncoder();

/** The catalog in the words of the processing engine. */
export function processingCatalog(catalog: CatalogService): ProcessingCatalog {
  return {
    database: (name) => catalog.state.databases.get(name),
    databases: () => catalog.state.databases.values(),
    createTrigger: (database, definition) => catalog.createTrigger(database, definition),
    deleteTrigger: (database, name, options) => catalog.deleteTrigger(database, name, options),
    setTriggerDisabled: (database, name, disabled) => catalog.setTriggerDisabled(database, name, disabled),
    updateTrigger: (database, name, change) => catalog.updateTrigger(database, name, change),
  };
}

export function createProcessing(parts: ProcessingParts): Processing {
  const { catalog, storage, queries } = parts;
  const services: Omit<ProcessingServices, "disable"> = {
    ...parts,
    runs: new Runs(parts.newRunId),
    connections: new OpenConnections(parts.clock),
    globalCache: new GlobalCache(parts.clock, GLOBAL_CACHE_BYTES_MAX),
    storage: {
      get headSequence() {
        return storage.headSequence;
      },
      feed: storage.feed,
      commitPosition: (databaseId, position) => storage.commitPosition(databaseId, position),
      async write({ database, lines, noSync, origin, position }) {
        const known = catalog.state.databases.has(database);
        const { linesWritten } = await storage.write({ database, body: encoder.encode(lines), precision: "nanosecond", acceptPartial: false, noSync, origin, position });
        if (!known) tellNewDatabase(parts, database, origin);
        return linesWritten;
      },
      onCommitted: (listener) => storage.onCommitted(listener),
    },
    table: (databaseId, tableId) => liveTable(catalog, databaseId, tableId),
    query: ({ database, sql, parameters, rowsMax, bytesMax }) => queries.queryTableBatch({ database, sql, parameters: new Map(parameters), confined: true }, { rowsMax, bytesMax }),
  };
  const engine = new ProcessingEngine(services, processingCatalog(catalog));
  catalog.onChange((op) => {
    if (op.kind === "delete-database") void engine.databaseDeleted(op.id);
  });
  return { engine, tests: new TestRuns(services, catalog), files: new PluginFiles(writtenThrough(parts.plugins, () => engine.codeChanged()), processingCatalog(catalog)) };
}

/** Databases are few (spec: processing-engine §11): a plugin that makes one by writing to it is not to go unseen. */
function tellNewDatabase({ catalog, log, logs }: ProcessingParts, database: string, origin: string): void {
  const [databaseId, triggerId] = origin.split("/").map(Number);
  const source = catalog.state.databasesById.get(databaseId ?? -1);
  const trigger = [...(source?.triggers.values() ?? [])].find(({ id }) => id === triggerId);
  const text = `a write of this trigger created the database '${database}'`;
  logs.add({ key: origin, trigger: trigger?.name ?? "", database: source?.name ?? "" }, "WARN", text);
  log.log("warn", text, { trigger: trigger?.name, database: source?.name });
}

/** Columns in creation order, `time` last (design §8.13). */
function liveTable(catalog: CatalogService, databaseId: number, tableId: number): { name: string; columns: string[] } | undefined {
  const table = catalog.state.tablesById.get(tableId);
  if (table === undefined || table.deleted || table.databaseId !== databaseId) return undefined;
  const names = table.columns.map((column) => column.name).filter((name) => name !== "time");
  return { name: table.name, columns: [...names, "time"] };
}

/** The store, with a word to `onWritten` after each write. */
function writtenThrough(plugins: PluginStore, onWritten: () => void): Pick<PluginStore, "load" | "write" | "replaceFolder"> {
  return {
    load: (name) => plugins.load(name),
    write: (name, content) => plugins.write(name, content).finally(onWritten),
    replaceFolder: (name, files) => plugins.replaceFolder(name, files).finally(onWritten),
  };
}
