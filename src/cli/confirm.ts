/** The question before something is deleted (spec: cli §5). */
import { DatabaseError } from "../core/errors/database-error.ts";
import type { ParsedArguments } from "./parsed-arguments.ts";
import type { Terminal } from "./terminal.ts";

/** Resolves only after yes, `y` or `--yes`. */
export async function confirmDeletion(given: ParsedArguments, terminal: Terminal, title: string): Promise<void> {
  if (given.isSet("yes")) return;
  terminal.stderr(`Are you sure you want to delete ${title}? Enter 'yes' or 'y' to confirm\n`);
  const answer = (await terminal.readLine())?.trim().toLowerCase();
  if (answer === "yes" || answer === "y") return;
  throw new DatabaseError("cli.failed", {
    message: "Cannot proceed without confirmation",
    hint: "answer yes, or pass --yes",
  });
}
