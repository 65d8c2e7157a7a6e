/**
 * The plugin folder on disk, with the bundled plugins as a read-only overlay: the user's file wins. Names are relative
 * to the folder; nothing outside it is ever opened, symbolic links included (spec: processing-engine §4.2).
 */
import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { mkdir, readFile, readdir, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { DatabaseError } from "../../core/errors/database-error.ts";
import { MANIFEST_BYTES_MAX } from "../../core/trigger/manifest-grants.ts";
import type { PluginCode } from "../../ports/plugin-runtime.ts";
import type { PluginFile, PluginStore } from "../../ports/plugin-store.ts";
import { PLUGIN_BYTES_MAX, PLUGIN_FILES_MAX } from "./limits.ts";

export interface FolderPluginStoreOptions {
  /** The user's plugin folder. */
  readonly folder: string;
  /** Bundled plugins, never written. */
  readonly overlay: string | undefined;
  /** Makes names of temporary files unique. */
  readonly randomName: () => string;
}

const MANIFEST_NAME = "manifest.toml";

interface Loaded {
  readonly stamp: string;
  readonly code: PluginCode;
}

interface Located {
  readonly path: string;
  readonly stats: Stats;
}

const outside = (name: string): DatabaseError =>
  new DatabaseError("plugin.path_outside", {
    message: `Path traversal detected: plugin filename '${name}' attempts to access files outside the plugin directory`,
    hint: "name the file relative to the plugin folder",
  });

const reading = (text: string, hint: string): DatabaseError =>
  new DatabaseError("plugin.not_found", { message: `Plugin error: reading plugin file: ${text}`, hint });

export function createFolderPluginStore(options: FolderPluginStoreOptions): PluginStore {
  const loaded = new Map<string, Loaded>();

  async function locate(name: string): Promise<Located> {
    checkName(name);
    for (const root of [options.folder, options.overlay]) {
      if (root === undefined) continue;
      const path = join(root, name);
      const stats = await statOrUndefined(path);
      if (stats === undefined) continue;
      await refuseLinksOutside(root, path, name);
      return { path, stats };
    }
    throw reading(`Plugin not found: ${resolve(options.folder, name)}`, `put the file into '${resolve(options.folder)}' or name another one`);
  }

  return {
    async load(fileName) {
      const name = fileName.replace(/\/+$/, "");
      if (name.startsWith("gh:")) {
        throw new DatabaseError("plugin.not_found", {
          message: `Plugin error: '${name}' names a plugin repository, which this version cannot fetch from yet`,
          hint: `download the file into '${resolve(options.folder)}' and name it there`,
        });
      }
      const place = await locate(name);
      const files = place.stats.isDirectory() ? await packageFiles(place.path) : [place];
      const stamp = files.map((file) => `${file.path}:${file.stats.mtimeMs}:${file.stats.size}`).join("|");
      const last = loaded.get(name);
      if (last !== undefined && last.stamp === stamp) return last.code;
      const code = place.stats.isDirectory() ? await readPackage(name, place.path, files) : await readSingle(name, place);
      loaded.set(name, { stamp, code });
      return code;
    },

    async manifest(fileName) {
      const place = await locate(fileName.replace(/\/+$/, ""));
      const path = join(place.stats.isDirectory() ? place.path : dirname(place.path), MANIFEST_NAME);
      if ((await statOrUndefined(path)) === undefined) return undefined;
      await refuseLinksOutside(dirname(path), path, fileName);
      return new TextDecoder().decode((await readBounded(path)).subarray(0, MANIFEST_BYTES_MAX));
    },

    async write(fileName, content) {
      checkName(fileName);
      const path = join(options.folder, fileName);
      await mkdir(dirname(path), { recursive: true });
      await refuseLinksOutside(options.folder, dirname(path), fileName);
      const temporary = `${path}.${options.randomName()}.tmp`;
      try {
        await writeFile(temporary, content, { flag: "wx" });
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },

    async files(fileName) {
      const place = await locate(fileName.replace(/\/+$/, "")).catch(() => undefined);
      if (place === undefined) return [];
      const found = place.stats.isDirectory() ? await packageFiles(place.path) : [place];
      return found.map((file): PluginFile => ({
        fileName: place.stats.isDirectory() ? relative(place.path, file.path) : basename(file.path),
        filePath: resolve(file.path),
        sizeBytes: file.stats.size,
        modifiedMs: Math.floor(file.stats.mtimeMs),
      }));
    },
  };
}

function checkName(name: string): void {
  const parts = name.split(/[/\\]/);
  if (name === "" || name.includes("\0") || isAbsolute(name) || /^[a-zA-Z]:/.test(name) || parts.includes("..")) throw outside(name);
}

async function statOrUndefined(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

async function refuseLinksOutside(root: string, path: string, name: string): Promise<void> {
  const [realRoot, realPath] = await Promise.all([realpath(root), realpath(path)]);
  if (realPath !== realRoot && !realPath.startsWith(realRoot + sep)) throw outside(name);
}

async function packageFiles(folder: string): Promise<Located[]> {
  if ((await statOrUndefined(join(folder, "__init__.py"))) === undefined) {
    throw reading(`Multi-file plugin directory must contain __init__.py: ${resolve(folder)}`, "add an __init__.py with the entry point");
  }
  const names = await readdir(folder, { recursive: true });
  const found: Located[] = [];
  for (const name of names.sort()) {
    if (!name.endsWith(".py") || name.split(sep).includes("__pycache__")) continue;
    const path = join(folder, name);
    await refuseLinksOutside(folder, path, name);
    found.push({ path, stats: await stat(path) });
    if (found.length > PLUGIN_FILES_MAX) throw reading(`more than ${PLUGIN_FILES_MAX} Python files in ${resolve(folder)}`, "make the plugin smaller");
  }
  return found;
}

async function readBounded(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > PLUGIN_BYTES_MAX) throw reading(`${resolve(path)} is larger than ${PLUGIN_BYTES_MAX} bytes`, "make the plugin smaller");
  return readFile(path);
}

function revisionOf(parts: readonly Uint8Array[]): bigint {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(String(part.length)).update(":").update(part);
  return hash.digest().readBigUInt64LE(0);
}

async function readSingle(name: string, place: Located): Promise<PluginCode> {
  const bytes = await readBounded(place.path);
  let source: string;
  try {
    source = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw reading(`stream did not contain valid UTF-8: ${resolve(place.path)}`, "save the file as UTF-8");
  }
  return { fileName: name, source, module: basename(name).replace(/\.py$/, ""), files: new Map(), revision: revisionOf([bytes]) };
}

async function readPackage(name: string, folder: string, found: readonly Located[]): Promise<PluginCode> {
  const module = basename(name);
  const files = new Map<string, Uint8Array>();
  for (const file of found) {
    files.set(`${module}/${relative(folder, file.path).split(sep).join("/")}`, await readBounded(file.path));
  }
  return { fileName: name, source: undefined, module, files, revision: revisionOf([...files.values()]) };
}
