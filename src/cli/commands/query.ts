import { DatabaseError } from "../../core/errors/database-error.ts";
import { type Call, Client } from "../client.ts";
import type { Command, CommandContext } from "../command.ts";
import { checkUrl, CLIENT_FLAGS, DATABASE_FLAG, FORMAT_FLAG } from "../common-flags.ts";
import { readTextInput } from "../input.ts";
import { waitingProgress } from "../progress.ts";
import { checkBinaryOutput, printRows, saveRows } from "../print-rows.ts";

/** Spec: cli §11. */
export const query: Command = {
  summary: "Query with SQL",
  details: "The query is the argument, else --file, else what is piped in.",
  arguments: [{ name: "QUERY", summary: "The SQL text" }],
  flags: [
    DATABASE_FLAG,
    {
      name: "language",
      short: "l",
      value: "LANGUAGE",
      summary: "The query language",
      choices: ["sql", "influxql"],
      defaultText: "sql",
    },
    FORMAT_FLAG,
    { name: "output", short: "o", value: "FILE", summary: "Write the rows to this file" },
    { name: "file", short: "f", value: "FILE", summary: "Read the query from this file" },
    {
      name: "query-host",
      value: "URL",
      summary: "The server to query, beats --host",
      env: ["INFLUXDB3_QUERY_HOST_URL"],
      check: checkUrl,
      hidden: true,
    },
    ...CLIENT_FLAGS,
  ],
  examples: [
    { note: "Print rows as a table", line: "influxdb3 query --database my_database 'SELECT * FROM home'" },
    { note: "Save rows as CSV", line: "influxdb3 query -d my_database --format csv -o home.csv 'SELECT * FROM home'" },
    { note: "Pipe a query in", line: "cat report.sql | influxdb3 query -d my_database --format json" },
  ],
  run: runQuery,
};

async function runQuery({ arguments: given, terminal }: CommandContext): Promise<void> {
  const format = (given.text("format") ?? "pretty").toLowerCase();
  const output = given.text("output");
  checkBinaryOutput(terminal, format, output);
  const text = await readTextInput(terminal, given.argument("QUERY"), given.text("file"));
  if (text === undefined) {
    throw new DatabaseError("cli.failed", {
      // Two blanks after the second comma, as in the reference.
      message: "No input from stdin detected, no string was passed in,  and no file path was given",
      hint: "pass the query as an argument: influxdb3 query --database <NAME> 'SELECT …'",
    });
  }
  const language = (given.text("language") ?? "sql").toLowerCase();
  const waiting = waitingProgress(terminal, "Running");
  const call: Call = {
    method: "POST",
    path: language === "sql" ? "/api/v3/query_sql" : "/api/v3/query_influxql",
    json: { db: given.requiredText("database"), q: text, format },
  };
  const response = await new Client(given, terminal, "query-host").call(call).finally(() => waiting.end());
  if (output === undefined) await printRows(terminal, response, format);
  else await saveRows(terminal, response, output);
}
