/** Where a command's input comes from: the argument, else a file, else piped stdin (spec: cli §11, §12). */
import { DatabaseError, isDatabaseError, messageOf } from "../core/errors/database-error.ts";
import type { Terminal } from "./terminal.ts";

const encoder = new TextEncoder();

/** Undefined when there is no input at all. */
export async function readInput(
  terminal: Terminal,
  argument: string | undefined,
  file: string | undefined,
): Promise<Uint8Array | undefined> {
  if (argument !== undefined) return encoder.encode(argument);
  if (file !== undefined) return readInputFile(terminal, file);
  return terminal.stdinIsTerminal ? undefined : terminal.readStdin();
}

export async function readTextInput(
  terminal: Terminal,
  argument: string | undefined,
  file: string | undefined,
): Promise<string | undefined> {
  const bytes = await readInput(terminal, argument, file);
  return bytes === undefined || bytes.length === 0 ? undefined : new TextDecoder().decode(bytes);
}

export async function readInputFile(terminal: Terminal, file: string): Promise<Uint8Array> {
  try {
    return await terminal.readFile(file);
  } catch (error) {
    if (isDatabaseError(error)) throw error;
    throw new DatabaseError("cli.failed", { message: `unable to read input file "${file}": ${messageOf(error)}`, cause: error });
  }
}
