/**
 * Installs Python packages for plugins: resolves everything first, fetches and checks every wheel, then changes the
 * environment in one step. Until that step nothing is different; what fails says why and what to do.
 */
import { satisfies } from "@renovatebot/pep440";
import { type Candidate, candidatesOf, type ProjectCandidates } from "../../core/packages/candidates.ts";
import { type InstallRequest } from "../../core/packages/install-request.ts";
import { METADATA_BYTES_MAX, WHEEL_BYTES_MAX } from "../../core/packages/limits.ts";
import { parseMetadata, type PackageMetadata } from "../../core/packages/metadata.ts";
import { normalizeName } from "../../core/packages/name.ts";
import { isFailure, resolve, type Resolved } from "../../core/packages/resolver.ts";
import type { IndexOptions } from "../../core/packages/requirements-file.ts";
import type { IndexFile } from "../../core/packages/simple-index.ts";
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { InstalledPackage, PackageEnvironment } from "../../ports/package-environment.ts";
import type { PackageIndex } from "../../ports/package-index.ts";
import { Serial } from "../serial.ts";

const WAITING_MAX = 8;
const INSTALLED_ALREADY = "installed";

export interface PackageServiceOptions {
  readonly environment: PackageEnvironment;
  readonly index: PackageIndex;
  /** Reads the wheel's own METADATA where the index has no metadata files. Throws `package.corrupt`. */
  readonly metadataOf: (wheel: Uint8Array, fileName: string) => string;
  /** Where nothing else is said: the official index, or the machine's own settings. */
  readonly defaults: IndexOptions & { readonly indexUrl: string };
  /** Packages that the guest has without installing, and what to say of each. */
  readonly builtIn: ReadonlyMap<string, string>;
  /** Called after the environment changed, and waited for. */
  readonly onChange?: () => Promise<void>;
}

export interface PackageChange {
  readonly name: string;
  readonly version: string;
  /** Undefined: it was not installed. */
  readonly before: string | undefined;
}

export interface InstallReport {
  readonly installed: readonly PackageChange[];
  readonly removed: readonly { readonly name: string; readonly version: string }[];
  readonly unchanged: readonly { readonly name: string; readonly version: string }[];
  /** Packages that need no installing, with a sentence each. */
  readonly notes: readonly string[];
  readonly dryRun: boolean;
}

export type InstallProgress = (step: { readonly step: "resolve" | "download" | "unpack"; readonly name: string; readonly bytes?: number; readonly total?: number }) => void;

export class PackageService {
  readonly #options: PackageServiceOptions;
  readonly #serial = new Serial(WAITING_MAX, () => new DatabaseError("package.busy", { message: "Too many installs are waiting", hint: "try again when they are done" }));

  constructor(options: PackageServiceOptions) {
    this.#options = options;
  }

  installed(): Promise<readonly InstalledPackage[]> {
    return this.#options.environment.installed();
  }

  /** Throws `package.*`, `object_store.unavailable`; then nothing was changed. */
  install(request: InstallRequest, progress: InstallProgress = () => undefined): Promise<InstallReport> {
    return this.#serial.run(() => this.#install(request, progress));
  }

  /** Packages that only these needed go too. Throws `package.invalid` for one that is not there or that others need. */
  uninstall(names: readonly string[]): Promise<InstallReport> {
    return this.#serial.run(() => this.#uninstall(names.map(normalizeName)));
  }

  async #install(request: InstallRequest, progress: InstallProgress): Promise<InstallReport> {
    const { environment, builtIn } = this.#options;
    const before = await environment.installed();
    const wanted = request.requirements.filter(({ requirement }) => !builtIn.has(requirement.name));
    const notes = request.requirements.flatMap(({ requirement }) => builtIn.get(requirement.name) ?? []);
    if (wanted.length === 0) return { installed: [], removed: [], unchanged: before.map(({ name, version }) => ({ name, version })), notes, dryRun: request.dryRun };
    const source = new IndexSource(this.#options, request, before, progress);
    const kept = before.filter(({ requested, name }) => requested && !wanted.some(({ requirement }) => requirement.name === name));
    const preferred = new Map(request.upgrade ? [] : before.map(({ name, version }) => [name, version]));
    const requirements = [...wanted.map(({ requirement }) => requirement), ...kept.map(({ name, version, extras }) => ({ name, extras, specifiers: `==${version}` }))];
    const outcome = await resolve({ requirements, constraints: request.constraints, preferred }, source);
    if (isFailure(outcome)) throw conflict(outcome);
    const requested = new Set([...wanted.map(({ requirement }) => requirement.name), ...kept.map(({ name }) => name)]);
    const packages = await this.#fetchAll(outcome, { request, source, requested, progress });
    if (!request.dryRun && !sameSet(before, packages)) {
      progress({ step: "unpack", name: "" });
      await environment.replace(packages);
      await this.#options.onChange?.();
    }
    return { ...difference(before, packages), notes, dryRun: request.dryRun };
  }

  async #fetchAll(
    resolved: readonly Resolved[],
    { request, source, requested, progress }: { readonly request: InstallRequest; readonly source: IndexSource; readonly requested: ReadonlySet<string>; readonly progress: InstallProgress },
  ): Promise<readonly (InstalledPackage & { readonly wheel: Uint8Array })[]> {
    const packages: (InstalledPackage & { readonly wheel: Uint8Array })[] = [];
    for (const { candidate, extras, requiredBy } of resolved) {
      const wheel = await source.wheel(candidate, progress);
      const sha256 = this.#options.environment.sha256(wheel);
      checkHashes(candidate, sha256, request);
      packages.push({ name: candidate.name, version: candidate.version, fileName: candidate.file.fileName, sha256, extras, requiredBy, requested: requested.has(candidate.name), wheel });
    }
    return packages;
  }

  async #uninstall(names: readonly string[]): Promise<InstallReport> {
    const { environment } = this.#options;
    const before = await environment.installed();
    const absent = names.find((name) => !before.some((installed) => installed.name === name));
    if (absent !== undefined) throw new DatabaseError("package.invalid", { message: `The package ${absent} is not installed`, hint: "'influxdb3 show packages' lists what is" });
    const kept = withoutOrphans(before.filter(({ name }) => !names.includes(name)));
    const needed = names.map((name) => [name, kept.find((other) => before.find((installed) => installed.name === name)?.requiredBy.includes(other.name) === true)] as const).find(([, by]) => by !== undefined);
    if (needed !== undefined) throw new DatabaseError("package.invalid", { message: `${needed[1]?.name} needs ${needed[0]}`, hint: "uninstall both, or neither" });
    const packages: (InstalledPackage & { readonly wheel: Uint8Array })[] = [];
    for (const installed of kept) {
      const wheel = await environment.cached(installed.sha256);
      if (wheel === undefined) throw new DatabaseError("package.corrupt", { message: `The kept wheel of ${installed.name} is gone`, hint: `install it again: influxdb3 install package ${installed.name}==${installed.version}` });
      packages.push({ ...installed, wheel });
    }
    await environment.replace(packages);
    await this.#options.onChange?.();
    return { ...difference(before, packages), notes: [], dryRun: false };
  }
}

/** Candidates from every index and link page that is named, and wheels from the cache first. */
class IndexSource {
  readonly #options: PackageServiceOptions;
  readonly #index: IndexOptions & { readonly indexUrl: string };
  readonly #before: readonly InstalledPackage[];
  readonly #upgrade: boolean;
  readonly #progress: InstallProgress;
  readonly #pages = new Map<string, Promise<ProjectCandidates | undefined>>();
  readonly #metadata = new Map<Candidate, Promise<PackageMetadata | string>>();
  readonly #wheels = new Map<Candidate, Promise<Uint8Array>>();
  #links: Promise<readonly IndexFile[]> | undefined;

  constructor(options: PackageServiceOptions, request: InstallRequest, before: readonly InstalledPackage[], progress: InstallProgress) {
    this.#options = options;
    this.#index = {
      indexUrl: request.index.indexUrl ?? options.defaults.indexUrl,
      extraIndexUrls: [...request.index.extraIndexUrls, ...options.defaults.extraIndexUrls],
      findLinks: [...request.index.findLinks, ...options.defaults.findLinks],
      noIndex: request.index.noIndex || options.defaults.noIndex,
    };
    this.#before = before;
    this.#upgrade = request.upgrade;
    this.#progress = progress;
  }

  candidates(name: string): Promise<ProjectCandidates | undefined> {
    return once(this.#pages, name, () => this.#candidates(name));
  }

  metadata(candidate: Candidate): Promise<PackageMetadata | string> {
    return once(this.#metadata, candidate, () => this.#readMetadata(candidate));
  }

  /** Checked against the index's hash. */
  wheel(candidate: Candidate, progress: InstallProgress): Promise<Uint8Array> {
    return once(this.#wheels, candidate, () => this.#fetchWheel(candidate, progress));
  }

  async #candidates(name: string): Promise<ProjectCandidates | undefined> {
    this.#progress({ step: "resolve", name });
    const installed = this.#before.find((other) => other.name === name);
    // What is installed and in the cache needs no index: so everything works offline once it was there.
    const own: IndexFile[] = installed === undefined || (await this.#options.environment.cached(installed.sha256)) === undefined ? [] : [installedFile(installed)];
    this.#links ??= Promise.all(this.#index.findLinks.map((location) => this.#options.index.links(location))).then((pages) => pages.flat());
    const linked = (await this.#links).filter(({ fileName }) => normalizeName(fileName.split("-")[0] ?? "") === name);
    const pages = await this.#projectPages(name, own.length > 0 && !this.#upgrade);
    const files = [...own, ...linked, ...pages.flatMap((page) => page ?? [])];
    return files.length === 0 && pages.every((page) => page === undefined) ? undefined : candidatesOf(name, files);
  }

  async #projectPages(name: string, mayBeOffline: boolean): Promise<readonly (readonly IndexFile[] | undefined)[]> {
    if (this.#index.noIndex) return [];
    try {
      return await Promise.all([this.#index.indexUrl, ...this.#index.extraIndexUrls].map((url) => this.#options.index.project(url, name)));
    } catch (error) {
      if (mayBeOffline) return [];
      throw error;
    }
  }

  async #readMetadata(candidate: Candidate): Promise<PackageMetadata | string> {
    const parsed = parseMetadata(await this.#metadataText(candidate));
    if (typeof parsed === "string" || (parsed.name === candidate.name && satisfies(parsed.version, `==${candidate.version}`, { prereleases: true }))) return parsed;
    return `its metadata is that of ${parsed.name} ${parsed.version}`;
  }

  async #metadataText(candidate: Candidate): Promise<string> {
    const { file } = candidate;
    if (file.metadata === undefined) return this.#options.metadataOf(await this.wheel(candidate, this.#progress), file.fileName);
    const bytes = await this.#options.index.download(`${file.url}.metadata`, { bytesMax: METADATA_BYTES_MAX });
    this.#check(bytes, file.metadata.sha256, `${file.fileName}.metadata`);
    return new TextDecoder().decode(bytes);
  }

  async #fetchWheel({ name, file }: Candidate, progress: InstallProgress): Promise<Uint8Array> {
    const { environment, index } = this.#options;
    const cached = file.sha256 === undefined ? undefined : await environment.cached(file.sha256);
    if (cached !== undefined) return cached;
    progress({ step: "download", name });
    const wheel = await index.download(file.url, { bytesMax: WHEEL_BYTES_MAX, onProgress: (bytes, total) => progress({ step: "download", name, bytes, ...(total === undefined ? {} : { total }) }) });
    this.#check(wheel, file.sha256, file.fileName);
    await environment.keep(environment.sha256(wheel), wheel);
    return wheel;
  }

  #check(bytes: Uint8Array, sha256: string | undefined, what: string): void {
    if (sha256 === undefined || this.#options.environment.sha256(bytes) === sha256) return;
    throw new DatabaseError("package.corrupt", { message: `"${what}" has another hash than the index says`, hint: "nothing was changed; the download was damaged, or somebody changed the file" });
  }
}

function once<Key, Value>(known: Map<Key, Promise<Value>>, key: Key, make: () => Promise<Value>): Promise<Value> {
  let value = known.get(key);
  if (value === undefined) known.set(key, (value = make()));
  return value;
}

const installedFile = ({ fileName, sha256 }: InstalledPackage): IndexFile => ({ fileName, url: INSTALLED_ALREADY, sha256, requiresPython: undefined, yanked: undefined, metadata: undefined });

function checkHashes({ name, version }: Candidate, sha256: string, { requirements }: InstallRequest): void {
  const allowed = requirements.filter(({ requirement }) => requirement.name === name).flatMap((locked) => locked.sha256);
  const hashesAreUsed = requirements.some((locked) => locked.sha256.length > 0);
  if (allowed.includes(sha256) || (allowed.length === 0 && !hashesAreUsed)) return;
  throw new DatabaseError("package.conflict", {
    message: allowed.length === 0 ? `${name} ${version} has no hash in the requirements, and others have` : `The wheel of ${name} ${version} has none of the hashes that the requirements allow`,
    hint: allowed.length === 0 ? `add --hash=sha256:${sha256} to it, or give no hashes at all` : "nothing was changed; the file is not the one that was meant",
  });
}

function conflict(sentences: readonly string[]): DatabaseError {
  const isCompiled = sentences.some((sentence) => sentence.includes("cannot run in a plugin"));
  return new DatabaseError("package.conflict", {
    message: sentences.join("; "),
    hint: isCompiled
      ? "plugins run on CPython for WebAssembly, which takes pure Python wheels (py3-none-any) only; look for a pure Python package that does the same, or call a service over HTTP"
      : "nothing was changed; loosen the versions that you ask for, or uninstall what stands against them",
  });
}

function sameSet(before: readonly InstalledPackage[], after: readonly InstalledPackage[]): boolean {
  const keys = (packages: readonly InstalledPackage[]): string => packages.map(({ name, sha256, requested, extras, requiredBy }) => [name, sha256, requested, extras.join(), requiredBy.join()].join(" ")).sort().join("\n");
  return keys(before) === keys(after);
}

function difference(before: readonly InstalledPackage[], after: readonly InstalledPackage[]): Pick<InstallReport, "installed" | "removed" | "unchanged"> {
  const old = new Map(before.map((installed) => [installed.name, installed]));
  const isSame = ({ name, sha256 }: InstalledPackage): boolean => old.get(name)?.sha256 === sha256;
  return {
    installed: after.filter((installed) => !isSame(installed)).map(({ name, version }) => ({ name, version, before: old.get(name)?.version })),
    removed: before.filter(({ name }) => !after.some((installed) => installed.name === name)).map(({ name, version }) => ({ name, version })),
    unchanged: after.filter(isSame).map(({ name, version }) => ({ name, version })),
  };
}

/** What nobody asked for and nobody needs any more goes, and what only that needed. */
function withoutOrphans(packages: readonly InstalledPackage[]): readonly InstalledPackage[] {
  const kept = packages.filter(({ requested, requiredBy }) => requested || requiredBy.some((owner) => packages.some(({ name }) => name === owner)));
  return kept.length === packages.length ? kept : withoutOrphans(kept);
}
