import { DatabaseError } from "../../core/errors/database-error.ts";
import { Client, readText } from "../client.ts";
import type { Command, CommandContext, FlagSpec } from "../command.ts";
import { CLIENT_FLAGS, DATABASE_FLAG, pairsFlag, pairsOf } from "../common-flags.ts";
import { readInputFile } from "../input.ts";
import { styleFor } from "../style.ts";
import { formatTestReport } from "../test-report.ts";
import { SETTING_FLAGS, settingsBody } from "../trigger-settings.ts";

/** A report holds what the plugin wrote; the server bounds it far below this. */
const REPORT_SIZE_MAX = 256 * 1024 * 1024;

const FILE_NAME = { name: "FILENAME", summary: "The plugin, a path below the server's plugin folder, or gh:PATH", required: true } as const;

const SHARED_FLAGS: readonly FlagSpec[] = [
  pairsFlag("input-arguments", "Arguments that the plugin receives"),
  { name: "cache-name", value: "NAME", summary: "Keep the plugin's cache between tests under this name", defaultText: "_shared_test" },
  {
    name: "format",
    value: "FORMAT",
    summary: "report: to read; json: everything, as the server answers",
    choices: ["report", "json"],
    defaultText: "report on a terminal, else json",
  },
  ...SETTING_FLAGS,
];

const NOTHING_IS_KEPT = "What the plugin writes is shown and not kept; its queries are real.";

/** Spec: cli §10. */
export const testWalPlugin: Command = {
  summary: "Test a plugin for writes",
  details: `The plugin runs on the server with the lines you give. ${NOTHING_IS_KEPT}`,
  arguments: [FILE_NAME],
  flags: [
    DATABASE_FLAG,
    { name: "lp", value: "LINE", summary: "Line protocol that the plugin receives" },
    { name: "file", value: "FILE", summary: "Read the line protocol from this file" },
    ...SHARED_FLAGS,
    ...CLIENT_FLAGS,
  ],
  examples: [
    {
      note: "Run a plugin on one line",
      line: "influxdb3 test wal_plugin --database my_database --lp 'home,room=kitchen temp=21.5' tutorial/process_writes.py",
    },
  ],
  run: runWalTest,
};

/** Spec: cli §10. */
export const testSchedulePlugin: Command = {
  summary: "Test a plugin for schedules",
  details: `The plugin runs on the server once, with the schedule's next time. ${NOTHING_IS_KEPT}`,
  arguments: [FILE_NAME],
  flags: [
    DATABASE_FLAG,
    { name: "schedule", value: "CRON", summary: "Six or seven fields, seconds first; or every:10s", defaultText: "* * * * * *" },
    ...SHARED_FLAGS,
    ...CLIENT_FLAGS,
  ],
  examples: [
    {
      note: "Run a plugin as at the next full hour",
      line: "influxdb3 test schedule_plugin --database my_database --schedule '0 0 * * * *' hourly.py",
    },
  ],
  run: (context) => runTest(context, "schedule", { schedule: context.arguments.text("schedule") ?? null }),
};

/** Ours: the reference cannot test request plugins. */
export const testRequestPlugin: Command = {
  summary: "Test a plugin for requests",
  details: `The plugin runs on the server with the request you give. ${NOTHING_IS_KEPT}`,
  arguments: [FILE_NAME],
  flags: [
    DATABASE_FLAG,
    pairsFlag("query", "Query parameters"),
    pairsFlag("header", "Headers"),
    { name: "body", value: "TEXT", summary: "Body of the request" },
    { name: "file", value: "FILE", summary: "Read the body from this file", conflictsWith: "body" },
    ...SHARED_FLAGS,
    ...CLIENT_FLAGS,
  ],
  examples: [
    {
      note: "Send a body of JSON",
      line: "influxdb3 test request_plugin --database my_database --header content-type=application/json --body '{\"room\": \"kitchen\"}' rooms.py",
    },
  ],
  run: runRequestTest,
};

async function runWalTest(context: CommandContext): Promise<void> {
  const { arguments: given, terminal } = context;
  const file = given.text("file");
  const lines = given.text("lp") ?? (file === undefined ? undefined : new TextDecoder().decode(await readInputFile(terminal, file)));
  if (lines === undefined) throw new DatabaseError("cli.failed", { message: "either --lp or --file must be provided" });
  await runTest(context, "wal", { input_lp: lines });
}

async function runRequestTest(context: CommandContext): Promise<void> {
  const { arguments: given, terminal } = context;
  const file = given.text("file");
  const bytes = file === undefined ? undefined : await readInputFile(terminal, file);
  await runTest(context, "request", {
    query: pairsOf(given.pairs("query")) ?? null,
    headers: pairsOf(given.pairs("header")) ?? null,
    ...(bytes === undefined ? { body: given.text("body") ?? "" } : { body_base64: Buffer.from(bytes).toString("base64") }),
  });
}

async function runTest({ arguments: given, terminal }: CommandContext, kind: "wal" | "schedule" | "request", input: Readonly<Record<string, unknown>>): Promise<void> {
  const fileName = given.requiredArgument("FILENAME");
  const response = await new Client(given, terminal).call({
    method: "POST",
    path: `/api/v3/plugin_test/${kind}`,
    json: {
      filename: fileName,
      database: given.requiredText("database"),
      ...input,
      cache_name: given.text("cache-name") ?? null,
      input_arguments: pairsOf(given.pairs("input-arguments")) ?? null,
      ...settingsBody(given),
    },
  });
  const report: unknown = JSON.parse(await readText(response.body, REPORT_SIZE_MAX));
  // The reference prints JSON, which programs may rely on.
  const format = given.text("format") ?? (terminal.stdoutIsTerminal ? "report" : "json");
  if (format === "json") await terminal.stdout(`${JSON.stringify(report, undefined, 2)}\n`);
  else await terminal.stdout(formatTestReport(fileName, report, styleFor(terminal.stdoutIsTerminal, terminal.env)));
}
