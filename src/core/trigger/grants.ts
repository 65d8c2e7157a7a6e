/**
 * What a trigger may reach beyond its own code and database. Everything is denied unless it was granted: by the trigger's
 * own flags, else by the server's defaults. Files outside the plugin folder and the whole environment cannot be granted at all
 * (design §4).
 */
import { parseMemorySize } from "../config/memory-size.ts";
import { DatabaseError } from "../errors/database-error.ts";
import { formatSize } from "./limits.ts";
import { formatNetworkEntry, parseNetworkEntry } from "./network-entry.ts";

export const SYSTEM_GROUPS = ["cpu", "memory", "disk", "network"] as const;
export type SystemGroup = (typeof SYSTEM_GROUPS)[number];

export interface TriggerGrants {
  /** Entries of `network-entry.ts` in their one form; `network-grants.ts` says what they allow. */
  readonly net: readonly string[];
  /** Names of environment variables of the server. */
  readonly env: readonly string[];
  /** Size of the writable folder `/tmp`; 0: there is none. */
  readonly scratch: number;
  readonly sys: readonly SystemGroup[];
  /** Databases beside the trigger's own, which is always granted; `*`: all. */
  readonly db: readonly string[];
  /** Files and folders of the plugin folder, to read; `*`: all of it. */
  readonly files: readonly string[];
}

export type GrantName = keyof TriggerGrants;
export const GRANT_NAMES: readonly GrantName[] = ["net", "env", "scratch", "sys", "db", "files"];
/** What a trigger has of its own, or what a manifest asks for. */
export type OwnGrants = Partial<TriggerGrants>;

export type PluginProfile = "strict" | "trusted";

const SCRATCH_BYTES_MAX = 1_073_741_824;
const TRUSTED_SCRATCH_BYTES = 67_108_864;
/** Entries of one grant: a longer list is a mistake. */
const ENTRIES_MAX = 256;
const ENTRY_LENGTH_MAX = 255;

/** Nothing at all, whatever the server's default is. */
const NONE = "none";

/** What triggers get when neither they nor the server's flags say otherwise. */
export const PROFILES: Readonly<Record<PluginProfile, TriggerGrants>> = {
  strict: { net: [], env: [], scratch: 0, sys: [], db: [], files: [] },
  trusted: { net: ["*"], env: [], scratch: TRUSTED_SCRATCH_BYTES, sys: SYSTEM_GROUPS, db: ["*"], files: ["*"] },
};

/** Flag of `create trigger` and `update trigger` that gives the grant. */
export const grantFlag = (name: GrantName): string => `--allow-${name}`;

/** Throws `trigger.invalid_settings`. `values`: what a flag, an HTTP member or a manifest holds. */
export function parseGrants(values: Iterable<readonly [string, string | number | readonly string[]]>): OwnGrants {
  return Object.fromEntries([...values].map(([name, value]) => [grantName(name), parseGrant(grantName(name), value)]));
}

function grantName(text: string): GrantName {
  const name = GRANT_NAMES.find((candidate) => candidate === text);
  if (name !== undefined) return name;
  throw new DatabaseError("trigger.invalid_settings", { message: `There is no grant '${text}'`, hint: `the grants are ${GRANT_NAMES.join(", ")}` });
}

function parseGrant(name: GrantName, value: string | number | readonly string[]): number | readonly string[] {
  if (value === NONE) return name === "scratch" ? 0 : [];
  if (name === "scratch") return parseScratch(value);
  if (typeof value === "number") throw invalid(name, String(value));
  const entries = (typeof value === "string" ? value.split(",") : value).map((entry) => entry.trim()).filter((entry) => entry !== "");
  if (entries.length > ENTRIES_MAX) throw invalid(name, `${entries.length} entries`);
  return [...new Set(entries.map((entry) => parseEntry(name, entry)))];
}

function parseEntry(name: Exclude<GrantName, "scratch">, entry: string): string {
  if (entry.length > ENTRY_LENGTH_MAX) throw invalid(name, entry);
  if (name !== "net") {
    if (FORMS[name].test(entry)) return entry;
    throw invalid(name, entry);
  }
  const address = parseNetworkEntry(entry);
  if (address !== undefined) return formatNetworkEntry(address);
  throw invalid(name, entry);
}

function parseScratch(value: string | number | readonly string[]): number {
  const bytes = typeof value === "number" ? value : typeof value === "string" ? parseMemorySize(value, { bareUnit: "b" }) : undefined;
  if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= 0 && bytes <= SCRATCH_BYTES_MAX) return bytes;
  throw invalid("scratch", String(value));
}

const FORMS: Readonly<Record<Exclude<GrantName, "scratch" | "net">, RegExp>> = {
  env: /^[A-Za-z_][A-Za-z0-9_]*$/,
  sys: new RegExp(`^(?:${SYSTEM_GROUPS.join("|")})$`),
  // Shown to whoever is asked to grant it: no control or direction characters.
  db: /^(?:\*|[^\s,*\p{C}]+)$/u,
  // Names that begin with a dot are the server's own (.gh, .venv), or nobody's business.
  files: /^(?:\*|[^\s,*/\\.\p{C}][^\s,*/\\\p{C}]*(?:\/[^\s,*/\\.\p{C}][^\s,*/\\\p{C}]*)*\/?)$/u,
};

const EXAMPLES: Readonly<Record<GrantName, string>> = {
  net: "hosts such as example.org, example.org:443, *.example.org, [2001:db8::1]:443, 10.1.0.0/16, self, *",
  env: "names of environment variables such as API_KEY; they cannot all be granted",
  scratch: "a size such as 16mb, at most 1 GiB",
  sys: `some of ${SYSTEM_GROUPS.join(", ")}`,
  db: "names of databases, or *",
  files: "files and folders of the plugin folder such as limits.toml or certs, or *",
};

function invalid(name: GrantName, value: string): DatabaseError {
  return new DatabaseError("trigger.invalid_settings", { message: `'${value}' cannot be granted by ${grantFlag(name)}`, hint: `give it ${EXAMPLES[name]}` });
}

/** The text that `parseGrants` reads as the same value; empty: nothing is granted. */
export function formatGrant(grants: TriggerGrants, name: GrantName): string {
  if (name === "scratch") return grants.scratch === 0 ? "" : formatSize(grants.scratch);
  return grants[name].join(",");
}

/** What the trigger has; `own` replaces the default grant by grant. */
export const effectiveGrants = (defaults: TriggerGrants, own: OwnGrants | undefined): TriggerGrants => ({ ...defaults, ...own });

export const allowsDatabase = (grants: TriggerGrants, own: string, database: string): boolean =>
  database === own || grants.db.includes("*") || grants.db.includes(database);

export const allowsSystem = (grants: TriggerGrants, group: string): boolean => grants.sys.some((granted) => granted === group);

/** What a flag of a denial holds at most; beyond it only what is missing is named. */
const FLAG_VALUE_LENGTH_MAX = 400;

/**
 * What the plugin and the log are told: what was refused, and which flag grants it. A flag replaces what the trigger has, so it
 * is shown with that, `granted`; `missing`: what to add.
 */
export function denialText(name: GrantName, what: string, granted: readonly string[] = [], missing: readonly string[] = [what]): string {
  const whole = [...new Set([...granted, ...missing])].join(",");
  const flag = `${grantFlag(name)} ${whole.length <= FLAG_VALUE_LENGTH_MAX ? whole : `${missing.join(",")} beside what it has`}`;
  return `${DENIED[name](what)} is not granted to this trigger (grant it with ${flag} on create trigger or update trigger)`;
}

const DENIED: Readonly<Record<GrantName, (what: string) => string>> = {
  net: (what) => `the network address ${what}`,
  env: (what) => `the environment variable ${what}`,
  scratch: () => "scratch space",
  sys: (what) => `the system metrics group ${what}`,
  db: (what) => `the database '${what}'`,
  files: (what) => `the file '${what}'`,
};
