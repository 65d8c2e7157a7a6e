/** A command as data: help, parsing, suggestions and later completion and docs all derive from these objects. */
import type { ParsedArguments } from "./parsed-arguments.ts";
import type { Terminal } from "./terminal.ts";

export interface FlagSpec {
  /** Long name without dashes. */
  readonly name: string;
  readonly short?: string;
  /** Other long names that mean the same (older and newer releases). */
  readonly aliases?: readonly string[];
  /** Environment variables, the first that is set wins. */
  readonly env?: readonly string[];
  /** Placeholder of the value; without it the flag is a switch. */
  readonly value?: string;
  /** What the flag means without a value; with one it is written `--flag=value`. */
  readonly bare?: string;
  readonly summary: string;
  /** Shown in help; the command applies it. */
  readonly defaultText?: string;
  /** Exactly these values. */
  readonly choices?: readonly string[];
  /** Some choices are known but refused later, with a reason; help does not offer them. */
  readonly hasUnavailableChoices?: true;
  readonly required?: boolean;
  /** May be given again; a switch then counts. `values` also takes the words that follow. */
  readonly repeat?: "flag" | "values";
  readonly conflictsWith?: string;
  /** Returns what is wrong with the value. */
  readonly check?: (value: string) => string | undefined;
  /** Kept out of help: other systems' tuning knobs, accepted for compatibility. */
  readonly hidden?: boolean;
}

export interface ArgumentSpec {
  /** Upper case, as in help. */
  readonly name: string;
  readonly summary: string;
  readonly required?: boolean;
  readonly env?: readonly string[];
  /** The last one only: takes all further words. */
  readonly repeat?: true;
}

export interface CommandExample {
  readonly note: string;
  readonly line: string;
}

export interface Command {
  readonly summary: string;
  readonly details?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly flags: readonly FlagSpec[];
  readonly examples: readonly CommandExample[];
  /** Its words are not looked at: a command that only says that it is not there yet. */
  readonly takesAnything?: true;
  /** Throws `DatabaseError`; `cli.usage` ends with status 2, all others with 1. */
  run(context: CommandContext): Promise<void>;
}

export interface CommandContext {
  readonly arguments: ParsedArguments;
  readonly terminal: Terminal;
}

/** A node of the command tree. Leaves load their command when it is needed, so that `--version` loads none. */
export interface CommandNode {
  readonly name: string;
  readonly alias?: string;
  readonly summary: string;
  /** First word of `{Verb} command failed: …`; inherited from above. */
  readonly verb?: string;
  readonly children?: readonly CommandNode[];
  readonly load?: () => Promise<Command>;
  readonly hidden?: boolean;
}
