import { DatabaseError } from "../../core/errors/database-error.ts";
import { Client, readText } from "../client.ts";
import type { Command, CommandContext } from "../command.ts";
import { checkPositive, CLIENT_FLAGS, DATABASE_FLAG, FORMAT_FLAG } from "../common-flags.ts";
import { nearestWord } from "../nearest.ts";
import { printRows } from "../print-rows.ts";
import { usageError } from "../usage-error.ts";

const ACTIONS = ["table-list", "table", "summary"];
const DEFAULT_ROWS = 100;
const DEFAULT_SUMMARY_ROWS = 10;
const TABLE_LIST_SIZE_MAX = 1024 * 1024;
const SYSTEM_COLUMNS = "FROM information_schema.columns WHERE table_schema = 'system'";
const TABLE_LIST = `SELECT table_name, array_agg(column_name ORDER BY column_name) AS column_names ${SYSTEM_COLUMNS} GROUP BY table_name ORDER BY table_name`;
const TABLE_NAMES = `SELECT DISTINCT table_name ${SYSTEM_COLUMNS} ORDER BY table_name`;

/** Queries that ask for these, such as this command's own, would bury the others (spec: cli §7). */
const CONDITIONS: Readonly<Record<string, string>> = {
  queries: "query_text NOT LIKE '%system.queries%' AND query_text NOT LIKE '%information_schema%'",
};

/** Default orders of the reference (spec: cli §7). */
const ORDERS: Readonly<Record<string, string>> = {
  last_caches: "count",
  parquet_files: "size_bytes",
  queries: "end2end_duration",
  distinct_caches: "max_cardinality",
};

/** Spec: cli §7. `table-list`, `table <T>` and `summary` follow the flags of `system`, or stand anywhere. */
export const showSystem: Command = {
  summary: "Print system tables",
  details: "ACTION is table-list (which tables there are), table <TABLE> (the rows of one) or summary (some rows of each).",
  arguments: [
    { name: "ACTION", summary: "table-list, table or summary", required: true },
    { name: "TABLE", summary: "With table: the system table" },
  ],
  flags: [
    DATABASE_FLAG,
    { name: "limit", short: "l", value: "ROWS", summary: "At most this many rows, 0 for all", defaultText: "100, summary 10", check: checkLimit },
    { name: "order-by", short: "o", value: "COLUMN,…", summary: "Sort by these columns", repeat: "flag", check: checkNames },
    { name: "select", short: "s", value: "COLUMN,…", summary: "Only these columns", repeat: "flag", check: checkNames },
    FORMAT_FLAG,
    ...CLIENT_FLAGS,
  ],
  examples: [
    { note: "Which system tables are there?", line: "influxdb3 show system --database my_database table-list" },
    { note: "What did the plugins log?", line: "influxdb3 show system --database my_database table processing_engine_logs" },
  ],
  async run(context) {
    const action = context.arguments.requiredArgument("ACTION");
    if (action === "table-list") return printTableList(context);
    if (action === "summary") return printSummary(context);
    if (action === "table") return printTable(context);
    const near = nearestWord(action, ACTIONS);
    throw usageError(`unrecognized subcommand '${action}'`, near === undefined ? undefined : `a similar subcommand exists: '${near}'`);
  },
};

function checkLimit(value: string): string | undefined {
  return value === "0" ? undefined : checkPositive(value);
}

function checkNames(value: string): string | undefined {
  return value.split(",").every((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name.trim())) ? undefined : "not a list of column names";
}

async function printTableList(context: CommandContext): Promise<void> {
  await printQuery(context, TABLE_LIST);
}

async function printTable(context: CommandContext): Promise<void> {
  const { arguments: given } = context;
  const table = given.argument("TABLE");
  if (table === undefined) throw usageError("the following required arguments were not provided:\n  <TABLE>");
  const tables = await systemTables(context);
  if (!tables.includes(table)) {
    const near = nearestWord(table, tables);
    throw new DatabaseError("cli.failed", {
      message: `system table '${table}' not found: please use a valid system table name: ${JSON.stringify(tables).replaceAll(",", ", ")}`,
      ...(near === undefined ? {} : { hint: `did you mean '${near}'?` }),
    });
  }
  const columns = given.list("select");
  const order = given.list("order-by");
  await printQuery(context, tableQuery(table, columns, order, Number(given.text("limit") ?? DEFAULT_ROWS)));
}

function tableQuery(table: string, columns: readonly string[], order: readonly string[], limit: number): string {
  const selected = columns.length === 0 ? "*" : columns.join(", ");
  const orderBy = order.length > 0 ? order.join(", ") : ORDERS[table];
  const where = CONDITIONS[table] === undefined ? "" : ` WHERE ${CONDITIONS[table]}`;
  return `SELECT ${selected} FROM system.${table}${where}${orderBy === undefined ? "" : ` ORDER BY ${orderBy}`}${limit === 0 ? "" : ` LIMIT ${limit}`}`;
}

async function printSummary(context: CommandContext): Promise<void> {
  const limit = Number(context.arguments.text("limit") ?? DEFAULT_SUMMARY_ROWS);
  for (const table of await systemTables(context)) {
    await context.terminal.stdout(`${table} summary:\n`);
    await printQuery(context, tableQuery(table, [], [], limit));
  }
}

async function printQuery({ arguments: given, terminal }: CommandContext, sql: string): Promise<void> {
  const format = (given.text("format") ?? "pretty").toLowerCase();
  const response = await new Client(given, terminal).call({
    method: "POST",
    path: "/api/v3/query_sql",
    json: { db: given.requiredText("database"), q: sql, format },
  });
  await printRows(terminal, response, format);
}

async function systemTables({ arguments: given, terminal }: CommandContext): Promise<readonly string[]> {
  const response = await new Client(given, terminal).call({
    method: "POST",
    path: "/api/v3/query_sql",
    json: { db: given.requiredText("database"), q: TABLE_NAMES, format: "json" },
  });
  const rows = JSON.parse(await readText(response.body, TABLE_LIST_SIZE_MAX)) as readonly { readonly table_name: string }[];
  return rows.map((row) => row.table_name);
}
