/**
 * A read-only tree of files in memory. Paths are resolved component by component below a starting directory; ".."
 * never leads above it and there are no links, so nothing outside the tree can be named.
 */
import { ERRNO, WasiError } from "./preview1.ts";

export interface FileNode {
  readonly kind: "file";
  readonly inode: number;
  readonly modifiedNs: bigint;
  readonly bytes: Uint8Array;
}

export interface DirectoryNode {
  readonly kind: "directory";
  readonly inode: number;
  readonly modifiedNs: bigint;
  readonly entries: Map<string, TreeNode>;
}

export type TreeNode = FileNode | DirectoryNode;

export interface TreeFile {
  /** Relative to the root, with "/" between names. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Python's import system looks for new files only in directories whose time changed. */
  readonly modifiedNs?: bigint;
}

/** Names a path may not hold are skipped components; a file that is also a directory loses to the directory. */
export function buildFileTree(files: Iterable<TreeFile>): DirectoryNode {
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
    parent.entries.set(last, { kind: "file", inode: inode++, modifiedNs, bytes: file.bytes });
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
