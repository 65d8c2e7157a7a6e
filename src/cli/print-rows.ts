/** Printing the rows of an answer: streamed, closed by a newline (spec: cli §11). */
import { StringDecoder } from "node:string_decoder";
import { DatabaseError } from "../core/errors/database-error.ts";
import { neutralLayout } from "../core/text/neutral.ts";
import type { FileWriter, HttpResponse, Terminal } from "./terminal.ts";

/** `format` as the flag names it. Throws `cli.failed` when bytes would end up on a terminal. */
export function checkBinaryOutput(terminal: Terminal, format: string, outputFile: string | undefined): void {
  if (format !== "parquet" || outputFile !== undefined || !terminal.stdoutIsTerminal) return;
  throw new DatabaseError("cli.failed", {
    message: "cannot write parquet to a terminal, use `--output <file>` or pipe the output",
  });
}

/** On a terminal control characters in the data are shown and not obeyed: rows hold what devices and plugins wrote. */
export async function printRows(terminal: Terminal, response: HttpResponse, format: string): Promise<void> {
  if (terminal.stdoutIsTerminal) await printNeutral(terminal, response.body);
  else for await (const chunk of response.body) await terminal.stdout(chunk);
  if (format !== "parquet") await terminal.stdout("\n");
}

async function printNeutral(terminal: Terminal, body: AsyncIterable<Uint8Array>): Promise<void> {
  // A character may be cut by the end of a chunk.
  const decoder = new StringDecoder("utf-8");
  for await (const chunk of body) await terminal.stdout(neutralLayout(decoder.write(chunk)));
  await terminal.stdout(neutralLayout(decoder.end()));
}

export async function saveRows(terminal: Terminal, response: HttpResponse, path: string): Promise<void> {
  const file: FileWriter = await terminal.openFile(path);
  try {
    for await (const chunk of response.body) await file.write(chunk);
  } finally {
    await file.close();
  }
}
