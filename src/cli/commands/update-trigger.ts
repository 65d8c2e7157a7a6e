import { DatabaseError } from "../../core/errors/database-error.ts";
import { Client } from "../client.ts";
import type { Command, CommandContext } from "../command.ts";
import { CLIENT_FLAGS, DATABASE_FLAG, pairsFlag, pairsOf } from "../common-flags.ts";
import { checkSpecification } from "./create-trigger.ts";
import { checkTriggerSettings, triggerSettings } from "../durable-setting.ts";
import { LIMITS_HELP, settingsBody, UPDATE_FLAGS } from "../trigger-settings.ts";
import { readUpload, type Upload } from "../upload.ts";

/** Spec: cli §8 for the code; the rest is ours. */
export const updateTrigger: Command = {
  summary: "Replace the code of a trigger, or change its settings",
  details: `What is not named stays as it is; the value "default" goes back to what the server gives.\n${LIMITS_HELP}`,
  flags: [
    DATABASE_FLAG,
    { name: "trigger-name", short: "t", value: "NAME", summary: "The trigger", required: true },
    { name: "path", short: "p", value: "PATH", summary: "Local file or folder that replaces the trigger's plugin" },
    { name: "trigger-spec", value: "SPEC", summary: "When the plugin runs", check: checkSpecification },
    pairsFlag("trigger-arguments", "Arguments that the plugin receives, all of them"),
    { name: "error-behavior", value: "BEHAVIOR", summary: "What an error of the plugin leads to", choices: ["log", "retry", "disable"] },
    { name: "run-asynchronous", value: "BOOLEAN", summary: "Whether runs of this trigger may overlap", choices: ["true", "false"] },
    { ...pairsFlag("trigger-settings", "durable=true: rows not processed at a crash are delivered after it, at least once"), check: checkTriggerSettings },
    ...UPDATE_FLAGS,
    ...CLIENT_FLAGS,
  ],
  examples: [
    { note: "Replace the code", line: "influxdb3 update trigger --database my_database --trigger-name clean --path ./clean.py" },
    { note: "More time, and another database", line: "influxdb3 update trigger -d my_database -t clean --limit time=2m --allow-db archive" },
  ],
  run: update,
};

async function update({ arguments: given, terminal }: CommandContext): Promise<void> {
  const name = given.requiredText("trigger-name");
  const path = given.text("path");
  const settings = { ...changesOf(given), ...present(settingsBody(given)) };
  const hasSettings = Object.keys(settings).length > 0;
  if (path === undefined && !hasSettings) {
    throw new DatabaseError("cli.failed", { message: "Nothing to update", hint: "pass --path, or a flag for what is to change: --help lists them" });
  }
  const client = new Client(given, terminal);
  let isFolder = false;
  if (path !== undefined) {
    const upload = await readUpload(terminal, path, "Path does not exist");
    isFolder = upload.kind === "folder";
    await replaceCode(client, name, upload);
  }
  if (hasSettings) {
    await client.call({
      method: "PUT",
      path: "/api/v3/configure/processing_engine_trigger",
      json: { db: given.requiredText("database"), trigger_name: name, ...settings },
    });
  }
  await terminal.stdout(`Trigger '${name}' updated successfully${isFolder ? " (atomic directory replacement)" : ""}\n`);
}

async function replaceCode(client: Client, triggerName: string, { kind, files }: Upload): Promise<void> {
  if (kind === "folder") {
    const sent = files.map(({ name, ...content }) => ({ relative_path: name, ...content }));
    await client.call({ method: "PUT", path: "/api/v3/plugins/directory", json: { plugin_name: triggerName, files: sent } });
    return;
  }
  for (const { name: _name, ...content } of files) {
    await client.call({ method: "PUT", path: "/api/v3/plugins/files", json: { plugin_name: triggerName, ...content } });
  }
}

const present = (members: object): Record<string, unknown> => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

function changesOf(given: CommandContext["arguments"]): Record<string, unknown> {
  const runAsync = given.text("run-asynchronous");
  const triggerSettingsBody = present({ run_async: runAsync === undefined ? undefined : runAsync === "true", error_behavior: given.text("error-behavior") });
  return present({
    trigger_specification: given.text("trigger-spec"),
    trigger_arguments: pairsOf(given.pairs("trigger-arguments")),
    trigger_settings: Object.keys(triggerSettingsBody).length === 0 ? undefined : triggerSettingsBody,
    ...triggerSettings(given.pairs("trigger-settings")),
  });
}
