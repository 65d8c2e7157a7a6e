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
