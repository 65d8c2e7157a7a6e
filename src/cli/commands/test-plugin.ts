import { DatabaseError } from "../../core/errors/database-error.ts";
import { Client, readText } from "../client.ts";
import type { Command, CommandContext, FlagSpec } from "../command.ts";
import { CLIENT_FLAGS, DATABASE_FLAG, pairsFlag, pairsOf } from "../common-flags.ts";
import { readInputFile } from "../input.ts";

/** A report holds what the plugin wrote; the server bounds it far below this. */
const REPORT_SIZE_MAX = 256 * 1024 * 1024;

const FILE_NAME = { name: "FILENAME", summary: "The plugin, a path below the server's plugin folder", required: true } as const;

const SHARED_FLAGS: readonly FlagSpec[] = [
  pairsFlag("input-arguments", "Arguments that the plugin receives"),
  { name: "cache-name", value: "NAME", summary: "Keep the plugin's global cache between tests under this name" },
];

/** Spec: cli §10. */
export const testWalPlugin: Command = {
  summary: "Test a plugin for writes",
  details: "The plugin runs on the server with the lines you give; what it writes is shown and not kept.",
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
  details: "The plugin runs on the server once, with the schedule's next time; what it writes is shown and not kept.",
  arguments: [FILE_NAME],
  flags: [
    DATABASE_FLAG,
    { name: "schedule", value: "CRON", summary: "Six or seven fields, seconds first", defaultText: "* * * * * *" },
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

async function runWalTest(context: CommandContext): Promise<void> {
  const { arguments: given, terminal } = context;
  const file = given.text("file");
  const lines = given.text("lp") ?? (file === undefined ? undefined : new TextDecoder().decode(await readInputFile(terminal, file)));
  if (lines === undefined) throw new DatabaseError("cli.failed", { message: "either --lp or --file must be provided" });
  await runTest(context, "wal", { input_lp: lines });
}

async function runTest({ arguments: given, terminal }: CommandContext, kind: "wal" | "schedule", input: Readonly<Record<string, string | null>>): Promise<void> {
  const response = await new Client(given, terminal).call({
    method: "POST",
    path: `/api/v3/plugin_test/${kind}`,
    json: {
      filename: given.requiredArgument("FILENAME"),
      database: given.requiredText("database"),
      ...input,
      cache_name: given.text("cache-name") ?? null,
      input_arguments: pairsOf(given.list("input-arguments")) ?? null,
    },
  });
  const report: unknown = JSON.parse(await readText(response.body, REPORT_SIZE_MAX));
  await terminal.stdout(`${JSON.stringify(report, undefined, 2)}\n`);
}
