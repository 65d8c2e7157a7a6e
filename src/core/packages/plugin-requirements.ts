/** What a plugin says that it needs: `python` of the table `[dependencies]` of its manifest.toml, and a requirements.txt beside its code. */
import { satisfies } from "@renovatebot/pep440";
import { MANIFEST_NAME, ManifestProblem, type ManifestValue, manifestTable } from "../trigger/manifest.ts";
import { type InstallRequest, readInstallRequest } from "./install-request.ts";
import { applies, requirementText } from "./requirement.ts";
import type { IndexOptions, LockedRequirement } from "./requirements-file.ts";

export const REQUIREMENTS_NAME = "requirements.txt";

/** The text of a file beside the plugin's code; undefined: there is none. */
export type ReadBeside = (name: string) => Promise<string | undefined>;

/** Files beside the code: nothing that leads to another folder, nothing hidden. */
export const isBesideName = (name: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/.test(name);

/** Texts are problems; nothing is then known of what else the plugin needs. */
export async function readPluginRequirements(beside: ReadBeside): Promise<InstallRequest | readonly string[]> {
  const packages = manifestPackages((await beside(MANIFEST_NAME)) ?? "");
  if (!("words" in packages)) return [`the table [dependencies] of ${MANIFEST_NAME}: ${packages.text}`];
  const unread: string[] = [];
  const requirementsFiles = (await beside(REQUIREMENTS_NAME)) === undefined ? [] : [REQUIREMENTS_NAME];
  const request = await readInstallRequest({ packages: packages.words, requirementsFiles }, async (location, from) => {
    const text = isBesideName(location) ? await beside(location) : undefined;
    if (text === undefined) unread.push(`${from ?? ""} names "${location}", which is not beside it`);
    return { location, text: text ?? "" };
  });
  return "requirements" in request && unread.length === 0 ? request : [...("requirements" in request ? [] : request), ...unread];
}

/** Only packages: a manifest gives no options of pip. */
function manifestPackages(text: string): { readonly words: readonly string[] } | ManifestProblem {
  let value: ManifestValue | undefined;
  try {
    value = manifestTable(text, "dependencies", (key) => key === "python").get("python");
  } catch (error) {
    if (error instanceof ManifestProblem) return error;
    throw error;
  }
  if (value === undefined) return { words: [] };
  if (typeof value === "string" || typeof value === "number") return new ManifestProblem("python is no list of packages");
  const option = value.find((word) => word.trim().startsWith("-"));
  return option === undefined ? { words: value } : new ManifestProblem(`"${option}" is no package`);
}

export interface MissingPackage {
  readonly requirement: string;
  /** What is there and does not do; undefined: nothing. */
  readonly installed: string | undefined;
}

interface Installed {
  readonly name: string;
  readonly version: string;
  readonly extras: readonly string[];
}

/** Requirements that count in the guest and are neither built in nor installed as they are wanted. */
export function missingPackages(requirements: readonly LockedRequirement[], installed: readonly Installed[], isBuiltIn: (name: string) => boolean): readonly MissingPackage[] {
  const missing = new Map<string, MissingPackage>();
  for (const { requirement } of requirements) {
    if (!applies(requirement, []) || isBuiltIn(requirement.name)) continue;
    const found = installed.find(({ name }) => name === requirement.name);
    const fits = found !== undefined && (requirement.specifiers === "" || satisfies(found.version, requirement.specifiers, { prereleases: true })) && requirement.extras.every((extra) => found.extras.includes(extra));
    const text = requirementText(requirement);
    if (!fits) missing.set(text, { requirement: text, installed: found?.version });
  }
  return [...missing.values()];
}

/** The command that installs them, as a shell takes it. */
export function installCommand(missing: readonly MissingPackage[], { indexUrl, extraIndexUrls, findLinks, noIndex }: IndexOptions): string {
  const options = [
    ...(indexUrl === undefined ? [] : ["--index-url", indexUrl]), ...extraIndexUrls.flatMap((url) => ["--extra-index-url", url]),
    ...findLinks.flatMap((place) => ["--find-links", place]), ...(noIndex ? ["--no-index"] : []),
  ];
  return ["influxdb3 install package", ...[...missing.map(({ requirement }) => requirement), ...options].map(shellWord)].join(" ");
}

const shellWord = (word: string): string => (/^[\w.:/@=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** One of them as a person reads it. */
export const missingText = ({ requirement, installed }: MissingPackage): string => (installed === undefined ? requirement : `${requirement} (${installed} is installed)`);
