import { Client } from "../client.ts";
import type { Command } from "../command.ts";
import { CLIENT_FLAGS, DATABASE_FLAG, HARD_DELETE_FLAG, YES_FLAG } from "../common-flags.ts";
import { confirmDeletion } from "../confirm.ts";
import { OPERATOR_TOKEN_NAME } from "../../core/tokens/token.ts";
import type { ParsedArguments } from "../parsed-arguments.ts";

function hardDelete(given: ParsedArguments): Record<string, string> {
  const when = given.text("hard-delete");
  return when === undefined ? {} : { hard_delete_at: when };
}

/** Spec: cli §5. */
export const deleteDatabase: Command = {
  summary: "Delete a database",
  details: "Its name is free again at once; its data goes 72 hours later, or when --hard-delete says.",
  arguments: [
    { name: "DATABASE_NAME", summary: "The database to delete", required: true, env: ["INFLUXDB3_DATABASE_NAME"] },
  ],
  flags: [HARD_DELETE_FLAG, YES_FLAG, ...CLIENT_FLAGS],
  examples: [{ note: "Delete without being asked", line: "influxdb3 delete database --yes my_database" }],
  async run({ arguments: given, terminal }) {
    const name = given.requiredArgument("DATABASE_NAME");
    await confirmDeletion(given, terminal, `"${name}"`);
    const query = { db: name, ...hardDelete(given) };
    await new Client(given, terminal).call({ method: "DELETE", path: "/api/v3/configure/database", query });
    await terminal.stdout(`Database "${name}" deleted successfully\n`);
  },
};

/** Spec: cli §5. */
export const deleteTable: Command = {
  summary: "Delete a table",
  arguments: [{ name: "TABLE_NAME", summary: "The table to delete", required: true }],
  flags: [DATABASE_FLAG, HARD_DELETE_FLAG, YES_FLAG, ...CLIENT_FLAGS],
  examples: [{ note: "Delete the table home", line: "influxdb3 delete table --database my_database home" }],
  async run({ arguments: given, terminal }) {
    const table = given.requiredArgument("TABLE_NAME");
    const db = given.requiredText("database");
    await confirmDeletion(given, terminal, `"${db}"."${table}"`);
    const query = { db, table, ...hardDelete(given) };
    await new Client(given, terminal).call({ method: "DELETE", path: "/api/v3/configure/table", query });
    await terminal.stdout(`Table "${db}"."${table}" deleted successfully\n`);
  },
};

/** Spec: cli §5. */
export const deleteTrigger: Command = {
  summary: "Delete a trigger",
  arguments: [{ name: "TRIGGER_NAME", summary: "The trigger to delete", required: true }],
  flags: [DATABASE_FLAG, { name: "force", summary: "Also when the trigger is enabled" }, ...CLIENT_FLAGS],
  examples: [{ note: "Stop and delete a trigger", line: "influxdb3 delete trigger --force --database my_database first_light" }],
  async run({ arguments: given, terminal }) {
    const name = given.requiredArgument("TRIGGER_NAME");
    await new Client(given, terminal).call({
      method: "DELETE",
      path: "/api/v3/configure/processing_engine_trigger",
      query: { db: given.requiredText("database"), trigger_name: name, force: String(given.isSet("force")) },
    });
    await terminal.stdout(`Trigger ${name} deleted successfully\n`);
  },
};

/** Spec: cli §5. */
export const deleteToken: Command = {
  summary: "Delete a named admin token",
  details: "It is refused from then on. The operator token cannot be deleted, only made anew.",
  flags: [{ name: "token-name", value: "NAME", summary: "The token to delete", required: true }, YES_FLAG, ...CLIENT_FLAGS],
  examples: [{ note: "Without being asked", line: "influxdb3 delete token --token-name ci --yes" }],
  async run({ arguments: given, terminal }) {
    const name = given.requiredText("token-name");
    if (name === OPERATOR_TOKEN_NAME) {
      await terminal.stdout(
        `The operator token "${name}" is required and cannot be deleted. To regenerate an operator token, use: influxdb3 create token --admin --regenerate --token [TOKEN]\n`,
      );
      return;
    }
    await confirmDeletion(given, terminal, `"${name}"`);
    await new Client(given, terminal).call({ method: "DELETE", path: "/api/v3/configure/token", query: { token_name: name } });
    await terminal.stdout(`Token "${name}" deleted successfully\n`);
  },
};
