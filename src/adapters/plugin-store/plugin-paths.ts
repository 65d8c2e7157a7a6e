/** Names of plugins as paths below a folder; nothing outside of it is ever opened (spec: processing-engine §4.2). */
import { realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { outside } from "./errors.ts";

/** What the store keeps for itself below the plugin folder. */
export const OWN_FOLDER = ".gh";

/**
 * The name relative to the folder. An absolute name is accepted when it lies inside, also when the folder is reached
 * by a symbolic link. Throws `plugin.path_outside`.
 */
export async function relativeName(folder: string, name: string): Promise<string> {
  if (name === "" || name.includes("\0") || name.split(/[/\\]/).includes("..")) throw outside(name);
  if (!isAbsolute(name)) {
    if (/^[a-zA-Z]:/.test(name)) throw outside(name);
    return name;
  }
  const roots = [resolve(folder), await realpath(folder).catch(() => resolve(folder))];
  for (const root of roots) {
    const inside = relative(root, name);
    if (inside !== "" && !isAbsolute(inside) && inside.split(sep)[0] !== "..") return inside;
  }
  throw outside(name);
}

/** Throws `plugin.path_outside` when symbolic links lead out of `root`; `path` must exist. */
export async function refuseLinksOutside(root: string, path: string, name: string): Promise<void> {
  const [realRoot, realPath] = await Promise.all([realpath(root), realpath(path)]);
  if (realPath !== realRoot && !realPath.startsWith(realRoot + sep)) throw outside(name);
}
