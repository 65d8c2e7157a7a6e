/**
 * A tree of files in memory, read-only but for a scratch folder. Paths are resolved component by component below a starting directory; ".."
 * never leads above it and there are no links, so nothing outside the tree can be named.
 */
import { ERRNO, WasiError } from "./preview1.ts";
import type { ScratchFolder } from "./scratch.ts";

export interface FileNode {
  readonly kind: "file";
  readonly inode: number;
  modifiedNs: bigint;
  bytes: Uint8Array;
  /** Of files that can be written. */
  readonly owner?: ScratchFolder;
  /** Has no name any more, but is open. */
  detached?: boolean;
}

export interface DirectoryNode {
  readonly kind: "directory";
  readonly inode: number;
  modifiedNs: bigint;
  readonly entries: Map<string, TreeNode>;
  /** Of folders that can be written. */
  readonly owner?: ScratchFolder;
}

export type TreeNode = FileNode | DirectoryNode;

export interface TreeFile {
  /** Relative to the root, with "/" between names. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Python's import system looks for new files only in directories whose time changed. */
  readonly modifiedNs?: bigint;
}

/** A file that is not in memory. */
export interface TreeEntry {
  readonly path: string;
  readonly modifiedNs: bigint;
  node(inode: number): FileNode;
}

/** Names a path may not hold are skipped components; a file that is also a directory loses to the directory. */
export function buildFileTree(files: Iterable<TreeFile | TreeEntry>): DirectoryNode {
  let inode = 1;
  const directory = (modifiedNs: bigint): DirectoryNode => ({ kind: "directory", inode: inode++, modifiedNs, entries: new Map() });
  const root = directory(0n);
  for (const file of files) {
    const modifiedNs = file.modifiedNs ?? 0n;
    const names = file.path.split("/").filter((name) => name !== "" && name !== "." && name !== "..");
    const last = names.pop();
    if (last === undefined) continue;
    let parent = root;
    for (const name of names) {
      const existing = parent.entries.get(name);
      const next = existing?.kind === "directory" ? existing : directory(modifiedNs);
      parent.entries.set(name, next);
      parent = next;
    }
    if (parent.entries.get(last)?.kind === "directory") continue;
    parent.entries.set(last, "node" in file ? file.node(inode++) : { kind: "file", inode: inode++, modifiedNs, bytes: file.bytes });
  }
  return root;
}

export interface Resolved {
  readonly node: TreeNode;
  /** Names from the root of the tree. */
  readonly names: readonly string[];
}

/**
 * Finds `path` below the directory `base` (whose names from the root are `baseNames`). Throws `WasiError`: notcapable
 * for absolute paths and for ".." beyond the base, noent, notdir.
 */
export function resolvePath(base: DirectoryNode, baseNames: readonly string[], path: string): Resolved {
  if (path.startsWith("/")) throw new WasiError(ERRNO.notcapable);
  if (path === "") throw new WasiError(ERRNO.noent);
  if (path.includes("\0")) throw new WasiError(ERRNO.inval);
  const trail: { name: string; node: TreeNode }[] = [];
  let node: TreeNode = base;
  for (const name of path.split("/")) {
    if (node.kind !== "directory") throw new WasiError(ERRNO.notdir);
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (trail.pop() === undefined) throw new WasiError(ERRNO.notcapable);
      node = trail.at(-1)?.node ?? base;
      continue;
    }
    const next = node.entries.get(name);
    if (next === undefined) throw new WasiError(ERRNO.noent);
    node = next;
    trail.push({ name, node });
  }
  return { node, names: [...baseNames, ...trail.map((step) => step.name)] };
}

/** The folder that holds, or would hold, the last name of `path`. Throws as `resolvePath`; inval when there is no such name. */
export function resolveParent(base: DirectoryNode, path: string): { readonly parent: DirectoryNode; readonly name: string } {
  const trimmed = path.replace(/\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  const name = trimmed.slice(slash + 1);
  if (path.startsWith("/")) throw new WasiError(ERRNO.notcapable);
  if (name === "" || name === "." || name === ".." || name.includes("\0")) throw new WasiError(ERRNO.inval);
  const parent = slash < 0 ? base : resolvePath(base, [], trimmed.slice(0, slash)).node;
  if (parent.kind !== "directory") throw new WasiError(ERRNO.notdir);
  return { parent, name };
}
