/** The processing engine's tables of the `system` schema (spec: processing-engine §17). */
import { formatGrant, GRANT_NAMES } from "../../core/trigger/grants.ts";
import { formatLimit, LIMIT_NAMES } from "../../core/trigger/limits.ts";
import { parseTriggerSpecification, triggerSpecificationJson } from "../../core/trigger/specification.ts";
import type { TriggerDefinition } from "../../core/catalog/definitions.ts";
import type { ColumnType } from "../../core/columns/column-type.ts";
import type { PluginStore } from "../../ports/plugin-store.ts";
import type { GapTable } from "./gap-table.ts";
import { limitOf } from "./limits.ts";
import type { LogTable } from "./log-table.ts";
import type { ProcessingCatalog, TriggerState } from "./processing-engine.ts";
import { type SettingDefaults, settingsOf } from "./trigger-settings.ts";

export interface SystemTable {
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  /** Cells by the column's type: bigint for time and integers, string, boolean, number. */
  readonly rows: readonly (readonly unknown[])[];
}

const NAMES = [
  "processing_engine_gaps", "processing_engine_logs", "processing_engine_trigger_arguments", "processing_engine_trigger_settings",
  "processing_engine_trigger_status", "processing_engine_triggers",
] as const;

/** Server-wide tables stand in this database only. */
const INTERNAL = "_internal";
const INTERNAL_NAMES = ["plugin_files", ...NAMES] as const;

const text = (name: string): { name: string; type: ColumnType } => ({ name, type: "utf8" });

const whole = (name: string): { name: string; type: ColumnType } => ({ name, type: "int64" });
const real = (name: string): { name: string; type: ColumnType } => ({ name, type: "float64" });

export interface SystemTableParts {
  readonly catalog: ProcessingCatalog;
  readonly logs: LogTable;
  readonly gaps: GapTable;
  readonly plugins: Pick<PluginStore, "files">;
  readonly defaults: SettingDefaults;
  /** Of the triggers that run. */
  readonly states: () => readonly TriggerState[];
}

export class ProcessingSystemTables {
  readonly #catalog: ProcessingCatalog;
  readonly #logs: LogTable;
  readonly #gaps: GapTable;
  readonly #plugins: Pick<PluginStore, "files">;
  readonly #defaults: SettingDefaults;
  readonly #states: () => readonly TriggerState[];
  /** As the last `prepare()` found them. */
  #pluginFiles: SystemTable["rows"] = [];

  constructor({ catalog, logs, gaps, plugins, defaults, states }: SystemTableParts) {
    this.#catalog = catalog;
    this.#logs = logs;
    this.#gaps = gaps;
    this.#plugins = plugins;
    this.#defaults = defaults;
    this.#states = states;
  }

  names(database: string): readonly string[] {
    return database === INTERNAL ? INTERNAL_NAMES : NAMES;
  }

  /** Lists the plugin files, which only queries of `_internal` can see. */
  async prepare(database: string): Promise<void> {
    if (database !== INTERNAL) return;
    const rows: (readonly unknown[])[] = [];
    for (const { triggers } of this.#catalog.databases()) {
      for (const { name, pluginFileName } of triggers.values()) {
        for (const file of await this.#plugins.files(pluginFileName)) {
          rows.push([name, file.fileName, file.filePath, BigInt(file.sizeBytes), BigInt(file.modifiedMs)]);
        }
      }
    }
    this.#pluginFiles = rows;
  }

  /** `confined`: asked by a plugin, which must not learn of databases that it was not granted. */
  table(database: string, name: string, confined?: boolean): SystemTable | undefined {
    switch (name) {
      case "processing_engine_logs":
        return this.#logRows(confined === true && database !== INTERNAL ? database : undefined);
      case "processing_engine_gaps":
        return this.#gapRows(database);
      case "processing_engine_triggers":
        return this.#triggers(database);
      case "processing_engine_trigger_arguments":
        return this.#arguments(database);
      case "processing_engine_trigger_status":
        return this.#status(database);
      case "processing_engine_trigger_settings":
        return this.#settings(database);
      case "plugin_files":
        return database === INTERNAL ? this.#files() : undefined;
      default:
        return undefined;
    }
  }

  /** The same rows from every database, as the reference has it. */
  #logRows(only: string | undefined): SystemTable {
    const rows = this.#logs.rows().filter((row) => only === undefined || row.database === only);
    return {
      columns: [{ name: "event_time", type: "time" }, text("trigger_name"), text("log_level"), text("log_text"), text("database"), text("traceback"), text("run_id")],
      rows: rows.map((row) => [row.timeNs, row.triggerName, row.level, row.text, row.database, row.traceback, row.runId]),
    };
  }

  /** What the database's triggers did not get: ours. */
  #gapRows(database: string): SystemTable {
    return {
      columns: [{ name: "event_time", type: "time" }, text("trigger_name"), whole("from_sequence"), whole("to_sequence"), whole("rows")],
      rows: this.#gaps.rows().filter((gap) => gap.database === database).map((gap) => [gap.timeNs, gap.trigger, BigInt(gap.from), BigInt(gap.to), gap.rows === undefined ? undefined : BigInt(gap.rows)]),
    };
  }

  #triggers(database: string): SystemTable {
    const triggers = [...(this.#catalog.database(database)?.triggers.values() ?? [])];
    return {
      columns: [text("trigger_name"), text("plugin_filename"), text("trigger_specification"), { name: "disabled", type: "bool" }, text("error_behavior")],
      rows: triggers.map((trigger) => [
        trigger.name,
        trigger.pluginFileName,
        triggerSpecificationJson(parseTriggerSpecification(trigger.specification)),
        trigger.disabled,
        trigger.errorBehavior,
      ]),
    };
  }

  /** Ours: what each trigger has done since it was started, and what it is doing. */
  #status(database: string): SystemTable {
    const states = new Map(this.#states().filter((state) => state.database === database).map((state) => [state.trigger, state]));
    return {
      columns: [
        text("trigger_name"), text("state"), { name: "run_async", type: "bool" }, { name: "durable", type: "bool" },
        ...["runs", "failures", "retries", "kills", "running", "queue_depth", "lag_rows"].map(whole), real("lag_seconds"),
        ...["rows_in", "rows_out", "rows_lost", "memory_bytes", "instances"].map(whole), real("duration_seconds_p50"), real("duration_seconds_p99"),
        text("last_error"), { name: "last_error_time", type: "time" },
      ],
      rows: [...(this.#catalog.database(database)?.triggers.values() ?? [])].map((trigger) => statusRow(trigger, states.get(trigger.name))),
    };
  }

  #arguments(database: string): SystemTable {
    const triggers = [...(this.#catalog.database(database)?.triggers.values() ?? [])];
    return {
      columns: [text("trigger_name"), text("argument_key"), text("argument_value")],
      rows: triggers.flatMap((trigger) => (trigger.arguments ?? []).map(([key, value]) => [trigger.name, key, value])),
    };
  }

  /** Ours: every limit and grant as it is in force, and whether it is the trigger's own. */
  #settings(database: string): SystemTable {
    const triggers = [...(this.#catalog.database(database)?.triggers.values() ?? [])];
    return {
      columns: [text("trigger_name"), text("kind"), text("name"), text("value"), text("source")],
      rows: triggers.flatMap((trigger) => {
        const { limits, grants } = settingsOf(this.#defaults, trigger);
        const row = (kind: "limit" | "grant", name: string, value: string, own: boolean): readonly string[] => [trigger.name, kind, name, value, own ? "trigger" : "server"];
        return [
          ...LIMIT_NAMES.map((name) => row("limit", name, formatLimit(name, limitOf(limits, name)), trigger.limits?.[name] !== undefined)),
          ...GRANT_NAMES.map((name) => row("grant", name, formatGrant(grants, name), trigger.grants?.[name] !== undefined)),
        ];
      }),
    };
  }

  #files(): SystemTable {
    return {
      columns: [text("plugin_name"), text("file_name"), text("file_path"), { name: "size_bytes", type: "int64" }, { name: "last_modified", type: "int64" }],
      rows: this.#pluginFiles,
    };
  }
}

/** `failed`: enabled, but it could not be started; the log says why. */
function statusRow(trigger: TriggerDefinition, state: TriggerState | undefined): readonly unknown[] {
  const head = [trigger.name, state !== undefined ? "running" : trigger.disabled ? "disabled" : "failed", trigger.runAsync, trigger.durable === true];
  if (state === undefined) return [...head, ...new Array<undefined>(17).fill(undefined)];
  const { counters, lag } = state;
  const counts = (...values: number[]): bigint[] => values.map(BigInt);
  const quantile = (share: number): number | undefined => (counters.durations.count === 0 ? undefined : counters.durations.quantile(share));
  return [
    ...head,
    ...counts(counters.runs, counters.errors, counters.retries, counters.stopped, counters.running, state.queueDepth, lag.rows), lag.seconds,
    ...counts(counters.rows, counters.linesWritten, counters.rowsLost, state.memoryBytes, state.instances), quantile(0.5), quantile(0.99),
    counters.lastError, counters.lastErrorNs,
  ];
}
