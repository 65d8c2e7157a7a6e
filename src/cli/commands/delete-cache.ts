/** `delete last_cache` and `delete distinct_cache` (spec: cli §6). */
import { Client } from "../client.ts";
import type { Command } from "../command.ts";
import { CLIENT_FLAGS, DATABASE_FLAG } from "../common-flags.ts";
import { TABLE_FLAG } from "./create-cache.ts";

function deleteCache(kind: "last" | "distinct"): Command {
  return {
    summary: `Delete a ${kind} value cache`,
    arguments: [{ name: "NAME", summary: "Name of the cache", required: true }],
    flags: [DATABASE_FLAG, TABLE_FLAG, ...CLIENT_FLAGS],
    examples: [{ note: "Delete a cache of the table cpu", line: `influxdb3 delete ${kind}_cache -d my_database -t cpu my_cache` }],
    async run({ arguments: given, terminal }) {
      await new Client(given, terminal).call({
        method: "DELETE",
        path: `/api/v3/configure/${kind}_cache`,
        query: { db: given.requiredText("database"), table: given.requiredText("table"), name: given.requiredArgument("NAME") },
      });
      await terminal.stdout(`${kind} cache deleted successfully\n`);
    },
  };
}

export const deleteLastCache: Command = deleteCache("last");
export const deleteDistinctCache: Command = deleteCache("distinct");
