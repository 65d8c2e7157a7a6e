/**
 * Finds one version of every package that is needed, newest first, by backtracking: whoever cannot be satisfied sends the
 * search back to the latest choice that had a part in it. What fails is explained in sentences.
 */
import { satisfies } from "@renovatebot/pep440";
import { type Candidate, fitting, type ProjectCandidates } from "./candidates.ts";
import { PACKAGES_MAX, RESOLVER_STEPS_MAX } from "./limits.ts";
import type { PackageMetadata } from "./metadata.ts";
import { applies, type Requirement, requirementText } from "./requirement.ts";

export interface ResolverSource {
  /** Undefined: the index does not know the project. */
  candidates(name: string): Promise<ProjectCandidates | undefined>;
  /** A text: why this version cannot be used. */
  metadata(candidate: Candidate): Promise<PackageMetadata | string>;
}

export interface Resolved {
  readonly candidate: Candidate;
  readonly metadata: PackageMetadata;
  readonly extras: readonly string[];
  /** Who asked for it: names of packages, or nobody but the user. */
  readonly requiredBy: readonly string[];
}

export interface ResolveRequest {
  readonly requirements: readonly Requirement[];
  /** Bound versions of packages that are needed anyway (`-c`). */
  readonly constraints: readonly Requirement[];
  /** Versions that stay where they fit: what is installed already. */
  readonly preferred: ReadonlyMap<string, string>;
}

/** By name; or the sentences that say why there is no solution. */
export async function resolve(request: ResolveRequest, source: ResolverSource): Promise<readonly Resolved[] | readonly string[]> {
  const search = new Search(request, source);
  const outcome = await search.run();
  return outcome === undefined ? search.solution() : outcome.sentences;
}

export const isFailure = (outcome: readonly Resolved[] | readonly string[]): outcome is readonly string[] => typeof outcome[0] === "string";

interface Demand {
  readonly requirement: Requirement;
  /** Undefined: the user. */
  readonly by: string | undefined;
}

interface Choice {
  readonly candidate: Candidate;
  readonly metadata: PackageMetadata;
  readonly extras: Set<string>;
}

interface Conflict {
  /** Packages whose choice had a part in it. */
  readonly involved: ReadonlySet<string>;
  readonly sentences: readonly string[];
}

class Search {
  readonly #request: ResolveRequest;
  readonly #source: ResolverSource;
  /** By package, in the order they were made; undone on the way back. */
  readonly #demands = new Map<string, Demand[]>();
  readonly #choices = new Map<string, Choice>();
  #steps = 0;

  constructor(request: ResolveRequest, source: ResolverSource) {
    this.#request = request;
    this.#source = source;
  }

  run(): Promise<Conflict | undefined> {
    for (const requirement of this.#request.requirements) if (applies(requirement, [])) this.#demand({ requirement, by: undefined });
    return this.#decide();
  }

  solution(): readonly Resolved[] {
    return [...this.#choices.values()]
      .map(({ candidate, metadata, extras }) => ({
        candidate, metadata, extras: [...extras].sort(),
        requiredBy: [...new Set((this.#demands.get(candidate.name) ?? []).flatMap(({ by }) => (by === undefined ? [] : [by])))].sort(),
      }))
      .sort((left, right) => (left.candidate.name < right.candidate.name ? -1 : 1));
  }

  /** Undefined: everything that is demanded is chosen. */
  async #decide(): Promise<Conflict | undefined> {
    const name = [...this.#demands.keys()].find((demanded) => (this.#demands.get(demanded)?.length ?? 0) > 0 && !this.#choices.has(demanded));
    if (name === undefined) return undefined;
    if (this.#choices.size >= PACKAGES_MAX) return { involved: new Set(), sentences: [`More than ${PACKAGES_MAX} packages would be needed`] };
    const known = await this.#source.candidates(name);
    const candidates = known === undefined ? [] : this.#inOrder(name, fitting(known.usable, this.#specifiers(name)));
    const involved = new Set(this.#owners(name));
    let sentences = candidates.length > 0 ? [] : this.#explainNothingFits(name, known);
    for (const candidate of candidates) {
      if (++this.#steps > RESOLVER_STEPS_MAX) return { involved: new Set(), sentences: [`No solution was found after ${RESOLVER_STEPS_MAX} tries; name versions of some packages to help`, ...sentences] };
      const conflict = await this.#try(candidate);
      if (conflict === undefined) return undefined;
      if (!conflict.involved.has(name)) return conflict;
      for (const other of conflict.involved) if (other !== name) involved.add(other);
      if (sentences.length === 0) sentences = [...conflict.sentences];
    }
    return { involved, sentences };
  }

  #inOrder(name: string, candidates: readonly Candidate[]): readonly Candidate[] {
    const preferred = this.#request.preferred.get(name);
    const installed = candidates.filter(({ version }) => version === preferred);
    return [...installed, ...candidates.filter(({ version }) => version !== preferred)];
  }

  async #try(candidate: Candidate): Promise<Conflict | undefined> {
    const { name } = candidate;
    const metadata = await this.#source.metadata(candidate);
    if (typeof metadata === "string") return { involved: new Set([name]), sentences: [`${name} ${candidate.version} cannot be used: ${metadata}`] };
    const marks = this.#mark();
    const choice: Choice = { candidate, metadata, extras: new Set() };
    this.#choices.set(name, choice);
    const extras = (this.#demands.get(name) ?? []).flatMap(({ requirement }) => requirement.extras);
    const conflict = this.#addExtras(choice, ["", ...extras]) ?? (await this.#decide());
    if (conflict !== undefined) this.#undo(marks, name);
    return conflict;
  }

  /** Demands what the package needs for these extras; "" stands for the package itself. */
  #addExtras(choice: Choice, extras: readonly string[]): Conflict | undefined {
    for (const extra of extras) {
      if (extra !== "" && choice.extras.has(extra)) continue;
      if (extra !== "") choice.extras.add(extra);
      for (const requirement of choice.metadata.requirements) {
        const isNew = extra === "" ? applies(requirement, []) : applies(requirement, [extra]) && !applies(requirement, []);
        const conflict = isNew ? this.#demandOf(choice, requirement) : undefined;
        if (conflict !== undefined) return conflict;
      }
    }
    return undefined;
  }

  #demandOf(choice: Choice, requirement: Requirement): Conflict | undefined {
    const by = choice.candidate.name;
    this.#demand({ requirement, by });
    const chosen = this.#choices.get(requirement.name);
    if (chosen === undefined) return undefined;
    if (requirement.specifiers !== "" && !satisfies(chosen.candidate.version, requirement.specifiers, { prereleases: true })) {
      return { involved: new Set([by, requirement.name, ...this.#owners(requirement.name)]), sentences: this.#explainDemands(requirement.name) };
    }
    return this.#addExtras(chosen, requirement.extras);
  }

  #demand(demand: Demand): void {
    const { name } = demand.requirement;
    const demands = this.#demands.get(name);
    if (demands === undefined) this.#demands.set(name, [demand]);
    else demands.push(demand);
  }

  #specifiers(name: string): readonly string[] {
    const demanded = (this.#demands.get(name) ?? []).map(({ requirement }) => requirement);
    return [...demanded, ...this.#request.constraints.filter((constraint) => constraint.name === name && applies(constraint, []))].map(({ specifiers }) => specifiers);
  }

  #owners(name: string): readonly string[] {
    return (this.#demands.get(name) ?? []).flatMap(({ by }) => (by === undefined ? [] : [by]));
  }

  /** How much there was of everything, to go back to. */
  #mark(): Marks {
    return {
      demands: new Map([...this.#demands].map(([name, demands]) => [name, demands.length])),
      extras: new Map([...this.#choices].map(([name, { extras }]) => [name, new Set(extras)])),
    };
  }

  #undo({ demands: lengths, extras }: Marks, name: string): void {
    this.#choices.delete(name);
    for (const [demanded, demands] of this.#demands) demands.length = lengths.get(demanded) ?? 0;
    for (const [chosen, choice] of this.#choices) {
      choice.extras.clear();
      for (const extra of extras.get(chosen) ?? []) choice.extras.add(extra);
    }
  }

  #explainDemands(name: string): readonly string[] {
    const asked = (this.#demands.get(name) ?? []).map(({ requirement, by }) => `${by === undefined ? "you ask for" : `${by} ${this.#choices.get(by)?.candidate.version ?? ""} needs`} ${requirementText(requirement)}`);
    const bounds = this.#request.constraints.filter((constraint) => constraint.name === name).map((constraint) => `your constraints allow ${requirementText(constraint)}`);
    return [`No version of ${name} fits everyone: ${[...new Set([...asked, ...bounds])].join("; ")}`];
  }

  #explainNothingFits(name: string, known: ProjectCandidates | undefined): string[] {
    if (known === undefined) return [`The package ${name} is not in the index${this.#wanted(name)}`];
    const wanted = this.#specifiers(name).filter((specifier) => specifier !== "");
    const fits = (version: string): boolean => wanted.every((specifier) => satisfies(version, specifier, { prereleases: true }));
    const unusable = known.unusable.filter(({ version }) => fits(version));
    const [newest] = unusable;
    if (newest !== undefined) return [`${name} ${newest.version} cannot run in a plugin: ${newest.reason}${unusable.length > 1 ? `; the same goes for ${unusable.length - 1} older versions` : ""}${this.#wanted(name)}`];
    return known.usable.length === 0 && known.unusable.length === 0 ? [`The index has no files of ${name}${this.#wanted(name)}`] : [...this.#explainDemands(name)];
  }

  #wanted(name: string): string {
    const owners = this.#owners(name);
    return owners.length === 0 ? "" : ` (${owners.join(", ")} needs it)`;
  }
}

interface Marks {
  readonly demands: ReadonlyMap<string, number>;
  readonly extras: ReadonlyMap<string, ReadonlySet<string>>;
}
