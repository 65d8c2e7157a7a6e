/** The processing engine's tables of the `system` schema (spec: processing-engine §17). */
import { parseTriggerSpecification, triggerSpecificationJson } from "../../core/trigger/specification.ts";
import type { ColumnType } from "../../core/columns/column-type.ts";
import type { LogTable } from "./log-table.ts";
import type { ProcessingCatalog } from "./processing-engine.ts";

export interface SystemTable {
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  /** Cells by the column's type: bigint for time and integers, string, boolean, number. */
  readonly rows: readonly (readonly unknown[])[];
}

const NAMES = ["processing_engine_logs", "processing_engine_trigger_arguments", "processing_engine_triggers"] as const;

const text = (name: string): { name: string; type: ColumnType } => ({ name, type: "utf8" });

export class ProcessingSystemTables {
  readonly #catalog: ProcessingCatalog;
  readonly #logs: LogTable;

  constructor(catalog: ProcessingCatalog, logs: LogTable) {
    this.#catalog = catalog;
    this.#logs = logs;
  }

  names(_database: string): readonly string[] {
    return NAMES;
  }

  table(database: string, name: string): SystemTable | undefined {
    switch (name) {
      case "processing_engine_logs":
        return this.#logRows();
      case "processing_engine_triggers":
        return this.#triggers(database);
      case "processing_engine_trigger_arguments":
        return this.#arguments(database);
      default:
        return undefined;
    }
  }

  /** The same rows from every database, as the reference has it. */
  #logRows(): SystemTable {
    return {
      columns: [{ name: "event_time", type: "time" }, text("trigger_name"), text("log_level"), text("log_text")],
      rows: this.#logs.rows().map((row) => [row.timeNs, row.triggerName, row.level, row.text]),
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

  #arguments(database: string): SystemTable {
    const triggers = [...(this.#catalog.database(database)?.triggers.values() ?? [])];
    return {
      columns: [text("trigger_name"), text("argument_key"), text("argument_value")],
      rows: triggers.flatMap((trigger) => (trigger.arguments ?? []).map(([key, value]) => [trigger.name, key, value])),
    };
  }
}
