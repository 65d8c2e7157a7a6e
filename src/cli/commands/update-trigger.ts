import { DatabaseError } from "../../core/errors/database-error.ts";
import { Client } from "../client.ts";
import type { Command, CommandContext } from "../command.ts";
import { CLIENT_FLAGS, DATABASE_FLAG } from "../common-flags.ts";
import { LIMITS_HELP, settingsBody, UPDATE_FLAGS } from "../trigger-settings.ts";
import { readUpload } from "../upload.ts";

/** Spec: cli §8 for the code; limits and grants are ours. */
export const updateTrigger: Command = {
  summary: "Replace the code of a trigger, or change its limits and grants",
  details: `What is not named stays as it is; the value "default" goes back to what the server gives.\n${LIMITS_HELP}`,
  flags: [
    DATABASE_FLAG,
    { name: "trigger-name", short: "t", value: "NAME", summary: "The trigger", required: true },
    { name: "path", short: "p", value: "PATH", summary: "Local file that replaces the trigger's plugin" },
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
  const settings = settingsBody(given);
  if (path === undefined && settings.limits === undefined && settings.grants === undefined) {
    throw new DatabaseError("cli.failed", { message: "Nothing to update", hint: "pass --path, --limit or an --allow flag" });
  }
  const client = new Client(given, terminal);
  if (path !== undefined) {
    const { files } = await readUpload(terminal, path);
    const [file, more] = files;
    if (file === undefined || more !== undefined || !file.name.endsWith(".py") || file.name.includes("/")) {
      throw new DatabaseError("cli.failed", { message: `Only single files can be replaced: ${path}`, hint: "upload a folder with create trigger --upload" });
    }
    await client.call({ method: "PUT", path: "/api/v3/plugins/files", json: { plugin_name: name, content: file.content } });
  }
  if (settings.limits !== undefined || settings.grants !== undefined) {
    await client.call({
      method: "PUT",
      path: "/api/v3/configure/processing_engine_trigger",
      json: { db: given.requiredText("database"), trigger_name: name, ...settings },
    });
  }
  await terminal.stdout(`Trigger '${name}' updated successfully\n`);
}
