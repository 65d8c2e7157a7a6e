/** Reading a plugin from disk: one file, or a directory with all its files, so that a package finds its data too. */
import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { readFile, readdir, stat } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";
import type { PluginCode } from "../../ports/plugin-runtime.ts";
import { reading } from "./errors.ts";
import { PLUGIN_BYTES_MAX, PLUGIN_FILES_MAX, PLUGIN_FOLDER_BYTES_MAX } from "./limits.ts";

export interface Located {
  readonly path: string;
  readonly stats: Stats;
}

export async function statOrUndefined(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

/** Regular files of a package, sorted; no `__pycache__`, nothing hidden. Links are not looked at: see `refuseLinksOutside`. */
export async function packageFiles(folder: string): Promise<Located[]> {
  if ((await statOrUndefined(join(folder, "__init__.py"))) === undefined) {
    throw reading(`Multi-file plugin directory must contain __init__.py: ${resolve(folder)}`, "add an __init__.py with the entry point");
  }
  const names = await readdir(folder, { recursive: true });
  const found: Located[] = [];
  let size = 0;
  for (const name of names.sort()) {
    if (name.split(sep).some((part) => part === "__pycache__" || part.startsWith("."))) continue;
    const path = join(folder, name);
    const stats = await statOrUndefined(path);
    if (stats?.isFile() !== true) continue;
    found.push({ path, stats });
    size += stats.size;
    if (found.length > PLUGIN_FILES_MAX) throw reading(`more than ${PLUGIN_FILES_MAX} files in ${resolve(folder)}`, "make the plugin smaller");
    if (size > PLUGIN_FOLDER_BYTES_MAX) throw reading(`the files of ${resolve(folder)} are larger than ${PLUGIN_FOLDER_BYTES_MAX} bytes`, "make the plugin smaller");
  }
  return found;
}

export async function readSingle(name: string, place: Located): Promise<PluginCode> {
  return singleFile(name, await readBounded(place.path), resolve(place.path));
}

/** Throws `plugin.not_found` unless the bytes are UTF-8; `shown` names the file. */
export function singleFile(name: string, bytes: Uint8Array, shown: string): PluginCode {
  let source: string;
  try {
    source = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw reading(`stream did not contain valid UTF-8: ${shown}`, "save the file as UTF-8");
  }
  return { fileName: name, source, module: basename(name).replace(/\.py$/, ""), files: new Map(), revision: revisionOf([["", bytes]]) };
}

export async function readPackage(name: string, folder: string, found: readonly Located[]): Promise<PluginCode> {
  const module = basename(name);
  const files = new Map<string, Uint8Array>();
  for (const file of found) {
    files.set(`${module}/${relative(folder, file.path).split(sep).join("/")}`, await readBounded(file.path));
  }
  return { fileName: name, source: undefined, module, files, revision: revisionOf([...files]) };
}

export async function readBounded(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > PLUGIN_BYTES_MAX) throw reading(`${resolve(path)} is larger than ${PLUGIN_BYTES_MAX} bytes`, "make the plugin smaller");
  return readFile(path);
}

function revisionOf(parts: readonly (readonly [path: string, content: Uint8Array])[]): bigint {
  const hash = createHash("sha256");
  for (const [path, content] of parts) hash.update(`${path.length}:${path}${content.length}:`).update(content);
  return hash.digest().readBigUInt64LE(0);
}
