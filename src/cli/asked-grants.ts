/** What a plugin's manifest asks for is shown, and granted only after a yes: on the terminal, or by --accept-grants. */
import { DatabaseError, isDatabaseError } from "../core/errors/database-error.ts";
import { effectiveGrants, formatGrant, GRANT_NAMES, grantFlag, type OwnGrants, parseGrants, PROFILES } from "../core/trigger/grants.ts";
import { MANIFEST_NAME } from "../core/trigger/manifest.ts";
import { manifestGrants } from "../core/trigger/manifest-grants.ts";
import { neutralLine } from "../core/text/neutral.ts";
import { type Client, readText } from "./client.ts";
import type { ParsedArguments } from "./parsed-arguments.ts";
import type { Terminal } from "./terminal.ts";
import type { SettingsBody } from "./trigger-settings.ts";

export interface Asking {
  readonly given: ParsedArguments;
  readonly terminal: Terminal;
  readonly client: Client;
}

/** A plugin on the server, or the texts beside the code of one that is about to be uploaded. */
export type PluginPlace = { readonly path: string } | { readonly beside: ReadonlyMap<string, string> };

const ANSWER_SIZE_MAX = 65_536;

/** The settings with what was asked for and accepted; grants that have a flag are as the flag says. */
export async function withAskedGrants(settings: SettingsBody, asking: Asking, place: PluginPlace): Promise<SettingsBody> {
  const asked = "path" in place ? await askServer(asking.client, place.path) : manifestGrants(place.beside.get(MANIFEST_NAME) ?? "");
  const open = GRANT_NAMES.filter((name) => settings.grants?.[name] === undefined && text(asked, name) !== "");
  if (open.length === 0) return settings;
  const flags = open.map((name) => `${grantFlag(name)} ${text(asked, name)}`);
  const { given, terminal } = asking;
  terminal.stderr(`The plugin's manifest asks for:\n${flags.map((flag) => `  ${neutralLine(flag)}\n`).join("")}`);
  if (!given.isSet("accept-grants")) await confirm(terminal, flags);
  return { ...settings, grants: { ...settings.grants, ...Object.fromEntries(open.map((name) => [name, text(asked, name)])) } };
}

async function confirm(terminal: Terminal, flags: readonly string[]): Promise<void> {
  const refused = (message: string): DatabaseError =>
    new DatabaseError("cli.failed", { message, hint: `pass --accept-grants, or say yourself what it may have: ${flags.join(" ")} (or none instead of a value)` });
  if (!terminal.stdinIsTerminal) throw refused("The plugin asks for grants, and there is no terminal to ask you on");
  terminal.stderr("Grant this? Enter 'yes' or 'y' to confirm\n");
  const answer = (await terminal.readLine())?.trim().toLowerCase();
  if (answer !== "yes" && answer !== "y") throw refused("The trigger was not created, since the grants were not confirmed");
}

const text = (asked: OwnGrants, name: (typeof GRANT_NAMES)[number]): string => formatGrant(effectiveGrants(PROFILES.strict, asked), name);

/** A server that does not know the question, or not the plugin, has nothing to ask for: creating the trigger says more. */
async function askServer(client: Client, path: string): Promise<OwnGrants> {
  try {
    const response = await client.call({ method: "GET", path: "/api/v3/plugins/grants", query: { plugin_filename: path } });
    const { grants } = JSON.parse(await readText(response.body, ANSWER_SIZE_MAX)) as { readonly grants: Parameters<typeof Object.entries>[0] };
    return parseGrants(Object.entries(grants) as [string, string | number | string[]][]);
  } catch (error) {
    if (!isDatabaseError(error) || error.code !== "cli.refused" || error.message.includes("[grants]")) throw error;
    return {};
  }
}
