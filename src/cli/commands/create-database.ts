import { Client } from "../client.ts";
import type { Command } from "../command.ts";
import { CLIENT_FLAGS, checkRetention } from "../common-flags.ts";

/** Spec: cli §4. */
export const createDatabase: Command = {
  summary: "Create a database",
  arguments: [
    { name: "DATABASE_NAME", summary: "Letters, digits, '_' and '-'", required: true, env: ["INFLUXDB3_DATABASE_NAME"] },
  ],
  flags: [
    {
      name: "retention-period",
      value: "DURATION",
      summary: "How long rows are kept, such as 30d; without it: for ever",
      check: checkRetention,
    },
    ...CLIENT_FLAGS,
  ],
  examples: [
    { note: "Create a database", line: "influxdb3 create database my_database" },
    { note: "Keep rows for 30 days", line: "influxdb3 create database --retention-period 30d my_database" },
  ],
  async run({ arguments: given, terminal }) {
    const name = given.requiredArgument("DATABASE_NAME");
    const period = given.text("retention-period");
    await new Client(given, terminal).call({
      method: "POST",
      path: "/api/v3/configure/database",
      json: { db: name, ...(period === undefined || period === "none" ? {} : { retention_period: period }) },
    });
    await terminal.stdout(`Database "${name}" created successfully\n`);
  },
};
