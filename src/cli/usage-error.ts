/** Misuse of the command line: `error: …`, perhaps a tip, the usage and where help is; exit status 2. */
import { DatabaseError } from "../core/errors/database-error.ts";

/** `tip` is a sentence of its own, such as `a similar argument exists: '--format'`. */
export function usageError(message: string, tip?: string): DatabaseError {
  return new DatabaseError("cli.usage", { message, ...(tip === undefined ? {} : { hint: tip }) });
}

/** The reference's texts (clap's), so that scripts and eyes find what they know. */
export function renderUsageError(error: DatabaseError, usageLine: string): string {
  const tip = error.hint === undefined ? "" : `\n\n  tip: ${error.hint}`;
  return `error: ${error.message}${tip}\n\n${usageLine}\n\nFor more information, try '--help'.\n`;
}
