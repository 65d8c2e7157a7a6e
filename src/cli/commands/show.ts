import { Client } from "../client.ts";
import type { Command, CommandContext } from "../command.ts";
import { CLIENT_FLAGS, FORMAT_FLAG } from "../common-flags.ts";
import { printRows } from "../print-rows.ts";

/** Spec: cli §7. */
export const showDatabases: Command = {
  summary: "List the databases",
  flags: [{ name: "show-deleted", summary: "Deleted ones too" }, FORMAT_FLAG, ...CLIENT_FLAGS],
  examples: [{ note: "As JSON", line: "influxdb3 show databases --format json" }],
  async run({ arguments: given, terminal }) {
    const format = (given.text("format") ?? "pretty").toLowerCase();
    const response = await new Client(given, terminal).call({
      method: "GET",
      path: "/api/v3/configure/database",
      query: { format, show_deleted: String(given.isSet("show-deleted")) },
    });
    await printRows(terminal, response, format);
  },
};

/** Spec: cli §7. */
export const showPlugins: Command = {
  summary: "List the plugin files of the triggers",
  flags: [FORMAT_FLAG, ...CLIENT_FLAGS],
  examples: [{ note: "Print the plugin files", line: "influxdb3 show plugins" }],
  run: (context) => printInternalTable(context, "plugin_files"),
};

const DAY_NS = "86400000000000";
const HOUR_NS = "3600000000000";
const MINUTE_NS = "60000000000";
const SECOND_NS = "1000000000";

/** The largest unit that divides it, as the reference prints it. */
const RETENTION_TEXT = `CASE WHEN retention_period_ns IS NULL THEN 'infinite' ${[[DAY_NS, "d"], [HOUR_NS, "h"], [MINUTE_NS, "m"], [SECOND_NS, "s"]]
  .map(([ns, unit]) => `WHEN retention_period_ns % ${ns} = 0 THEN concat(CAST(retention_period_ns / ${ns} AS VARCHAR), '${unit}')`)
  .join(" ")} ELSE concat(CAST(retention_period_ns AS VARCHAR), 'ns') END`;

/** Spec: cli §7. */
export const showRetention: Command = {
  summary: "List the retention periods of the databases",
  flags: [{ name: "database", value: "NAME", summary: "Only this database" }, FORMAT_FLAG, ...CLIENT_FLAGS],
  examples: [{ note: "All of them", line: "influxdb3 show retention" }],
  async run({ arguments: given, terminal }) {
    const format = (given.text("format") ?? "pretty").toLowerCase();
    const database = given.text("database");
    const q = `SELECT database_name, ${RETENTION_TEXT} AS retention_period FROM system.databases WHERE deleted = false${database === undefined ? "" : " AND database_name = $database"} ORDER BY database_name`;
    const json = { db: "_internal", q, format, ...(database === undefined ? {} : { params: { database } }) };
    await printRows(terminal, await new Client(given, terminal).call({ method: "POST", path: "/api/v3/query_sql", json }), format);
  },
};

/** Ours. */
export const showPackages: Command = {
  summary: "List the Python packages that are installed for plugins",
  flags: [FORMAT_FLAG, ...CLIENT_FLAGS],
  examples: [{ note: "As JSON", line: "influxdb3 show packages --format json" }],
  run: (context) => printInternalTable(context, "plugin_packages"),
};

/** Spec: cli §7. */
export const showTokens: Command = {
  summary: "List the tokens by name, with their hashes",
  flags: [FORMAT_FLAG, ...CLIENT_FLAGS],
  examples: [{ note: "As JSON", line: "influxdb3 show tokens --format json" }],
  run: (context) => printInternalTable(context, "tokens"),
};

async function printInternalTable({ arguments: given, terminal }: CommandContext, table: string): Promise<void> {
  const format = (given.text("format") ?? "pretty").toLowerCase();
  const json = { db: "_internal", q: `SELECT * FROM system.${table}`, format };
  await printRows(terminal, await new Client(given, terminal).call({ method: "POST", path: "/api/v3/query_sql", json }), format);
}
