/**
 * Packages as the HTTP API asks for them: words and files become a request, and the server's own rules are applied. Also what a
 * plugin says that it needs, against what is there.
 */
import { DatabaseError, isDatabaseError } from "../../core/errors/database-error.ts";
import { type InstallRequest, type InstallWords, readInstallRequest, type ReadRequirements } from "../../core/packages/install-request.ts";
import { installCommand, missingPackages, type MissingPackage, type ReadBeside, readPluginRequirements } from "../../core/packages/plugin-requirements.ts";
import type { InstalledPackage } from "../../ports/package-environment.ts";
import type { PluginStore } from "../../ports/plugin-store.ts";
import type { InstallProgress, InstallReport, PackageService } from "./package-service.ts";

export interface PackageApiOptions {
  /** Undefined: there is no folder for packages. */
  readonly service: PackageService | undefined;
  /** False: `--package-manager disabled`. */
  readonly enabled: boolean;
  /** Reads a requirements file of the server. */
  readonly read: ReadRequirements;
  readonly plugins: Pick<PluginStore, "beside">;
  readonly installed: () => Promise<readonly InstalledPackage[]>;
  /** Packages that the guest has without installing, and what to say of each. */
  readonly builtIn: ReadonlyMap<string, string>;
}

/** A plugin on the server or in a repository, or the files beside the code of one that is about to be uploaded. */
export type PluginPlace = { readonly fileName: string } | { readonly files: ReadonlyMap<string, string> };

export interface NeededPackages {
  readonly missing: readonly MissingPackage[];
  /** What installs them; undefined: nothing is missing. */
  readonly command: string | undefined;
  /** Why they cannot be installed on this server; undefined: they can. */
  readonly refusal: string | undefined;
  /** What cannot be read of the plugin's requirements. */
  readonly problems: readonly string[];
}

const NOTHING_DONE: InstallReport = { installed: [], removed: [], unchanged: [], notes: [], dryRun: false };

export class Packages {
  readonly #options: PackageApiOptions;

  constructor(options: PackageApiOptions) {
    this.#options = options;
  }

  async install(words: InstallWords, files: ReadonlyMap<string, string> | undefined, progress: InstallProgress): Promise<InstallReport> {
    const service = this.#service();
    const request = await readInstallRequest(words, files === undefined ? this.#options.read : fromFiles(files));
    if (!("requirements" in request)) throw invalid(request.join("; "), "nothing was changed; write packages as in requests==2.32.3 or requests>=2,<3");
    if (request.requirements.length === 0) throw invalid("No package is named", "name one, or a requirements file with -r");
    return service.install(request, progress);
  }

  async uninstall(names: readonly string[]): Promise<InstallReport> {
    if (names.length === 0) throw invalid("No package is named", "'influxdb3 show packages' lists what is installed");
    return this.#service().uninstall(names);
  }

  /** A plugin that is not there needs nothing: whoever runs it says more. */
  async neededBy(place: PluginPlace): Promise<NeededPackages> {
    const request = await this.#requirementsOf(place);
    if (!("requirements" in request)) return { missing: [], command: undefined, refusal: undefined, problems: request };
    const missing = await this.#missing(request);
    if (missing.length === 0) return { missing, command: undefined, refusal: undefined, problems: [] };
    return { missing, command: installCommand(missing, request.index), refusal: this.#refusal()?.message, problems: [] };
  }

  /** Installs what a plugin needs and is not there, all of it or nothing. Throws what `install` throws. */
  async installFor(place: PluginPlace, progress: InstallProgress): Promise<InstallReport> {
    const request = await this.#requirementsOf(place);
    if (!("requirements" in request)) throw invalid(`What the plugin needs cannot be read: ${request.join("; ")}`, "nothing was changed; correct its manifest.toml or requirements.txt");
    return (await this.#missing(request)).length === 0 ? NOTHING_DONE : this.#service().install(request, progress);
  }

  async #missing(request: InstallRequest): Promise<readonly MissingPackage[]> {
    if (request.requirements.length === 0) return [];
    return missingPackages(request.requirements, await this.#options.installed(), (name) => this.#options.builtIn.has(name));
  }

  #requirementsOf(place: PluginPlace): Promise<InstallRequest | readonly string[]> {
    const beside: ReadBeside = "files" in place ? (name) => Promise.resolve(place.files.get(name)) : (name) => this.#beside(place.fileName, name);
    return readPluginRequirements(beside);
  }

  async #beside(fileName: string, name: string): Promise<string | undefined> {
    try {
      return await this.#options.plugins.beside(fileName, name);
    } catch (error) {
      if (isDatabaseError(error)) return undefined;
      throw error;
    }
  }

  #service(): PackageService {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    return this.#options.service as PackageService;
  }

  #refusal(): DatabaseError | undefined {
    const { service, enabled } = this.#options;
    if (!enabled) return new DatabaseError("package.disabled", { message: "Package installation has been disabled. Contact your administrator for more information." });
    if (service !== undefined) return undefined;
    return new DatabaseError("plugin.no_directory", { message: "Python plugins not enabled on this server", hint: "start the server with --plugin-dir or --virtual-env-location" });
  }
}

const invalid = (message: string, hint: string): DatabaseError => new DatabaseError("package.invalid", { message, hint });

/** Names in an included file are relative to it, as pip has it. */
function fromFiles(files: ReadonlyMap<string, string>): ReadRequirements {
  return (location, from) => {
    const folder = from?.includes("/") === true ? from.slice(0, from.lastIndexOf("/") + 1) : "";
    const found = [`${folder}${location}`, location].find((name) => files.has(name));
    const text = found === undefined ? undefined : files.get(found);
    if (found === undefined || text === undefined) return Promise.reject(invalid(`The requirements file "${location}" was not sent along`, "nothing was changed"));
    return Promise.resolve({ location: found, text });
  };
}
