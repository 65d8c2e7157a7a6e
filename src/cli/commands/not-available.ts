/** A command of the reference whose feature does not exist yet. Whatever it is given, it says so and fails. */
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { Command } from "../command.ts";

export function notAvailable(name: string, summary: string): Command {
  return {
    summary,
    details: "This command is not available yet.",
    flags: [],
    examples: [],
    takesAnything: true,
    run: () =>
      Promise.reject(
        new DatabaseError("cli.failed", {
          message: `'${name}' is not available yet`,
          hint: "docs/compatibility.md lists what works today and what comes next",
        }),
      ),
  };
}
