/**
 * The plugin folder on disk, with the bundled plugins as a read-only overlay: the user's file wins. Names are relative
 * to the folder, or absolute inside it; nothing outside is ever opened, symbolic links included (spec:
 * processing-engine §4.2). Names that start with `gh:` are left to the repository.
 */
import { mkdir } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { DatabaseError } from "../../core/errors/database-error.ts";
import { MANIFEST_BYTES_MAX } from "../../core/trigger/manifest-grants.ts";
import type { PluginCode } from "../../ports/plugin-runtime.ts";
import type { PluginFile, PluginStore } from "../../ports/plugin-store.ts";
import { outside, reading } from "./errors.ts";
import { PLUGINS_KEPT_MAX } from "./limits.ts";
import { OWN_FOLDER, refuseLinksOutside, relativeName } from "./plugin-paths.ts";
import { type Located, packageFiles, readBounded, readPackage, readSingle, statOrUndefined } from "./read-plugin.ts";
import { REPOSITORY_PREFIX, RepositoryPlugins, type RepositoryOptions } from "./repository.ts";
import { replaceFile, replaceFolder } from "./write-plugin.ts";

export interface FolderPluginStoreOptions {
  /** The user's plugin folder; undefined: there are only the bundled plugins. */
  readonly folder: string | undefined;
  /** Bundled plugins, never written. */
  readonly overlay: string | undefined;
  /** Makes names of temporary files unique. */
  readonly randomName: () => string;
  /** Undefined: `--plugin-dir-only`, no repository and no uploads. */
  readonly repository: Omit<RepositoryOptions, "bundled"> | undefined;
}

const MANIFEST_NAME = "manifest.toml";

export const pinsFolder = (folder: string | undefined): string | undefined => (folder === undefined ? undefined : join(folder, OWN_FOLDER));

export function createFolderPluginStore(options: FolderPluginStoreOptions): PluginStore {
  return new FolderPluginStore(options);
}

class FolderPluginStore implements PluginStore {
  readonly #options: FolderPluginStoreOptions;
  readonly #loaded = new Map<string, { readonly stamp: string; readonly code: PluginCode }>();
  readonly #repository: RepositoryPlugins | undefined;

  constructor(options: FolderPluginStoreOptions) {
    this.#options = options;
    const { repository } = options;
    this.#repository = repository === undefined ? undefined : new RepositoryPlugins({ ...repository, bundled: (name) => this.#fromFolders(name) });
  }

  async load(fileName: string): Promise<PluginCode> {
    return fileName.startsWith(REPOSITORY_PREFIX) ? this.#repositoryFor(fileName).load(fileName) : this.#fromFolders(fileName);
  }

  async newest(fileName: string, options: { readonly pin: boolean }): Promise<PluginCode> {
    return fileName.startsWith(REPOSITORY_PREFIX) ? this.#repositoryFor(fileName).newest(fileName, options) : this.#fromFolders(fileName);
  }

  async manifest(fileName: string): Promise<string | undefined> {
    const name = fileName.startsWith(REPOSITORY_PREFIX) ? this.#repositoryFor(fileName).bundledName(fileName) : fileName;
    if (name === undefined) return undefined;
    const place = await this.#locate(name);
    const folder = place.stats.isDirectory() ? place.path : dirname(place.path);
    const path = join(folder, MANIFEST_NAME);
    if ((await statOrUndefined(path)) === undefined) return undefined;
    await refuseLinksOutside(folder, path, fileName);
    return new TextDecoder().decode((await readBounded(path)).subarray(0, MANIFEST_BYTES_MAX));
  }

  async write(fileName: string, content: Uint8Array): Promise<void> {
    const { folder, path } = await this.#writable(fileName);
    await mkdir(dirname(path), { recursive: true });
    await refuseLinksOutside(folder, dirname(path), fileName);
    if ((await statOrUndefined(path))?.isDirectory() === true) {
      throw reading(`${resolve(path)} is a directory`, "name a file in it, or replace the directory");
    }
    await replaceFile(path, content, `${path}.${this.#options.randomName()}.tmp`);
  }

  async replaceFolder(fileName: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { folder, path } = await this.#writable(fileName);
    if (!files.has("__init__.py")) throw reading(`Multi-file plugin directory must contain __init__.py: ${resolve(path)}`, "send an __init__.py with the entry point");
    for (const name of files.keys()) await relativeName(path, name);
    await mkdir(dirname(path), { recursive: true });
    await refuseLinksOutside(folder, dirname(path), fileName);
    if ((await statOrUndefined(path))?.isFile() === true) throw reading(`${resolve(path)} is a file`, "replace a single-file plugin by a file");
    const mark = `${path}.${this.#options.randomName()}`;
    await replaceFolder(path, files, { temporary: `${mark}.tmp`, old: `${mark}.old` });
  }

  async files(fileName: string): Promise<readonly PluginFile[]> {
    if (fileName.startsWith(REPOSITORY_PREFIX)) return [];
    const place = await this.#locate(fileName).catch(() => undefined);
    if (place === undefined) return [];
    const isFolder = place.stats.isDirectory();
    const found = isFolder ? await packageFiles(place.path).catch(() => []) : [place];
    return found.map((file): PluginFile => ({
      fileName: isFolder ? relative(place.path, file.path).split(sep).join("/") : basename(file.path),
      filePath: resolve(file.path),
      sizeBytes: file.stats.size,
      modifiedMs: Math.floor(file.stats.mtimeMs),
    }));
  }

  async #fromFolders(fileName: string): Promise<PluginCode> {
    const place = await this.#locate(fileName);
    const isFolder = place.stats.isDirectory();
    const files = isFolder ? await packageFiles(place.path) : [place];
    // The change time moves with every write, also with one that sets the modification time back.
    const stamp = files.map(({ path, stats }) => `${path}:${stats.mtimeMs}:${stats.ctimeMs}:${stats.size}`).join("|");
    const last = this.#loaded.get(place.name);
    if (last !== undefined && last.stamp === stamp) return last.code;
    const code = isFolder ? await readPackage(place.name, place.path, files) : await readSingle(place.name, place);
    const oldest = this.#loaded.keys().next().value;
    if (this.#loaded.size >= PLUGINS_KEPT_MAX && oldest !== undefined) this.#loaded.delete(oldest);
    this.#loaded.set(place.name, { stamp, code });
    return code;
  }

  async #locate(fileName: string): Promise<Located & { readonly name: string }> {
    const { folder, overlay } = this.#options;
    const name = await relativeName(folder ?? overlay ?? "", fileName.replace(/\/+$/, ""));
    for (const root of [folder, overlay]) {
      if (root === undefined) continue;
      const path = join(root, name);
      const stats = await statOrUndefined(path);
      if (stats === undefined) continue;
      await refuseLinksOutside(root, path, fileName);
      return { path, stats, name };
    }
    const place = resolve(folder ?? overlay ?? "");
    throw reading(`Plugin not found: ${join(place, name)}`, `put the file into '${place}' or name another one`);
  }

  async #writable(fileName: string): Promise<{ readonly folder: string; readonly path: string }> {
    const { folder } = this.#options;
    if (this.#repository === undefined) throw folderOnly(`'${fileName}' cannot be uploaded`);
    if (folder === undefined) {
      throw new DatabaseError("plugin.no_directory", { message: "No plugin directory configured", hint: "start the server with --plugin-dir" });
    }
    const name = await relativeName(folder, fileName.replace(/\/+$/, ""));
    if (name.split(/[/\\]/)[0] === OWN_FOLDER) throw outside(fileName);
    return { folder, path: join(folder, name) };
  }

  #repositoryFor(fileName: string): RepositoryPlugins {
    if (this.#repository === undefined) throw folderOnly(`'${fileName}' cannot be fetched`);
    return this.#repository;
  }
}

function folderOnly(what: string): DatabaseError {
  return new DatabaseError("plugin.folder_only", {
    message: `Plugin error: ${what}: the server runs with --plugin-dir-only`,
    hint: "put the file into the server's plugin folder",
  });
}
