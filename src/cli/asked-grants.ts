/**
 * What a plugin's manifest asks for is shown, and granted only after a yes: on the terminal, or by --accept-grants. What its code
 * only seems to need is shown too, but the trigger is created without a yes as well: the plugin may do without.
 */
import { DatabaseError, isDatabaseError } from "../core/errors/database-error.ts";
import { effectiveGrants, formatGrant, GRANT_NAMES, type GrantName, grantFlag, type OwnGrants, parseGrants, PROFILES } from "../core/trigger/grants.ts";
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
  const { asked, likely } = "path" in place ? await askServer(asking.client, place.path) : { asked: manifestGrants(place.beside.get(MANIFEST_NAME) ?? ""), likely: {} };
  return withLikelyGrants(await withManifestGrants(settings, asking, asked), asking, likely);
}

async function withLikelyGrants(settings: SettingsBody, { given, terminal }: Asking, likely: OwnGrants): Promise<SettingsBody> {
  const open = openGrants(settings, likely);
  if (open.length === 0) return settings;
  const flags = open.map((name) => `${grantFlag(name)} ${text(likely, name)}`);
  terminal.stderr(`The plugin's code is likely to need:\n${flags.map((flag) => `  ${flag}\n`).join("")}`);
  if (given.isSet("accept-grants")) return withGrants(settings, open, likely);
  if (!terminal.stdinIsTerminal) {
    terminal.stderr("It is not granted: pass --accept-grants, or the flag itself, also to update trigger later\n");
    return settings;
  }
  return (await isConfirmed(terminal)) ? withGrants(settings, open, likely) : settings;
}

const openGrants = (settings: SettingsBody, grants: OwnGrants): readonly GrantName[] => GRANT_NAMES.filter((name) => settings.grants?.[name] === undefined && text(grants, name) !== "");

const withGrants = (settings: SettingsBody, names: readonly GrantName[], grants: OwnGrants): SettingsBody => ({
  ...settings,
  grants: { ...settings.grants, ...Object.fromEntries(names.map((name) => [name, text(grants, name)])) },
});

async function withManifestGrants(settings: SettingsBody, asking: Asking, asked: OwnGrants): Promise<SettingsBody> {
  const open = openGrants(settings, asked);
  if (open.length === 0) return settings;
  const flags = open.map((name) => `${grantFlag(name)} ${text(asked, name)}`);
  const { given, terminal } = asking;
  terminal.stderr(`The plugin's manifest asks for:\n${flags.map((flag) => `  ${neutralLine(flag)}\n`).join("")}`);
  if (!given.isSet("accept-grants")) await confirm(terminal, flags);
  return withGrants(settings, open, asked);
}

async function confirm(terminal: Terminal, flags: readonly string[]): Promise<void> {
  const refused = (message: string): DatabaseError =>
    new DatabaseError("cli.failed", { message, hint: `pass --accept-grants, or say yourself what it may have: ${flags.join(" ")} (or none instead of a value)` });
  if (!terminal.stdinIsTerminal) throw refused("The plugin asks for grants, and there is no terminal to ask you on");
  if (!(await isConfirmed(terminal))) throw refused("The trigger was not created, since the grants were not confirmed");
}

async function isConfirmed(terminal: Terminal): Promise<boolean> {
  terminal.stderr("Grant this? Enter 'yes' or 'y' to confirm\n");
  const answer = (await terminal.readLine())?.trim().toLowerCase();
  return answer === "yes" || answer === "y";
}

const text = (asked: OwnGrants, name: GrantName): string => formatGrant(effectiveGrants(PROFILES.strict, asked), name);

type GrantsJson = Readonly<Record<string, string | number | readonly string[]>>;

/** A server that does not know the question, or not the plugin, has nothing to ask for: creating the trigger says more. */
async function askServer(client: Client, path: string): Promise<{ readonly asked: OwnGrants; readonly likely: OwnGrants }> {
  try {
    const response = await client.call({ method: "GET", path: "/api/v3/plugins/grants", query: { plugin_filename: path } });
    const { grants, likely = {} } = JSON.parse(await readText(response.body, ANSWER_SIZE_MAX)) as { readonly grants: GrantsJson; readonly likely?: GrantsJson };
    return { asked: parseGrants(Object.entries(grants)), likely: parseGrants(Object.entries(likely)) };
  } catch (error) {
    if (!isDatabaseError(error) || error.code !== "cli.refused" || error.message.includes("[grants]")) throw error;
    return { asked: {}, likely: {} };
  }
}
