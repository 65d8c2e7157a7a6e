import { Client } from "../client.ts";
import type { Command } from "../command.ts";
import { CLIENT_FLAGS, checkRetention, DATABASE_FLAG } from "../common-flags.ts";

const TYPES = ["int64", "uint64", "float64", "utf8", "bool"];

/** The reference's texts (spec: cli §4). */
function checkFields(text: string): string | undefined {
  for (const field of text.split(",")) {
    const colon = field.lastIndexOf(":");
    if (colon < 0) return `invalid FIELD:VALUE. No \`:\` found in \`${field}\``;
    const type = field.slice(colon + 1);
    if (!TYPES.includes(type)) return `${type} is not a valid data type, values are int64, uint64, float64, utf8, and bool`;
  }
  return undefined;
}

function fieldOf(text: string): { name: string; type: string } {
  const colon = text.lastIndexOf(":");
  return { name: text.slice(0, colon), type: text.slice(colon + 1) };
}

/** Spec: cli §4. */
export const createTable: Command = {
  summary: "Create a table with its columns",
  details: "Not needed before writing: a write creates the table and the columns it names.",
  arguments: [{ name: "TABLE_NAME", summary: "Name of the table", required: true }],
  flags: [
    DATABASE_FLAG,
    { name: "tags", value: "TAG,…", summary: "Tag columns, in the order of the series key", repeat: "values" },
    {
      name: "fields",
      short: "f",
      value: "NAME:TYPE,…",
      summary: `Field columns; a type is one of ${TYPES.join(", ")}`,
      repeat: "values",
      check: checkFields,
    },
    { name: "retention-period", value: "DURATION", summary: "How long rows are kept, such as 30d; without it: as the database says", check: checkRetention },
    ...CLIENT_FLAGS,
  ],
  examples: [
    {
      note: "Two tags, two fields",
      line: "influxdb3 create table --tags room,sensor --fields temp:float64,hum:int64 --database my_database home",
    },
  ],
  async run({ arguments: given, terminal }) {
    const table = given.requiredArgument("TABLE_NAME");
    const db = given.requiredText("database");
    const period = given.text("retention-period");
    const retention = period === undefined || period === "none" ? {} : { retention_period: period };
    await new Client(given, terminal).call({
      method: "POST",
      path: "/api/v3/configure/table",
      json: { db, table, tags: given.list("tags"), fields: given.list("fields").map(fieldOf), ...retention },
    });
    await terminal.stdout(`Table "${db}"."${table}" created successfully\n`);
  },
};
