/** Packages as the HTTP API asks for them: words and files become a request, and the server's own rules are applied. */
import { DatabaseError } from "../../core/errors/database-error.ts";
import { type InstallWords, readInstallRequest, type ReadRequirements } from "../../core/packages/install-request.ts";
import type { InstallProgress, InstallReport, PackageService } from "./package-service.ts";

export interface PackageApiOptions {
  /** Undefined: there is no folder for packages. */
  readonly service: PackageService | undefined;
  /** False: `--package-manager disabled`. */
  readonly enabled: boolean;
  /** Reads a requirements file of the server. */
  readonly read: ReadRequirements;
}

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

  #service(): PackageService {
    const { service, enabled } = this.#options;
    if (!enabled) throw new DatabaseError("package.disabled", { message: "Package installation has been disabled. Contact your administrator for more information." });
    if (service !== undefined) return service;
    throw new DatabaseError("plugin.no_directory", { message: "Python plugins not enabled on this server", hint: "start the server with --plugin-dir or --virtual-env-location" });
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
