import { neutralLines } from "../../core/text/neutral.ts";
import { Client, readText } from "../client.ts";
import type { Command, CommandContext } from "../command.ts";
import { checkPositive, CLIENT_FLAGS, DATABASE_FLAG } from "../common-flags.ts";

const DEFAULT_ROWS = 100;
const POLL_MS = 500;
/** Rows of one poll: what a trigger logs beyond is skipped with a line that says so. */
const POLL_ROWS_MAX = 10_000;
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;

interface Row {
  readonly event_time: string;
  readonly ns: number | string;
  readonly trigger_name: string;
  readonly log_level: string;
  readonly log_text: string;
}

/** Ours; the reference has the system table only. */
export const logs: Command = {
  summary: "Print what the triggers of a database logged",
  details: "Rows are in memory: the newest of each trigger, until the server ends.",
  flags: [
    DATABASE_FLAG,
    { name: "trigger", short: "t", value: "NAME", summary: "Only this trigger" },
    { name: "level", value: "LEVEL", summary: "Only rows of this level or above", choices: ["info", "warn", "error"], defaultText: "info" },
    { name: "lines", short: "n", value: "COUNT", summary: "The last rows only", defaultText: String(DEFAULT_ROWS), check: checkPositive },
    { name: "follow", short: "f", summary: "Go on printing as rows come, until Ctrl-C" },
    ...CLIENT_FLAGS,
  ],
  examples: [
    { note: "What did a trigger log last?", line: "influxdb3 logs --database my_database --trigger first_light" },
    { note: "Watch it", line: "influxdb3 logs -d my_database --trigger first_light --follow" },
  ],
  async run(context) {
    const { arguments: given } = context;
    const last = await print(context, undefined, Number(given.text("lines") ?? DEFAULT_ROWS));
    let seen = last ?? "0";
    while (given.isSet("follow")) {
      await context.terminal.pause(POLL_MS);
      seen = (await print(context, seen, POLL_ROWS_MAX)) ?? seen;
    }
  },
};

/** The newest rows, oldest first; returns the time of the last one. */
async function print(context: CommandContext, after: string | undefined, rowsMax: number): Promise<string | undefined> {
  const rows = await read(context, after, rowsMax);
  for (const row of rows) await context.terminal.stdout(`${row.event_time} ${row.log_level.padEnd(5)} ${row.trigger_name}: ${neutralLines(row.log_text)}\n`);
  if (after !== undefined && rows.length === rowsMax) context.terminal.stderr(`(more than ${rowsMax} rows came at once; the oldest of them are not shown)\n`);
  const last = rows.at(-1);
  return last === undefined ? undefined : String(last.ns);
}

async function read({ arguments: given, terminal }: CommandContext, after: string | undefined, rowsMax: number): Promise<readonly Row[]> {
  const trigger = given.text("trigger");
  const levels = { info: ["INFO", "WARN", "ERROR"], warn: ["WARN", "ERROR"], error: ["ERROR"] }[(given.text("level") ?? "info").toLowerCase()] ?? [];
  const conditions = [
    `database = $database`,
    `log_level IN (${levels.map((level) => `'${level}'`).join(", ")})`,
    ...(trigger === undefined ? [] : ["trigger_name = $trigger"]),
    ...(after === undefined ? [] : [`CAST(event_time AS BIGINT) > ${after}`]),
  ];
  const db = given.requiredText("database");
  const sql = `SELECT event_time, CAST(CAST(event_time AS BIGINT) AS VARCHAR) AS ns, trigger_name, log_level, log_text FROM system.processing_engine_logs WHERE ${conditions.join(" AND ")} ORDER BY event_time DESC LIMIT ${rowsMax}`;
  const response = await new Client(given, terminal).call({
    method: "POST",
    path: "/api/v3/query_sql",
    json: { db, q: sql, format: "json", params: { database: db, ...(trigger === undefined ? {} : { trigger }) } },
  });
  return (JSON.parse(await readText(response.body, ANSWER_BYTES_MAX)) as Row[]).reverse();
}
