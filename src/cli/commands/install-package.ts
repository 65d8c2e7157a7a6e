/** `install package` and `uninstall package` (spec: cli §9), against the running server. */
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { parseRequirementsFile } from "../../core/packages/requirements-file.ts";
import { REQUIREMENTS_DEPTH_MAX } from "../../core/packages/limits.ts";
import { Client, readText } from "../client.ts";
import type { Command, CommandContext, FlagSpec } from "../command.ts";
import { CLIENT_FLAGS } from "../common-flags.ts";
import type { ParsedArguments } from "../parsed-arguments.ts";
import { followProgress, type InstallReport, reportText } from "../install-progress.ts";
import type { Terminal } from "../terminal.ts";
import { usageError } from "../usage-error.ts";

const PATH = "/api/v3/configure/plugin_environment";
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
    await printReport(JSON.parse(await readText(response.body, ANSWER_SIZE_MAX)) as InstallReport, context);
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

async function printReport(report: InstallReport, { arguments: given, terminal }: CommandContext): Promise<void> {
  await terminal.stdout(given.text("format") === "json" ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
}
