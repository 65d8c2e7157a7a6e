/**
 * The plugin folder on disk, with the bundled plugins as a read-only overlay: the user's file wins. Names are relative
 * to the folder, or absolute inside it; nothing outside is ever opened, symbolic links included (spec:
 * processing-engine §4.2). Names that start with `gh:` are left to the repository.
 */
import { mkdir } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { DatabaseError } from "../../core/errors/database-error.ts";
import { isBesideName } from "../../core/packages/plugin-requirements.ts";
import { MANIFEST_BYTES_MAX, MANIFEST_NAME } from "../../core/trigger/manifest.ts";
import type { PluginCode } from "../../ports/plugin-runtime.ts";
import type { PluginFile, PluginStore, ShownFiles, WantedFiles } from "../../ports/plugin-store.ts";
import { outside, reading } from "./errors.ts";
import { Kept } from "./kept.ts";
import { FOLDER_CHECK_MS, PLUGIN_BYTES_KEPT_MAX, PLUGIN_KEPT_BYTES, SHOWN_CHECK_MS, SHOWN_SETS_MAX } from "./limits.ts";
import { OWN_FOLDER, refuseLinksOutside, relativeName } from "./plugin-paths.ts";
import { type Located, packageFiles, readBounded, readPackage, readSingle, statOrUndefined } from "./read-plugin.ts";
import { REPOSITORY_PREFIX, RepositoryPlugins, type RepositoryOptions } from "./repository.ts";
import { shownFiles } from "./shown-files.ts";
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

export const pinsFolder = (folder: string | undefined): string | undefined => (folder === undefined ? undefined : join(folder, OWN_FOLDER));

export function createFolderPluginStore(options: FolderPluginStoreOptions): PluginStore {
  return new FolderPluginStore(options);
}

interface Loaded {
  readonly stamp: string;
  readonly code: PluginCode;
  checkedMs: number;
}

class FolderPluginStore implements PluginStore {
  readonly #options: FolderPluginStoreOptions;
  readonly #loaded = new Kept<Loaded>(PLUGIN_BYTES_KEPT_MAX);
  readonly #shown = new Kept<{ readonly shown: Promise<ShownFiles>; readonly checkedMs: number }>(SHOWN_SETS_MAX);
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
    return fileName.startsWith(REPOSITORY_PREFIX) ? this.#repositoryFor(fileName).newest(fileName, options) : this.#fromFolders(fileName, 0);
  }

  manifest(fileName: string): Promise<string | undefined> {
    return this.beside(fileName, MANIFEST_NAME);
  }

  async beside(fileName: string, name: string): Promise<string | undefined> {
    if (!isBesideName(name)) throw outside(name);
    const repository = fileName.startsWith(REPOSITORY_PREFIX) ? this.#repositoryFor(fileName) : undefined;
    const own = repository === undefined ? fileName : repository.bundledName(fileName);
    const bytes = own === undefined ? await repository?.beside(fileName, name) : await this.#besideIn(own, name, () => true);
    return bytes === undefined ? undefined : decodeText(bytes);
  }

  async bundledManifest(fileName: string): Promise<string | undefined> {
    const own = fileName.startsWith(REPOSITORY_PREFIX) ? this.#repositoryFor(fileName).bundledName(fileName) : fileName;
    const bytes = own === undefined ? undefined : await this.#besideIn(own, MANIFEST_NAME, (root) => root === this.#options.overlay);
    return bytes === undefined ? undefined : decodeText(bytes);
  }

  async #besideIn(fileName: string, name: string, accepts: (root: string) => boolean): Promise<Uint8Array | undefined> {
    const place = await this.#find(fileName);
    if (!accepts(place.root)) return undefined;
    await refuseLinksOutside(place.root, place.path, fileName);
    const folder = place.stats.isDirectory() ? place.path : dirname(place.path);
    const path = join(folder, name);
    if ((await statOrUndefined(path)) === undefined) return undefined;
    await refuseLinksOutside(folder, path, fileName);
    return readBounded(path);
  }

  async write(fileName: string, content: Uint8Array): Promise<void> {
    const { folder, path } = await this.#writable(fileName);
    await mkdir(dirname(path), { recursive: true });
    await refuseLinksOutside(folder, dirname(path), fileName);
    if ((await statOrUndefined(path))?.isDirectory() === true) {
      throw reading(`${resolve(path)} is a directory`, "name a file in it, or replace the directory");
    }
    await replaceFile(path, content, `${path}.${this.#options.randomName()}.tmp`);
    this.#checkAll();
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
    this.#checkAll();
  }

  async shown(wanted: WantedFiles): Promise<ShownFiles> {
    const { folder } = this.#options;
    if (folder === undefined) return { files: [], leftOut: 0 };
    const key = JSON.stringify([wanted.granted, wanted.named]);
    const last = this.#shown.get(key);
    const nowMs = performance.now();
    if (last !== undefined && nowMs - last.checkedMs < SHOWN_CHECK_MS) return last.shown;
    const shown = shownFiles(folder, wanted);
    this.#shown.set(key, { shown, checkedMs: nowMs }, 1);
    return shown;
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

  /** A run is called for this: a plugin that did not change costs a `stat`, a folder that was looked at just now nothing. */
  async #fromFolders(fileName: string, folderAgeMsMax = FOLDER_CHECK_MS): Promise<PluginCode> {
    const name = await this.#nameOf(fileName);
    const last = this.#loaded.get(name);
    if (last !== undefined && last.code.source === undefined && performance.now() - last.checkedMs < folderAgeMsMax) return last.code;
    const checkedMs = performance.now();
    const place = await this.#find(fileName);
    const isFolder = place.stats.isDirectory();
    const files = isFolder ? await packageFiles(place.path) : [place];
    const stamp = files.map(stampOf).join("|");
    if (last !== undefined && last.stamp === stamp) {
      last.checkedMs = checkedMs;
      return last.code;
    }
    await refuseLinksOutside(place.root, place.path, fileName);
    for (const file of isFolder ? files : []) await refuseLinksOutside(place.path, file.path, fileName);
    const code = isFolder ? await readPackage(name, place.path, files) : await readSingle(name, place);
    this.#loaded.set(name, { stamp, code, checkedMs }, files.reduce((size, { stats }) => size + stats.size, PLUGIN_KEPT_BYTES));
    return code;
  }

  /** After an upload the next run looks at everything. */
  #checkAll(): void {
    for (const loaded of this.#loaded.values()) loaded.checkedMs = Number.NEGATIVE_INFINITY;
    this.#shown.clear();
  }

  #nameOf(fileName: string): Promise<string> {
    return relativeName(this.#options.folder ?? this.#options.overlay ?? "", fileName.replace(/\/+$/, ""));
  }

  async #locate(fileName: string): Promise<Located> {
    const place = await this.#find(fileName);
    await refuseLinksOutside(place.root, place.path, fileName);
    return place;
  }

  /** Without a look at links: nothing is read yet. */
  async #find(fileName: string): Promise<Located & { readonly root: string }> {
    const { folder, overlay } = this.#options;
    const name = await this.#nameOf(fileName);
    for (const root of [folder, overlay]) {
      if (root === undefined) continue;
      const path = join(root, name);
      const stats = await statOrUndefined(path);
      if (stats !== undefined) return { path, stats, root };
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

const decodeText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.subarray(0, MANIFEST_BYTES_MAX));

/** The change time moves with every write, also with one that sets the modification time back; the file is the same behind a link. */
const stampOf = ({ path, stats }: Located): string => `${path}:${stats.dev}:${stats.ino}:${stats.mtimeMs}:${stats.ctimeMs}:${stats.size}`;

function folderOnly(what: string): DatabaseError {
  return new DatabaseError("plugin.folder_only", {
    message: `Plugin error: ${what}: the server runs with --plugin-dir-only`,
    hint: "put the file into the server's plugin folder",
  });
}
