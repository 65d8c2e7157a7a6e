/** The flags that limit a trigger and grant it things, for `create trigger` and `update trigger`, and their form on the wire. */
import { isDatabaseError } from "../core/errors/database-error.ts";
import { GRANT_NAMES, type GrantName, grantFlag, parseGrants } from "../core/trigger/grants.ts";
import { LIMIT_NAMES, LIMITS, formatLimit, parseLimits } from "../core/trigger/limits.ts";
import type { FlagSpec } from "./command.ts";
import { pairsFlag } from "./common-flags.ts";
import type { ParsedArguments } from "./parsed-arguments.ts";

/** On update: back to what the server gives. */
const DEFAULT = "default";

const GRANT_SUMMARIES: Readonly<Record<GrantName, readonly [value: string, summary: string]>> = {
  net: ["HOST[:PORT],…", "Let it reach these network addresses; self is this server, * all"],
  env: ["NAME,…", "Let it read these environment variables of the server"],
  scratch: ["SIZE", "Give it a writable folder /tmp of this size"],
  sys: ["GROUP,…", "Let it read figures of the machine: cpu, memory, disk, network"],
  db: ["NAME,…", "Let it query and write these databases beside its own; * all"],
  files: ["PATH,…", "Let it read these files and folders of the plugin folder beside those its arguments name; * all"],
};

export const GRANT_FLAGS: readonly FlagSpec[] = GRANT_NAMES.map((name) => {
  const [value, summary] = GRANT_SUMMARIES[name];
  return { name: grantFlag(name).slice(2), value, summary, check: (text: string) => problemOf(() => parseGrants([[name, text]])) };
});

export const SETTING_FLAGS: readonly FlagSpec[] = [{ ...pairsFlag("limit", "Limits of its own, such as time=5s,memory=64mb"), check: checkLimits }, ...GRANT_FLAGS];

export const UPDATE_FLAGS: readonly FlagSpec[] = SETTING_FLAGS.map(({ check, ...flag }) => ({
  ...flag,
  check: (text: string) => (text === DEFAULT ? undefined : check?.(text)),
}));

/** Lines for the details of a command's help. */
export const LIMITS_HELP: string = [
  "Limits (server's values without flags):",
  ...LIMIT_NAMES.map((name) => `  ${name.padEnd(15)}  ${LIMITS[name].summary} (${formatLimit(name, LIMITS[name].default)})`),
].join("\n");

function checkLimits(text: string): string | undefined {
  if (!text.split(",").every((pair) => pair.indexOf("=") > 0)) return 'must be formatted as "key=value"';
  const pairs = text.split(",").map((pair): [string, string] => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
  return problemOf(() => parseLimits(pairs.map(([name, value]) => [name, value === DEFAULT ? "1" : value])), pairs.every(([, value]) => value !== DEFAULT));
}

/** With `strict` false only an unknown name is a problem. */
function problemOf(parse: () => unknown, strict = true): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    if (!strict && !error.message.startsWith("There is no")) return undefined;
    return error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
  }
}

export interface SettingsBody {
  readonly limits?: Readonly<Record<string, string | null>>;
  readonly grants?: Readonly<Record<string, string | null>>;
}

/** Members of the request; null goes back to the server's value. */
export function settingsBody(given: ParsedArguments): SettingsBody {
  const value = (text: string): string | null => (text === DEFAULT ? null : text);
  const limits = given.list("limit").map((pair): [string, string | null] => [pair.slice(0, pair.indexOf("=")), value(pair.slice(pair.indexOf("=") + 1))]);
  const grants = GRANT_NAMES.flatMap((name): [string, string | null][] => {
    const text = given.text(grantFlag(name).slice(2));
    return text === undefined ? [] : [[name, value(text)]];
  });
  return {
    ...(limits.length === 0 ? {} : { limits: Object.fromEntries(limits) }),
    ...(grants.length === 0 ? {} : { grants: Object.fromEntries(grants) }),
  };
}
