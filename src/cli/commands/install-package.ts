/** `install package` and `uninstall package` (spec: cli §9), against the running server. */
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { parseRequirementsFile } from "../../core/packages/requirements-file.ts";
import { REQUIREMENTS_DEPTH_MAX } from "../../core/packages/limits.ts";
import { Client, readText } from "../client.ts";
import type { Command, CommandContext, FlagSpec } from "../command.ts";
import { CLIENT_FLAGS } from "../common-flags.ts";
import type { ParsedArguments } from "../parsed-arguments.ts";
import type { HttpResponse, Terminal } from "../terminal.ts";
import { usageError } from "../usage-error.ts";

const PATH = "/api/v3/configure/plugin_environment";
const NEW_LINE = 10;
const ANSWER_SIZE_MAX = 4 * 1024 * 1024;

/** The server's own settings, which the reference's documentation shows here too. */
const SERVE_FLAGS_WITHOUT_EFFECT: readonly FlagSpec[] = ["plugin-dir", "virtual-env-location", "package-manager", "plugin-repo", "restrict-plugin-triggers-to"].map((name) => ({
  name, value: "VALUE", summary: "A setting of the server: accepted, without effect", hidden: true,
}));

export const installPackage: Command = {
  summary: "Install Python packages for plugins",
  details: "The server fetches pure Python wheels and what they need; everything is installed, or nothing. A package that is installed stays at its version unless --upgrade is given.",
  arguments: [{ name: "PACKAGES", summary: "Such as requests, requests==2.32.3 or 'httpx[http2]>=0.27,<1'", repeat: true }],
  flags: [
    { name: "requirements", short: "r", value: "FILE", summary: "Install what this file names; it is read here and sent" },
    { name: "index-url", short: "i", value: "URL", summary: "The package index to ask" },
    { name: "extra-index-url", value: "URL", summary: "One more index", repeat: "flag" },
    { name: "find-links", short: "f", value: "PLACE", summary: "A page, or a folder of the server, with wheels", repeat: "flag" },
    { name: "no-index", summary: "Ask no index, only --find-links" },
    { name: "upgrade", short: "U", summary: "Take the newest versions, also of what is installed" },
    { name: "dry-run", summary: "Tell what would be installed, and change nothing" },
    { name: "format", value: "FORMAT", summary: "How to print the outcome", choices: ["text", "json"], defaultText: "text" },
    ...CLIENT_FLAGS,
    ...SERVE_FLAGS_WITHOUT_EFFECT,
  ],
  examples: [
    { note: "The newest version", line: "influxdb3 install package requests" },
    { note: "What a project needs", line: "influxdb3 install package -r requirements.txt" },
    { note: "Without a network, from a folder of wheels", line: "influxdb3 install package requests --no-index --find-links /srv/wheels" },
  ],
  async run(context) {
    const { arguments: given, terminal } = context;
    const file = given.text("requirements");
    if (given.repeated.length === 0 && file === undefined) throw usageError("the following required arguments were not provided:\n  <PACKAGES>… or --requirements <FILE>");
    const call = file === undefined ? { path: `${PATH}/install_packages`, json: { packages: [...pipOptions(given), ...given.repeated] } } : await requirementsCall(file, given, terminal);
    const response = await new Client(given, terminal).call({ method: "POST", ...call, headers: { accept: "application/x-ndjson" } });
    await printReport(await followProgress(response, terminal), context);
  },
};

export const uninstallPackage: Command = {
  summary: "Remove Python packages, and what only they needed",
  arguments: [{ name: "PACKAGES", summary: "Names of installed packages", required: true, repeat: true }],
  flags: [{ name: "format", value: "FORMAT", summary: "How to print the outcome", choices: ["text", "json"], defaultText: "text" }, ...CLIENT_FLAGS],
  examples: [{ note: "Remove one", line: "influxdb3 uninstall package requests" }],
  async run(context) {
    const { arguments: given, terminal } = context;
    const response = await new Client(given, terminal).call({ method: "POST", path: `${PATH}/uninstall_packages`, json: { packages: given.repeated } });
    await printReport(JSON.parse(await readText(response.body, ANSWER_SIZE_MAX)) as Report, context);
  },
};

function pipOptions(given: ParsedArguments): readonly string[] {
  const index = given.text("index-url");
  return [
    ...(index === undefined ? [] : ["--index-url", index]),
    ...given.list("extra-index-url").flatMap((url) => ["--extra-index-url", url]),
    ...given.list("find-links").flatMap((place) => ["--find-links", place]),
    ...["no-index", "upgrade", "dry-run"].filter((name) => given.isSet(name)).map((name) => `--${name}`),
  ];
}

/** Reads the file and those that it includes, so that their paths are the user's. */
async function requirementsCall(file: string, given: ParsedArguments, terminal: Terminal): Promise<{ readonly path: string; readonly json: unknown }> {
  const files: Record<string, string> = {};
  const read = async (name: string, depth: number): Promise<void> => {
    if (files[name] !== undefined || depth > REQUIREMENTS_DEPTH_MAX) return;
    const bytes = await terminal.readFile(terminal.resolvePath(name)).catch((error: unknown) => {
      throw new DatabaseError("cli.failed", { message: `the requirements file "${name}" cannot be read: ${messageOf(error)}`, cause: error });
    });
    const text = (files[name] = new TextDecoder().decode(bytes));
    const parsed = parseRequirementsFile(text);
    if (!("requirements" in parsed)) throw new DatabaseError("cli.failed", { message: `${name}: ${parsed.join("; ")}`, hint: "nothing was sent" });
    const folder = name.includes("/") ? name.slice(0, name.lastIndexOf("/") + 1) : "";
    for (const include of [...parsed.includes, ...parsed.constraints]) await read(`${folder}${include}`, depth + 1);
  };
  await read(file, 0);
  return { path: `${PATH}/install_requirements`, json: { requirements_location: file, requirements_files: files, options: [...pipOptions(given), ...given.repeated] } };
}

interface Report {
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
  readonly done?: Report;
  readonly failed?: { readonly status: number; readonly error: string; readonly hint?: string };
}

/** On a terminal one line that changes; elsewhere a line for each download. */
async function followProgress(response: HttpResponse, terminal: Terminal): Promise<Report> {
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

async function printReport(report: Report, { arguments: given, terminal }: CommandContext): Promise<void> {
  if (given.text("format") === "json") {
    await terminal.stdout(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  const would = report.dryRun ? "Would install" : "Installed";
  const lines = [
    ...report.notes,
    ...report.installed.map(({ name, version, before }) => `${would} ${name} ${version}${before === undefined ? "" : ` (was ${before})`}`),
    ...report.removed.map(({ name, version }) => `${report.dryRun ? "Would remove" : "Removed"} ${name} ${version}`),
  ];
  const nothing = report.notes.length === 0 ? ["Everything is installed already"] : [];
  await terminal.stdout(`${(lines.length > 0 ? lines : nothing).join("\n")}\n`);
}
