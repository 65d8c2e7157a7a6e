/** Which database a write goes to (spec: http-api §6.1). */
import { DatabaseError } from "../errors/database-error.ts";
import type { DatabaseDefinition } from "./definitions.ts";
import { type CatalogState, INTERNAL_DATABASE } from "./state.ts";

/** The live database, or undefined when the write would make it. Throws `database.deleted`, `database.internal`. */
export function checkedDatabase(state: CatalogState, name: string): DatabaseDefinition | undefined {
  if (name === INTERNAL_DATABASE) throw new DatabaseError("database.internal", { message: "cannot modify internal db", hint: "write to a database of your own: _internal belongs to the server" });
  if (state.deletedDatabases.has(name)) {
    throw new DatabaseError("database.deleted", {
      message: `cannot write to soft-deleted database '${name}' - it is marked for deletion`,
      hint: "write to another database",
    });
  }
  return state.databases.get(name);
}
