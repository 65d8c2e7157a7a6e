/** What a plugin says that it needs and the server does not have is listed, and installed after a yes: on the terminal, or by --install. */
import { DatabaseError, isDatabaseError } from "../core/errors/database-error.ts";
import { type MissingPackage, missingText } from "../core/packages/plugin-requirements.ts";
import { neutralLayout, neutralLine } from "../core/text/neutral.ts";
import type { Asking, PluginPlace } from "./asked-grants.ts";
import { type Client, readText } from "./client.ts";
import { followProgress, reportText } from "./install-progress.ts";

const PATH = "/api/v3/plugins/requirements";
const ANSWER_SIZE_MAX = 1024 * 1024;

interface Needed {
  readonly missing: readonly MissingPackage[];
  readonly command?: string;
  readonly refusal?: string;
  readonly problems: readonly string[];
}

/** Throws when what was to be installed could not be: then nothing was changed, and there is to be no trigger. */
export async function withNeededPackages({ given, terminal, client }: Asking, place: PluginPlace): Promise<void> {
  const named = "path" in place ? { plugin_filename: place.path } : { files: Object.fromEntries(place.beside) };
  const { missing, command, refusal, problems } = await askServer(client, named);
  for (const problem of problems) terminal.stderr(`What the plugin needs cannot be read: ${neutralLine(problem)}\n`);
  if (missing.length === 0) return;
  terminal.stderr(`The plugin needs packages that are not installed:\n${missing.map((one) => `  ${neutralLine(missingText(one))}\n`).join("")}`);
  const install = given.isSet("install");
  if (refusal !== undefined) {
    if (install) throw new DatabaseError("cli.failed", { message: refusal, hint: "the trigger was not created; without --install it is, and its runs fail until the packages are there" });
    terminal.stderr(`${neutralLayout(refusal)}\n`);
    return;
  }
  if (!install && !terminal.stdinIsTerminal) {
    terminal.stderr(`Install them with --install, or later: ${neutralLine(command ?? "")}\n`);
    return;
  }
  if (!install && !(await saysYes())) {
    terminal.stderr(`Install them later: ${neutralLine(command ?? "")}\n`);
    return;
  }
  const response = await client.call({ method: "POST", path: PATH, json: { ...named, install: true }, headers: { accept: "application/x-ndjson" } });
  terminal.stderr(reportText(await followProgress(response, terminal)));

  async function saysYes(): Promise<boolean> {
    terminal.stderr("Install them now? Enter 'yes' or 'y' to install; anything else creates the trigger without them\n");
    const answer = (await terminal.readLine())?.trim().toLowerCase();
    return answer === "yes" || answer === "y";
  }
}

/** A server that does not know the question has nothing to say: creating the trigger says more. */
async function askServer(client: Client, named: object): Promise<Needed> {
  try {
    const response = await client.call({ method: "POST", path: PATH, json: named });
    return JSON.parse(await readText(response.body, ANSWER_SIZE_MAX)) as Needed;
  } catch (error) {
    if (!isDatabaseError(error) || error.code !== "cli.refused") throw error;
    return { missing: [], problems: [] };
  }
}
