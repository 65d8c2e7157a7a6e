import { DatabaseError, isDatabaseError } from "../../core/errors/database-error.ts";
import { formatTriggerSpecification, parseTriggerSpecification } from "../../core/trigger/specification.ts";
import { neutralLayout } from "../../core/text/neutral.ts";
import { Client } from "../client.ts";
import type { Command, CommandContext } from "../command.ts";
import { CLIENT_FLAGS, DATABASE_FLAG, pairsFlag, pairsOf } from "../common-flags.ts";
import { withAskedGrants } from "../asked-grants.ts";
import { withNeededPackages } from "../needed-packages.ts";
import { LIMITS_HELP, SETTING_FLAGS, settingsBody } from "../trigger-settings.ts";
import { checkTriggerSettings, triggerSettings } from "../durable-setting.ts";
import { readUpload, type UploadFile } from "../upload.ts";

export function checkSpecification(text: string): string | undefined {
  try {
    parseTriggerSpecification(text);
    return undefined;
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
  }
}

/** Spec: cli §4. */
export const createTrigger: Command = {
  summary: "Run a plugin on writes, on a schedule or on requests",
  details: [
    "A trigger binds a plugin, a Python file in the server's plugin folder, to an event:",
    "  table:<TABLE>    rows written to one table",
    "  all_tables       rows written to any table, the plugin's own ones too",
    "  every:<TIME>     every 10s, 5m, 1h …",
    "  cron:<FIELDS>    second minute hour day-of-month month day-of-week",
    "  request:<PATH>   requests to /api/v3/engine/<PATH>",
    "Packages that the plugin needs and the server does not have are listed; --install installs them first.",
    "A plugin reaches its own files, those its arguments name, and this database. What else it may reach, the --allow flags say.",
    LIMITS_HELP,
  ].join("\n"),
  arguments: [{ name: "TRIGGER_NAME", summary: "Name of the trigger", required: true }],
  flags: [
    DATABASE_FLAG,
    {
      name: "trigger-spec",
      value: "SPEC",
      summary: "When the plugin runs",
      required: true,
      check: checkSpecification,
    },
    { name: "path", value: "PATH", summary: "The plugin, a path below the plugin folder; with --upload a local path" },
    {
      name: "plugin-filename",
      value: "NAME",
      summary: "Older name of --path",
      conflictsWith: "path",
    },
    pairsFlag("trigger-arguments", "Arguments that the plugin receives"),
    { name: "disabled", summary: "Create the trigger without starting it" },
    { name: "run-asynchronous", summary: "Let runs of this trigger overlap" },
    {
      name: "error-behavior",
      value: "BEHAVIOR",
      summary: "What an error of the plugin leads to",
      choices: ["log", "retry", "disable"],
      defaultText: "log",
    },
    { ...pairsFlag("trigger-settings", "durable=true: rows not processed at a crash are delivered after it, at least once"), check: checkTriggerSettings },
    { name: "upload", summary: "Upload the local file or folder first" },
    ...SETTING_FLAGS,
    { name: "install", summary: "Install the packages that the plugin's manifest.toml and requirements.txt name; without them there is no trigger" },
    { name: "accept-grants", summary: "Grant what the plugin's manifest asks for without a question" },
    ...CLIENT_FLAGS,
  ],
  examples: [
    {
      note: "Run a bundled plugin on every write to the table home",
      line: "influxdb3 create trigger --trigger-spec \"table:home\" --path tutorial/process_writes.py --database my_database first_light",
    },
    {
      note: "Upload a plugin and run it every minute with an argument",
      line: "influxdb3 create trigger --trigger-spec every:1m --path ./clean.py --upload --trigger-arguments days=7 -d my_database clean",
    },
    {
      note: "Let a plugin call one service, with a key from the server's environment, for 5 seconds at most",
      line: "influxdb3 create trigger --trigger-spec every:1m --path notify.py --allow-net api.example.org:443 --allow-env API_KEY --limit time=5s -d my_database notify",
    },
  ],
  run: create,
};

async function create({ arguments: given, terminal }: CommandContext): Promise<void> {
  const path = given.text("path") ?? given.text("plugin-filename");
  if (path === undefined) {
    throw new DatabaseError("cli.failed", { message: "Either --path or --plugin-filename must be provided" });
  }
  const client = new Client(given, terminal);
  const name = given.requiredArgument("TRIGGER_NAME");
  const upload = given.isSet("upload") ? await readUpload(terminal, path) : undefined;
  const place = upload === undefined ? { path } : { beside: upload.beside };
  const settings = await withAskedGrants(settingsBody(given), { given, terminal, client }, place);
  await withNeededPackages({ given, terminal, client }, place);
  for (const file of upload?.files ?? []) await uploadFile(client, upload?.kind === "folder" ? { ...file, name: `${upload.name}/${file.name}` } : file);
  try {
    await client.call({
      method: "POST",
      path: "/api/v3/configure/processing_engine_trigger",
      json: { ...triggerBody(given, name, upload?.name ?? path), ...settings },
    });
  } catch (error) {
    // The reference prints a server's refusal twice (spec: cli §4).
    if (isDatabaseError(error) && error.code === "cli.refused") terminal.stderr(`Failed to create trigger: ${neutralLayout(error.message)}\n`);
    throw error;
  }
  await terminal.stdout(`Trigger ${name} created successfully\n`);
}

function triggerBody(given: CommandContext["arguments"], name: string, fileName: string): Record<string, unknown> {
  return {
    db: given.requiredText("database"),
    plugin_filename: fileName,
    trigger_name: name,
    trigger_settings: {
      run_async: given.isSet("run-asynchronous"),
      error_behavior: (given.text("error-behavior") ?? "log").toLowerCase(),
    },
    trigger_specification: formatTriggerSpecification(parseTriggerSpecification(given.requiredText("trigger-spec"))),
    trigger_arguments: pairsOf(given.pairs("trigger-arguments")) ?? null,
    disabled: given.isSet("disabled"),
    ...triggerSettings(given.pairs("trigger-settings")),
  };
}

async function uploadFile(client: Client, { name, ...content }: UploadFile): Promise<void> {
  await client.call({ method: "POST", path: "/api/v3/plugins/files", json: { plugin_name: name, ...content } });
}
