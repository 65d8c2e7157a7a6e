import { DatabaseError } from "../../core/errors/database-error.ts";
import { Client } from "../client.ts";
import type { Command } from "../command.ts";
import { CLIENT_FLAGS, checkRetention, DATABASE_FLAG } from "../common-flags.ts";

/** As the reference's Enterprise edition has it. */
export const updateTable: Command = {
  summary: "Change how long a table keeps its rows",
  details: "A table's own period beats that of its database.",
  arguments: [{ name: "TABLE_NAME", summary: "The table to change", required: true }],
  flags: [
    DATABASE_FLAG,
    { name: "retention-period", short: "r", value: "DURATION", summary: "Such as 30d; none: as the database says", check: checkRetention },
    ...CLIENT_FLAGS,
  ],
  examples: [{ note: "Keep rows for a week", line: "influxdb3 update table --database my_database --retention-period 7d home" }],
  async run({ arguments: given, terminal }) {
    const period = given.text("retention-period");
    if (period === undefined) throw new DatabaseError("cli.failed", { message: "--retention-period is required for update table" });
    const [db, table] = [given.requiredText("database"), given.requiredArgument("TABLE_NAME")];
    await new Client(given, terminal).call({
      method: "PUT",
      path: "/api/v3/configure/table",
      json: { db, table, retention_period: period === "none" ? null : period },
    });
    await terminal.stdout(`Table "${db}"."${table}" updated successfully\n`);
  },
};
