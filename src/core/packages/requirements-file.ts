/** `requirements.txt` as pip reads it, without what would run code or leave the index: editables, URLs, paths. */
import { REQUIREMENTS_BYTES_MAX } from "./limits.ts";
import { parseRequirement, type Requirement } from "./requirement.ts";

export interface RequirementsFile {
  readonly requirements: readonly LockedRequirement[];
  /** `-c`: files of constraints. */
  readonly constraints: readonly string[];
  /** `-r`: further files. */
  readonly includes: readonly string[];
  readonly index: IndexOptions;
}

/** A requirement and the hashes that its file must have one of. */
export interface LockedRequirement {
  readonly requirement: Requirement;
  /** Hex SHA-256 digests; empty: every file fits. */
  readonly sha256: readonly string[];
}

export interface IndexOptions {
  readonly indexUrl?: string;
  readonly extraIndexUrls: readonly string[];
  readonly findLinks: readonly string[];
  readonly noIndex: boolean;
}

/** Texts are problems, each with its line number. */
export function parseRequirementsFile(text: string): RequirementsFile | readonly string[] {
  if (text.length > REQUIREMENTS_BYTES_MAX) return [`it is longer than ${REQUIREMENTS_BYTES_MAX} characters`];
  const problems: string[] = [];
  const found: Found = { requirements: [], constraints: [], includes: [], extraIndexUrls: [], findLinks: [], noIndex: false, indexUrl: undefined };
  for (const { line, number } of logicalLines(text)) {
    const problem = line.startsWith("-") ? readOption(line, found) : readRequirement(line, found);
    if (problem !== undefined) problems.push(`line ${number}: ${problem}`);
  }
  if (problems.length > 0) return problems;
  const { requirements, constraints, includes, extraIndexUrls, findLinks, noIndex, indexUrl } = found;
  return { requirements, constraints, includes, index: { extraIndexUrls, findLinks, noIndex, ...(indexUrl === undefined ? {} : { indexUrl }) } };
}

interface Found {
  readonly requirements: LockedRequirement[];
  readonly constraints: string[];
  readonly includes: string[];
  readonly extraIndexUrls: string[];
  readonly findLinks: string[];
  noIndex: boolean;
  indexUrl: string | undefined;
}

/** Comments begin a line or follow a blank; a backslash at the end joins the next line. */
function* logicalLines(text: string): Generator<{ readonly line: string; readonly number: number }> {
  let joined = "";
  let first = 0;
  for (const [index, raw] of text.split(/\r\n|\r|\n/).entries()) {
    if (joined === "") first = index + 1;
    const line = raw.replace(/(?:^|\s+)#.*$/, "");
    if (line.endsWith("\\")) {
      joined += `${line.slice(0, -1)} `;
      continue;
    }
    const whole = (joined + line).trim();
    joined = "";
    if (whole !== "") yield { line: whole, number: first };
  }
  if (joined.trim() !== "") yield { line: joined.trim(), number: first };
}

function readRequirement(line: string, found: Found): string | undefined {
  const [head = "", ...options] = line.split(/\s+(?=--[a-z])/);
  const sha256: string[] = [];
  for (const option of options) {
    const hash = /^--hash[=\s]([a-z0-9]+):([0-9a-f]+)$/i.exec(option.trim());
    if (hash === null) return `the option "${option.trim()}" is not known here`;
    if (hash[1]?.toLowerCase() === "sha256" && /^[0-9a-f]{64}$/i.test(hash[2] as string)) sha256.push((hash[2] as string).toLowerCase());
  }
  if (options.length > 0 && sha256.length === 0) return "only sha256 hashes are checked, and none is given";
  const requirement = parseRequirement(head);
  if (typeof requirement === "string") return `"${head}" cannot be installed: ${requirement}`;
  found.requirements.push({ requirement, sha256 });
  return undefined;
}

const VALUE_OPTIONS: Readonly<Record<string, (found: Found, value: string) => void>> = {
  "-r": (found, value) => found.includes.push(value),
  "--requirement": (found, value) => found.includes.push(value),
  "-c": (found, value) => found.constraints.push(value),
  "--constraint": (found, value) => found.constraints.push(value),
  "-i": (found, value) => void (found.indexUrl = value),
  "--index-url": (found, value) => void (found.indexUrl = value),
  "--extra-index-url": (found, value) => found.extraIndexUrls.push(value),
  "-f": (found, value) => found.findLinks.push(value),
  "--find-links": (found, value) => found.findLinks.push(value),
};
/** They change nothing for wheels of our kind. */
const HARMLESS: ReadonlySet<string> = new Set(["--prefer-binary", "--only-binary", "--require-hashes"]);

function readOption(line: string, found: Found): string | undefined {
  const match = /^(-[a-z](?=\s|[^-=\s])|--[a-z-]+)[=\s]*(.*)$/.exec(line);
  const [, name = line, value = ""] = match ?? [];
  if (name === "--no-index") {
    found.noIndex = true;
    return undefined;
  }
  const take = VALUE_OPTIONS[name];
  if (take !== undefined) {
    if (value === "") return `${name} needs a value`;
    take(found, value.trim());
    return undefined;
  }
  if (HARMLESS.has(name)) return undefined;
  if (name === "-e" || name === "--editable") return "editable installs would run code; name a version of the index";
  return `the option "${name}" is not known here`;
}
