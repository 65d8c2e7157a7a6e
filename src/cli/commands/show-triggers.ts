import { Client } from "../client.ts";
import type { Command } from "../command.ts";
import { CLIENT_FLAGS, DATABASE_FLAG, FORMAT_FLAG } from "../common-flags.ts";
import { printRows } from "../print-rows.ts";

/** Limits and grants as the flags of `create trigger` write them, their own ones only unless --all. */
const settings = (kind: string, all: boolean): string => `(
  SELECT trigger_name, string_agg(name || '=' || value, ' ' ORDER BY name) AS ${kind}s FROM system.processing_engine_trigger_settings
  WHERE kind = '${kind}' AND value <> ''${all ? "" : " AND source = 'trigger'"} GROUP BY trigger_name)`;

const query = (all: boolean): string => `SELECT t.trigger_name, t.plugin_filename, t.trigger_specification, s.state, s.run_async, s.durable, t.error_behavior, s.runs, s.failures, s.lag_rows, s.last_error, l.limits, g.grants
  FROM system.processing_engine_triggers AS t LEFT JOIN system.processing_engine_trigger_status AS s ON s.trigger_name = t.trigger_name LEFT JOIN ${settings("limit", all)} AS l ON l.trigger_name = t.trigger_name
  LEFT JOIN ${settings("grant", all)} AS g ON g.trigger_name = t.trigger_name ORDER BY t.trigger_name`;

/** Ours; the reference has the system tables only. */
export const showTriggers: Command = {
  summary: "List the triggers of a database: what they do, how they fare, their limits and grants",
  flags: [DATABASE_FLAG, { name: "all", summary: "Limits and grants that come from the server's defaults too" }, FORMAT_FLAG, ...CLIENT_FLAGS],
  examples: [{ note: "What may the plugins of this database use and reach?", line: "influxdb3 show triggers --database my_database --all" }],
  async run({ arguments: given, terminal }) {
    const format = (given.text("format") ?? "pretty").toLowerCase();
    const response = await new Client(given, terminal).call({
      method: "POST",
      path: "/api/v3/query_sql",
      json: { db: given.requiredText("database"), q: query(given.isSet("all")), format },
    });
    await printRows(terminal, response, format);
  },
};
