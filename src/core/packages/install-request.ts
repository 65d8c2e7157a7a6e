/** What to install, from words as pip takes them and from requirements files with their includes. */
import { REQUIREMENTS_DEPTH_MAX } from "./limits.ts";
import { parseRequirement, type Requirement } from "./requirement.ts";
import { type IndexOptions, type LockedRequirement, parseRequirementsFile } from "./requirements-file.ts";

export interface InstallRequest {
  readonly requirements: readonly LockedRequirement[];
  readonly constraints: readonly Requirement[];
  readonly index: IndexOptions;
  /** Newest versions, also of what is installed already. */
  readonly upgrade: boolean;
  /** Resolve and tell, change nothing. */
  readonly dryRun: boolean;
}

/** The text of a requirements file; throws what reading throws. `from` is the file that names it. */
export type ReadRequirements = (location: string, from: string | undefined) => Promise<{ readonly location: string; readonly text: string }>;

export interface InstallWords {
  readonly packages: readonly string[];
  /** `-r`. */
  readonly requirementsFiles: readonly string[];
}

const VALUE_FLAGS: Readonly<Record<string, keyof Gathered>> = {
  "--index-url": "indexUrls", "-i": "indexUrls", "--extra-index-url": "extraIndexUrls", "--find-links": "findLinks", "-f": "findLinks", "-r": "files", "--requirement": "files", "-c": "constraintFiles", "--constraint": "constraintFiles",
};
const SWITCHES: ReadonlySet<string> = new Set(["--no-index", "--upgrade", "-U", "--dry-run"]);
/** pip's flags that change nothing here. */
const HARMLESS: ReadonlySet<string> = new Set(["--quiet", "-q", "--no-input", "--disable-pip-version-check", "--no-cache-dir", "--user", "--prefer-binary"]);

interface Gathered {
  readonly indexUrls: string[];
  readonly extraIndexUrls: string[];
  readonly findLinks: string[];
  readonly files: string[];
  readonly constraintFiles: string[];
}

/** Texts are problems. */
export async function readInstallRequest(words: InstallWords, read: ReadRequirements): Promise<InstallRequest | readonly string[]> {
  const problems: string[] = [];
  const gathered: Gathered = { indexUrls: [], extraIndexUrls: [], findLinks: [], files: [...words.requirementsFiles], constraintFiles: [] };
  const requirements: LockedRequirement[] = [];
  const switches = new Set<string>();
  for (let at = 0; at < words.packages.length; at++) {
    const [flag, inline] = splitFlag(words.packages[at] as string);
    const list = VALUE_FLAGS[flag];
    if (list !== undefined) {
      const value = inline ?? words.packages[++at];
      if (value === undefined) problems.push(`${flag} needs a value`);
      else gathered[list].push(value);
    } else if (SWITCHES.has(flag)) switches.add(flag);
    else if (flag.startsWith("-")) HARMLESS.has(flag) || problems.push(`the option "${flag}" is not known here`);
    else {
      const requirement = parseRequirement(words.packages[at] as string);
      if (typeof requirement === "string") problems.push(`"${words.packages[at]}" cannot be installed: ${requirement}`);
      else requirements.push({ requirement, sha256: [] });
    }
  }
  const files = await readFiles(gathered, read);
  problems.push(...files.problems);
  if (problems.length > 0) return problems;
  return {
    requirements: [...requirements, ...files.requirements],
    constraints: files.constraints,
    index: {
      ...(gathered.indexUrls[0] === undefined ? (files.indexUrl === undefined ? {} : { indexUrl: files.indexUrl }) : { indexUrl: gathered.indexUrls[0] }),
      extraIndexUrls: [...gathered.extraIndexUrls, ...files.extraIndexUrls], findLinks: [...gathered.findLinks, ...files.findLinks],
      noIndex: switches.has("--no-index") || files.noIndex,
    },
    upgrade: switches.has("--upgrade") || switches.has("-U"),
    dryRun: switches.has("--dry-run"),
  };
}

function splitFlag(word: string): readonly [flag: string, value: string | undefined] {
  const equals = word.startsWith("--") ? word.indexOf("=") : -1;
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}

interface ReadFiles {
  readonly requirements: LockedRequirement[];
  readonly constraints: Requirement[];
  readonly extraIndexUrls: string[];
  readonly findLinks: string[];
  readonly problems: string[];
  noIndex: boolean;
  indexUrl: string | undefined;
}

async function readFiles({ files, constraintFiles }: Gathered, read: ReadRequirements): Promise<ReadFiles> {
  const found: ReadFiles = { requirements: [], constraints: [], extraIndexUrls: [], findLinks: [], problems: [], noIndex: false, indexUrl: undefined };
  const seen = new Set<string>();
  const visit = async (named: string, from: string | undefined, { depth, asConstraint }: { readonly depth: number; readonly asConstraint: boolean }): Promise<void> => {
    const { location, text } = await read(named, from);
    if (seen.has(`${asConstraint}:${location}`)) return;
    seen.add(`${asConstraint}:${location}`);
    if (depth > REQUIREMENTS_DEPTH_MAX) {
      found.problems.push(`${location}: files include each other more than ${REQUIREMENTS_DEPTH_MAX} deep`);
      return;
    }
    const file = parseRequirementsFile(text);
    if (!("requirements" in file)) {
      found.problems.push(...file.map((problem) => `${location}: ${problem}`));
      return;
    }
    if (asConstraint) found.constraints.push(...file.requirements.map(({ requirement }) => requirement));
    else found.requirements.push(...file.requirements);
    found.extraIndexUrls.push(...file.index.extraIndexUrls);
    found.findLinks.push(...file.index.findLinks);
    found.noIndex ||= file.index.noIndex;
    found.indexUrl ??= file.index.indexUrl;
    for (const include of file.includes) await visit(include, location, { depth: depth + 1, asConstraint });
    for (const constraint of file.constraints) await visit(constraint, location, { depth: depth + 1, asConstraint: true });
  };
  for (const file of files) await visit(file, undefined, { depth: 0, asConstraint: false });
  for (const file of constraintFiles) await visit(file, undefined, { depth: 0, asConstraint: true });
  return found;
}
