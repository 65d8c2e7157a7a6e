/** What an install on the server answers: steps while it goes on, then its outcome. */
import { DatabaseError } from "../core/errors/database-error.ts";
import type { HttpResponse, Terminal } from "./terminal.ts";

const NEW_LINE = 10;

export interface InstallReport {
  readonly installed: readonly { readonly name: string; readonly version: string; readonly before?: string }[];
  readonly removed: readonly { readonly name: string; readonly version: string }[];
  readonly unchanged: readonly { readonly name: string; readonly version: string }[];
  readonly notes: readonly string[];
  readonly dryRun: boolean;
}

interface ProgressLine {
  readonly step?: string;
  readonly name?: string;
  readonly bytes?: number;
  readonly total?: number;
  readonly done?: InstallReport;
  readonly failed?: { readonly status: number; readonly error: string; readonly hint?: string };
}

/** On a terminal one line that changes; elsewhere a line for each download. */
export async function followProgress(response: HttpResponse, terminal: Terminal): Promise<InstallReport> {
  let shown = "";
  const clear = (): void => {
    if (terminal.stderrIsTerminal && shown !== "") terminal.stderr("\r\u001b[K");
    shown = "";
  };
  for await (const line of jsonLines(response.body)) {
    if (line.done !== undefined) {
      clear();
      return line.done;
    }
    if (line.failed !== undefined) {
      clear();
      const { error, hint, status } = line.failed;
      throw new DatabaseError("cli.refused", { message: error, ...(hint === undefined ? {} : { hint }), details: { status } });
    }
    const text = progressText(line);
    if (text === shown) continue;
    if (terminal.stderrIsTerminal) terminal.stderr(`\r\u001b[K${text}`);
    else if (line.step === "download" && line.bytes === undefined) terminal.stderr(`${text}\n`);
    shown = text;
  }
  throw new DatabaseError("cli.failed", { message: "the server ended its answer without an outcome", hint: "'influxdb3 show packages' tells what is installed" });
}

function progressText({ step, name = "", bytes, total }: ProgressLine): string {
  if (step === "resolve") return `Resolving ${name}`;
  if (step === "unpack") return "Unpacking";
  const part = bytes === undefined ? "" : ` ${Math.round(bytes / 1024)}${total === undefined ? "" : ` of ${Math.round(total / 1024)}`} KB`;
  return `Downloading ${name}${part}`;
}

async function* jsonLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<ProgressLine> {
  let rest = new Uint8Array(0);
  for await (const chunk of body) {
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    const end = bytes.lastIndexOf(NEW_LINE) + 1;
    rest = bytes.slice(end);
    for (const line of new TextDecoder().decode(bytes.subarray(0, end)).split("\n")) if (line !== "") yield JSON.parse(line) as ProgressLine;
  }
}

/** Lines of an outcome. */
export function reportText({ installed, removed, notes, dryRun }: InstallReport): string {
  const lines = [
    ...notes,
    ...installed.map(({ name, version, before }) => `${dryRun ? "Would install" : "Installed"} ${name} ${version}${before === undefined ? "" : ` (was ${before})`}`),
    ...removed.map(({ name, version }) => `${dryRun ? "Would remove" : "Removed"} ${name} ${version}`),
  ];
  return `${(lines.length > 0 ? lines : ["Everything is installed already"]).join("\n")}\n`;
}
