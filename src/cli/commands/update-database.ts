import { DatabaseError } from "../../core/errors/database-error.ts";
import { Client } from "../client.ts";
import type { Command } from "../command.ts";
import { CLIENT_FLAGS, checkRetention, DATABASE_FLAG } from "../common-flags.ts";

/** Spec: cli §8. */
export const updateDatabase: Command = {
  summary: "Change how long a database keeps its rows",
  flags: [
    DATABASE_FLAG,
    {
      name: "retention-period",
      short: "r",
      value: "DURATION",
      summary: "Such as 30d; none: for ever",
      check: checkRetention,
    },
    ...CLIENT_FLAGS,
  ],
  examples: [{ note: "Keep rows for a week", line: "influxdb3 update database --database my_database --retention-period 7d" }],
  async run({ arguments: given, terminal }) {
    const period = given.text("retention-period");
    if (period === undefined) {
      throw new DatabaseError("cli.failed", { message: "--retention-period is required for update database" });
    }
    const db = given.requiredText("database");
    await new Client(given, terminal).call({
      method: "PUT",
      path: "/api/v3/configure/database",
      json: { db, retention_period: period === "none" ? null : period },
    });
    await terminal.stdout(`Database "${db}" updated successfully\n`);
  },
};
