/** Wires the installing of Python packages: the environment's folder, the index, and the machine's own pip settings. */
import { readFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { createFolderEnvironment } from "../adapters/package-environment/folder.ts";
import { wheelMetadata } from "../adapters/package-environment/unpack-wheel.ts";
import { createHttpPackageIndex } from "../adapters/package-index/http-index.ts";
import type { ServeConfig } from "../core/config/serve-config.ts";
import { DatabaseError, messageOf } from "../core/errors/database-error.ts";
import type { ReadRequirements } from "../core/packages/install-request.ts";
import { REQUIREMENTS_BYTES_MAX } from "../core/packages/limits.ts";
import { Packages } from "../engine/packages/package-api.ts";
import { PackageService } from "../engine/packages/package-service.ts";
import type { InstalledPackage } from "../ports/package-environment.ts";
import type { PluginStore } from "../ports/plugin-store.ts";
import { randomName } from "./random.ts";

const OFFICIAL_INDEX = "https://pypi.org/simple";

/** Packages that plugins have without installing. */
const BUILT_IN: ReadonlyMap<string, string> = new Map([
  ["psutil", "psutil is built in; a trigger may use it with --allow-sys cpu,memory,disk,network"],
  ["influxdb3-python", "influxdb3-python is built in as influxdb_client_3, without Arrow and pandas; a trigger may use it with --allow-net HOST:PORT, or self for this server"],
]);

export interface OpenPackages {
  readonly api: Packages;
  /** Where every set of packages lies; undefined: there is no folder for them. */
  readonly root: string | undefined;
  /** Where the installed packages lie now. */
  folder(): string | undefined;
  onChange(listener: () => void): void;
  installed(): Promise<readonly InstalledPackage[]>;
}

/** Throws `package.corrupt`. */
export async function openPackages(config: ServeConfig, env: (name: string) => string | undefined, plugins: PluginStore): Promise<OpenPackages> {
  const folder = config.virtualEnvDir ?? (config.pluginDir === undefined ? undefined : join(config.pluginDir, ".venv"));
  const environment = folder === undefined ? undefined : createFolderEnvironment(folder, randomName);
  const listeners = new Set<() => void>();
  let current = await environment?.sitePackages();
  const changed = async (): Promise<void> => {
    current = await environment?.sitePackages();
    for (const listener of listeners) listener();
  };
  const words = (name: string): readonly string[] => (env(name) ?? "").split(/\s+/).filter((word) => word !== "");
  const service = environment === undefined ? undefined : new PackageService({
    environment,
    index: createHttpPackageIndex(),
    metadataOf: wheelMetadata,
    builtIn: BUILT_IN,
    onChange: changed,
    defaults: { indexUrl: words("PIP_INDEX_URL")[0] ?? OFFICIAL_INDEX, extraIndexUrls: words("PIP_EXTRA_INDEX_URL"), findLinks: words("PIP_FIND_LINKS"), noIndex: /^(1|true|yes|on)$/i.test(env("PIP_NO_INDEX") ?? "") },
  });
  const installed = async (): Promise<readonly InstalledPackage[]> => (await environment?.installed()) ?? [];
  const api = new Packages({ service, enabled: config.packagesEnabled, read: readBelow(config.pluginDir), plugins, installed, builtIn: BUILT_IN });
  return { api, root: folder, folder: () => current, onChange: (listener) => void listeners.add(listener), installed };
}

/** Only files of the plugin folder: whoever may call the API is not meant to read others. */
function readBelow(pluginDir: string | undefined): ReadRequirements {
  return async (location, from) => {
    const base = from === undefined ? pluginDir : dirname(from);
    const path = base === undefined ? undefined : resolve(base, location);
    if (path === undefined || pluginDir === undefined || !path.startsWith(resolve(pluginDir) + sep)) {
      throw unreadable(location, "the server reads requirements files of its plugin folder only", "give the path of a file on your machine to 'influxdb3 install package -r', which sends it");
    }
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      throw unreadable(location, messageOf(error), "nothing was changed");
    });
    if (text.length > REQUIREMENTS_BYTES_MAX) throw unreadable(location, `it is longer than ${REQUIREMENTS_BYTES_MAX} characters`, "nothing was changed");
    return { location: path, text };
  };
}

const unreadable = (location: string, why: string, hint: string): DatabaseError =>
  new DatabaseError("package.invalid", { message: `The requirements file "${location}" cannot be read: ${why}`, hint });
