/** Finds the files of the plugin folder that a plugin may read. Nothing hidden, and nothing outside by symbolic links. */
import type { Stats } from "node:fs";
import { readdir, realpath } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { SHOWN_FILE_BYTES_MAX } from "../../core/trigger/wanted-files.ts";
import type { ShownFile } from "../../ports/plugin-runtime.ts";
import type { ShownFiles, WantedFiles } from "../../ports/plugin-store.ts";
import { SHOWN_BYTES_MAX, SHOWN_FILES_MAX } from "./limits.ts";
import { statOrUndefined } from "./read-plugin.ts";

const NOTHING: ShownFiles = { files: [], leftOut: 0 };

export async function shownFiles(folder: string, { granted, named }: WantedFiles): Promise<ShownFiles> {
  const root = await realpath(folder).catch(() => undefined);
  if (root === undefined) return NOTHING;
  const found = new Found(root, resolve(folder));
  for (const name of named) await found.addFile(name);
  for (const name of granted) await found.addAll(name === "*" ? "" : name.replace(/\/$/, ""));
  return { files: [...found.files.values()], leftOut: found.leftOut };
}

class Found {
  readonly files = new Map<string, ShownFile>();
  leftOut = 0;
  readonly #root: string;
  readonly #folder: string;
  #bytes = 0;

  /** `root`: where the folder really is. */
  constructor(root: string, folder: string) {
    this.#root = root;
    this.#folder = folder;
  }

  async addFile(name: string): Promise<void> {
    const stats = await this.#inside(name);
    if (stats?.isFile() === true) this.#add(name, stats);
  }

  /** A folder's files by name, with those of its folders. */
  async addAll(name: string): Promise<void> {
    const stats = await this.#inside(name);
    if (stats?.isFile() === true) this.#add(name, stats);
    if (stats?.isDirectory() !== true) return;
    const names = await readdir(join(this.#root, name)).catch(() => []);
    for (const below of names.sort()) {
      if (this.files.size + this.leftOut > 2 * SHOWN_FILES_MAX) return;
      if (below !== "__pycache__") await this.addAll(name === "" ? below : `${name}/${below}`);
    }
  }

  /** Undefined: it is not there, is hidden, or links lead it elsewhere; a folder that is a link would be looked into for ever. */
  async #inside(name: string): Promise<Stats | undefined> {
    const path = resolve(this.#root, name);
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined || (real !== this.#root && !real.startsWith(this.#root + sep))) return undefined;
    const parts = [...name.split("/"), ...relative(this.#root, real).split(sep)];
    if (parts.some((part) => part.startsWith("."))) return undefined;
    const stats = await statOrUndefined(real);
    return stats?.isDirectory() === true && real !== path ? undefined : stats;
  }

  #add(name: string, stats: Stats): void {
    if (this.files.has(name)) return;
    const fits = stats.size <= SHOWN_FILE_BYTES_MAX && this.#bytes + stats.size <= SHOWN_BYTES_MAX && this.files.size < SHOWN_FILES_MAX;
    if (!fits) {
      this.leftOut += 1;
      return;
    }
    this.#bytes += stats.size;
    this.files.set(name, { path: name, source: join(this.#folder, name), modifiedMs: stats.mtimeMs });
  }
}
