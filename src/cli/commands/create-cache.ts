/** `create last_cache` and `create distinct_cache` (spec: cli §4). */
import { parseDuration } from "../../core/config/humantime.ts";
import { isDatabaseError } from "../../core/errors/database-error.ts";
import { Client, readText } from "../client.ts";
import type { Command, CommandContext, FlagSpec } from "../command.ts";
import { checkPositive, CLIENT_FLAGS, DATABASE_FLAG } from "../common-flags.ts";

const ANSWER_SIZE_MAX = 1_048_576;
const NAME = { name: "NAME", summary: "Name of the cache; without one it is made from the table and the columns" } as const;

export const TABLE_FLAG: FlagSpec = { name: "table", short: "t", value: "TABLE", summary: "The table of the cache", required: true };

const checkDuration = (value: string): string | undefined => (parseDuration(value) === undefined ? "expected a number and a unit, as in 30m or 4h" : undefined);
const secondsOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number((parseDuration(text) as bigint) / 1_000_000_000n));
const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
const listOf = (names: readonly string[]): readonly string[] | undefined => (names.length === 0 ? undefined : names);

export const createLastCache: Command = {
  summary: "Create a last value cache",
  details: "It keeps the newest rows of each key in memory. Read it with: SELECT * FROM last_cache('TABLE', 'NAME')",
  arguments: [NAME],
  flags: [
    DATABASE_FLAG,
    TABLE_FLAG,
    { name: "key-columns", value: "COLUMN,…", summary: "Columns of the key; default: all tags", repeat: "flag" },
    { name: "value-columns", value: "COLUMN,…", summary: "Columns that are kept; default: all others", repeat: "flag" },
    { name: "count", value: "ROWS", summary: "Rows kept for each key", defaultText: "1", check: checkPositive },
    { name: "ttl", value: "DURATION", summary: "How long a row stays", defaultText: "4h", check: checkDuration },
    ...CLIENT_FLAGS,
  ],
  examples: [{ note: "Keep the last row of each host for a day", line: "influxdb3 create last_cache -d my_database -t cpu --key-columns host --ttl 1d cpu_hosts" }],
  run: ({ arguments: given, terminal }) =>
    create({ arguments: given, terminal }, "/api/v3/configure/last_cache", {
      key_columns: listOf(given.list("key-columns")),
      value_columns: listOf(given.list("value-columns")),
      count: numberOf(given.text("count")),
      ttl: secondsOf(given.text("ttl")),
    }),
};

export const createDistinctCache: Command = {
  summary: "Create a distinct value cache",
  details: "It keeps the combinations of values of some columns in memory. Read it with: SELECT * FROM distinct_cache('TABLE', 'NAME')",
  arguments: [NAME],
  flags: [
    DATABASE_FLAG,
    TABLE_FLAG,
    { name: "columns", value: "COLUMN,…", summary: "Tags and strings, in the order of the levels", required: true, repeat: "flag" },
    { name: "max-cardinality", value: "COUNT", summary: "Combinations kept", defaultText: "100000", check: checkPositive },
    { name: "max-age", value: "DURATION", summary: "Older combinations go, by the time of their newest row", defaultText: "1d", check: checkDuration },
    ...CLIENT_FLAGS,
  ],
  examples: [{ note: "Keep which rooms each building has", line: "influxdb3 create distinct_cache -d my_database -t home --columns building,room rooms" }],
  run: ({ arguments: given, terminal }) =>
    create({ arguments: given, terminal }, "/api/v3/configure/distinct_cache", {
      columns: given.list("columns"),
      max_cardinality: numberOf(given.text("max-cardinality")),
      max_age: secondsOf(given.text("max-age")),
    }),
};

async function create({ arguments: given, terminal }: CommandContext, path: string, parameters: Readonly<Record<string, unknown>>): Promise<void> {
  const json = { db: given.requiredText("database"), table: given.requiredText("table"), name: given.argument("NAME"), ...parameters };
  try {
    const response = await new Client(given, terminal).call({ method: "POST", path, json });
    const made: unknown = JSON.parse(await readText(response.body, ANSWER_SIZE_MAX));
    await terminal.stdout(`new cache created: ${JSON.stringify(made, undefined, 2)}\n`);
  } catch (error) {
    // The server hints when the existing cache has other parameters; then it is not what was asked for.
    if (!isDatabaseError(error) || error.details?.["status"] !== 409 || error.hint !== undefined) throw error;
    await terminal.stdout("a cache already exists for the provided parameters\n");
  }
}
