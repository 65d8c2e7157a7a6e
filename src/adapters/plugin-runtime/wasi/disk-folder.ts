/**
 * Installed packages as a read-only tree, and single files: names are read once, a file's bytes when the guest first looks at it. Only regular
 * files are shown, so no link leads out of the folder.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { UNPACKED_FILES_MAX } from "../../../core/packages/limits.ts";
import { SHOWN_FILE_BYTES_MAX } from "../../../core/trigger/wanted-files.ts";
import type { ShownFile } from "../../../ports/plugin-runtime.ts";
import type { DirectoryNode, FileNode, TreeEntry, TreeNode } from "./file-tree.ts";

/** Other trees count from 1. */
const FIRST_INODE = 1_000_000_000;
const NS_PER_MS = 1_000_000;

class DiskFile implements FileNode {
  readonly kind = "file";
  readonly inode: number;
  readonly modifiedNs: bigint;
  readonly #path: string;
  readonly #bytesMax: number;
  #bytes: Uint8Array | undefined;

  constructor(path: string, inode: number, { modifiedNs, bytesMax = Number.POSITIVE_INFINITY }: { readonly modifiedNs: bigint; readonly bytesMax?: number }) {
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.inode = inode;
    this.modifiedNs = modifiedNs;
  }

  /** Empty when the file is gone, since another set of packages has taken its place, or has become too large. */
  get bytes(): Uint8Array {
    this.#bytes ??= readIfThere(this.#path, this.#bytesMax);
    return this.#bytes;
  }
}

function readIfThere(path: string, bytesMax: number): Uint8Array {
  try {
    if (statSync(path).size > bytesMax) return new Uint8Array(0);
    return readFileSync(path);
  } catch {
    return new Uint8Array(0);
  }
}

/** A file of the plugin folder, read again by every run that looks at it. */
export function shownEntry({ path, source, modifiedMs }: ShownFile): TreeEntry {
  const modifiedNs = BigInt(Math.trunc(modifiedMs * NS_PER_MS));
  return { path: `plugins/${path}`, modifiedNs, node: (inode) => new DiskFile(source, inode, { modifiedNs, bytesMax: SHOWN_FILE_BYTES_MAX }) };
}

/** An empty folder when there is none on disk. */
export function diskFolder(path: string | undefined): DirectoryNode {
  const count = { inode: FIRST_INODE };
  const empty: DirectoryNode = { kind: "directory", inode: count.inode, modifiedNs: 0n, entries: new Map() };
  if (path === undefined) return empty;
  try {
    return readFolder(path, BigInt(Math.trunc(statSync(path).mtimeMs * NS_PER_MS)), count);
  } catch {
    return empty;
  }
}

/** One time for all: files of a set never change, and another set has another time. */
function readFolder(path: string, modifiedNs: bigint, count: { inode: number }): DirectoryNode {
  const entries = new Map<string, TreeNode>();
  const inode = count.inode++;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (count.inode - FIRST_INODE > UNPACKED_FILES_MAX) break;
    const below = join(path, entry.name);
    if (entry.isDirectory()) entries.set(entry.name, readFolder(below, modifiedNs, count));
    else if (entry.isFile()) entries.set(entry.name, new DiskFile(below, count.inode++, { modifiedNs }));
  }
  return { kind: "directory", inode, modifiedNs, entries };
}

/** The folder below these names, each a directory of its own. */
export function below(names: readonly string[], folder: DirectoryNode): DirectoryNode {
  const [name, ...rest] = names;
  if (name === undefined) return folder;
  return { kind: "directory", inode: FIRST_INODE - 1 - names.length, modifiedNs: folder.modifiedNs, entries: new Map([[name, below(rest, folder)]]) };
}
