/** Printing the rows of an answer: streamed, closed by a newline (spec: cli §11). */
import { DatabaseError } from "../core/errors/database-error.ts";
import type { FileWriter, HttpResponse, Terminal } from "./terminal.ts";

/** `format` as the flag names it. Throws `cli.failed` when bytes would end up on a terminal. */
export function checkBinaryOutput(terminal: Terminal, format: string, outputFile: string | undefined): void {
  if (format !== "parquet" || outputFile !== undefined || !terminal.stdoutIsTerminal) return;
  throw new DatabaseError("cli.failed", {
    message: "cannot write parquet to a terminal, use `--output <file>` or pipe the output",
  });
}

export async function printRows(terminal: Terminal, response: HttpResponse, format: string): Promise<void> {
  for await (const chunk of response.body) await terminal.stdout(chunk);
  if (format !== "parquet") await terminal.stdout("\n");
}

export async function saveRows(terminal: Terminal, response: HttpResponse, path: string): Promise<void> {
  const file: FileWriter = await terminal.openFile(path);
  try {
    for await (const chunk of response.body) await file.write(chunk);
  } finally {
    await file.close();
  }
}
