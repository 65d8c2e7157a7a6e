import { Client } from "../client.ts";
import type { Command } from "../command.ts";
import { CLIENT_FLAGS, DATABASE_FLAG } from "../common-flags.ts";

/** Spec: cli §6. Both are idempotent. */
function switchCommand(action: "enable" | "disable", summary: string): Command {
  return {
    summary,
    arguments: [{ name: "TRIGGER_NAME", summary: `The trigger to ${action}`, required: true }],
    flags: [DATABASE_FLAG, ...CLIENT_FLAGS],
    examples: [{ note: summary, line: `influxdb3 ${action} trigger --database my_database first_light` }],
    async run({ arguments: given, terminal }) {
      const name = given.requiredArgument("TRIGGER_NAME");
      await new Client(given, terminal).call({
        method: "POST",
        path: `/api/v3/configure/processing_engine_trigger/${action}`,
        query: { db: given.requiredText("database"), trigger_name: name },
      });
      await terminal.stdout(`Trigger ${name} ${action}d successfully\n`);
    },
  };
}

export const enableTrigger: Command = switchCommand("enable", "Start a trigger");
export const disableTrigger: Command = switchCommand("disable", "Stop a trigger");
