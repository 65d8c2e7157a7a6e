/** Which files of a project could be installed in the guest, newest first, and why the others could not. */
import { explain, rcompare, satisfies, valid } from "@renovatebot/pep440";
import { GUEST_ENVIRONMENT } from "./marker.ts";
import { parseWheelName, runsInGuest } from "./name.ts";
import type { IndexFile } from "./simple-index.ts";

export interface Candidate {
  readonly name: string;
  readonly version: string;
  readonly file: IndexFile;
}

export interface ProjectCandidates {
  /** Newest first; one file a version. */
  readonly usable: readonly Candidate[];
  /** Newest first. */
  readonly unusable: readonly { readonly version: string; readonly reason: string }[];
}

const PYTHON = GUEST_ENVIRONMENT["python_full_version"] as string;

export function candidatesOf(name: string, files: readonly IndexFile[]): ProjectCandidates {
  const usable = new Map<string, Candidate>();
  const reasons = new Map<string, string[]>();
  for (const file of files) {
    const wheel = parseWheelName(file.fileName);
    if (wheel === undefined) {
      const version = sourceVersion(file.fileName);
      if (version !== undefined) note(reasons, version, "only source code, which would have to be built");
      continue;
    }
    if (wheel.project !== name) continue;
    const problem = problemOf(file, wheel);
    if (problem === undefined) usable.set(wheel.version, usable.get(wheel.version) ?? { name, version: wheel.version, file });
    else note(reasons, wheel.version, problem);
  }
  const newestFirst = (left: { readonly version: string }, right: { readonly version: string }): number => rcompare(left.version, right.version);
  return {
    usable: [...usable.values()].sort(newestFirst),
    unusable: [...reasons].filter(([version]) => !usable.has(version)).map(([version, all]) => ({ version, reason: [...new Set(all)].slice(0, 3).join("; ") })).sort(newestFirst),
  };
}

function problemOf({ requiresPython, fileName }: IndexFile, wheel: NonNullable<ReturnType<typeof parseWheelName>>): string | undefined {
  if (!runsInGuest(wheel)) return `only compiled wheels, such as ${fileName.split("-").slice(-3).join("-").replace(/\.whl$/, "")}`;
  if (requiresPython !== undefined && !satisfies(PYTHON, requiresPython, { prereleases: true })) return `it needs Python ${requiresPython}, and plugins run on ${PYTHON}`;
  return undefined;
}

function note(reasons: Map<string, string[]>, version: string, reason: string): void {
  const known = reasons.get(version);
  if (known === undefined) reasons.set(version, [reason]);
  else known.push(reason);
}

function sourceVersion(fileName: string): string | undefined {
  const version = /-([^-]+)\.(?:tar\.(?:gz|bz2|xz)|tgz|zip)$/.exec(fileName)?.[1];
  return version !== undefined && valid(version) !== null ? version : undefined;
}

/** Versions that fit, newest first. Withdrawn ones only when they are named exactly; unfinished ones only when named or nothing else fits. */
export function fitting(candidates: readonly Candidate[], specifiers: readonly string[]): readonly Candidate[] {
  const pinned = specifiers.some((specifier) => /^={2,3}[^*,]*$/.test(specifier));
  const naming = specifiers.some((specifier) => /\d(?:a|b|rc|\.dev|-alpha|-beta)/i.test(specifier));
  const all = candidates.filter(({ version, file }) => (file.yanked === undefined || pinned) && specifiers.every((specifier) => specifier === "" || satisfies(version, specifier, { prereleases: true })));
  const finished = all.filter(({ version }) => explain(version)?.is_prerelease === false);
  return naming || finished.length === 0 ? all : finished;
}
