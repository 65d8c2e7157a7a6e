/**
 * The system tables as a plugin's query sees them: rows about its database's own triggers only. The log of the processing
 * engine shows everything to people (the reference has it so); a plugin must not learn of databases it was not granted.
 */
import type { SystemTable, SystemTableSource } from "./query-tables.ts";

const LOGS = "processing_engine_logs";
const TRIGGER_COLUMN = "trigger_name";

/** `hasTrigger`: whether the database has a trigger of this name. */
export function guestTables(source: SystemTableSource, hasTrigger: (database: string, trigger: string) => boolean): SystemTableSource {
  return {
    names: (database) => source.names(database),
    ...(source.prepare === undefined ? {} : { prepare: (database: string) => source.prepare?.(database) ?? Promise.resolve() }),
    table(database, name): SystemTable | undefined {
      const table = source.table(database, name);
      if (table === undefined || name !== LOGS) return table;
      const column = table.columns.findIndex((candidate) => candidate.name === TRIGGER_COLUMN);
      return { ...table, rows: table.rows.filter((row) => hasTrigger(database, String(row[column]))) };
    },
  };
}
