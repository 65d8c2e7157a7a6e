/**
 * The writable folder `/tmp` of a guest that was granted scratch space: files in memory, counted before they grow. Contents
 * lie in shared buffers, so that the folder goes by reference to whichever thread runs the guest next.
 */
import { SCRATCH_ENTRIES_MAX, SCRATCH_ENTRY_BYTES, SCRATCH_FILE_BYTES_MIN } from "../limits.ts";
import type { DirectoryNode, FileNode, TreeNode } from "./file-tree.ts";
import { ERRNO, WasiError } from "./preview1.ts";

/** One file or folder of a parked guest, parents before what is in them. */
export interface SavedScratchEntry {
  /** Relative to the folder. */
  readonly path: string;
  /** Undefined: a folder. */
  readonly buffer?: SharedArrayBuffer | undefined;
  readonly size: number;
  readonly modifiedNs: bigint;
}

export interface SavedScratch {
  readonly entries: readonly SavedScratchEntry[];
}

export class ScratchFolder {
  readonly root: DirectoryNode;
  readonly #bytesMax: number;
  readonly #nowNs: () => bigint;
  #inode = 1_000_000;
  #used = 0;
  #entries = 0;
  #changed = false;

  /** `saved` was made by this class, on another thread. */
  constructor(bytesMax: number, nowNs: () => bigint, saved: SavedScratch | undefined) {
    this.#bytesMax = bytesMax;
    this.#nowNs = nowNs;
    this.root = this.#directory(nowNs());
    for (const entry of saved?.entries ?? []) this.#restore(entry);
  }

  /** What is there now; undefined when nothing changed since it was made or saved. */
  save(): SavedScratch | undefined {
    if (!this.#changed) return undefined;
    this.#changed = false;
    const entries: SavedScratchEntry[] = [];
    const visit = (directory: DirectoryNode, prefix: string): void => {
      for (const [name, node] of directory.entries) {
        const path = prefix + name;
        if (node.kind === "file") entries.push({ path, buffer: node.bytes.buffer as SharedArrayBuffer, size: node.bytes.length, modifiedNs: node.modifiedNs });
        else {
          entries.push({ path, size: 0, modifiedNs: node.modifiedNs });
          visit(node, `${path}/`);
        }
      }
    };
    visit(this.root, "");
    return { entries };
  }

  createFile(parent: DirectoryNode, name: string): FileNode {
    this.#addEntry(name);
    const node: FileNode = { kind: "file", inode: this.#inode++, modifiedNs: this.#nowNs(), bytes: new Uint8Array(new SharedArrayBuffer(0)), owner: this };
    this.#insert(parent, name, node);
    return node;
  }

  /** Throws exist. */
  createDirectory(parent: DirectoryNode, name: string): void {
    if (parent.entries.has(name)) throw new WasiError(ERRNO.exist);
    this.#addEntry(name);
    this.#insert(parent, name, this.#directory(this.#nowNs()));
  }

  /** `inUse`: the file is open; what it holds is given back when that ends (`release`). */
  removeFile(parent: DirectoryNode, name: string, inUse: (file: FileNode) => boolean): void {
    const node = parent.entries.get(name);
    if (node === undefined) throw new WasiError(ERRNO.noent);
    if (node.kind === "directory") throw new WasiError(ERRNO.isdir);
    this.#remove(parent, name);
    node.detached = true;
    if (!inUse(node)) this.release(node);
  }

  removeDirectory(parent: DirectoryNode, name: string): void {
    const node = parent.entries.get(name);
    if (node === undefined) throw new WasiError(ERRNO.noent);
    if (node.kind === "file") throw new WasiError(ERRNO.notdir);
    if (node.entries.size > 0) throw new WasiError(ERRNO.notempty);
    this.#remove(parent, name);
  }

  /** As rename(2): replaces a file, or an empty directory by a directory. */
  rename(from: Place, to: Place, inUse: (file: FileNode) => boolean): void {
    const node = from.parent.entries.get(from.name);
    if (node === undefined) throw new WasiError(ERRNO.noent);
    const target = to.parent.entries.get(to.name);
    if (target === node) return;
    if (node.kind === "directory" && (to.parent === node || isBelow(node, to.parent))) throw new WasiError(ERRNO.inval);
    if (target?.kind === "directory") {
      if (node.kind === "file") throw new WasiError(ERRNO.isdir);
      this.removeDirectory(to.parent, to.name);
    } else if (target !== undefined) {
      if (node.kind === "directory") throw new WasiError(ERRNO.notdir);
      this.removeFile(to.parent, to.name, inUse);
    }
    // The name may be longer than the old one.
    this.#count((to.name.length - from.name.length) * 2);
    from.parent.entries.delete(from.name);
    this.#insert(to.parent, to.name, node);
  }

  /** Gives back what a file held that has no name any more and is not open. */
  release(file: FileNode): void {
    if (file.detached !== true) return;
    this.#used -= file.bytes.buffer.byteLength;
    file.bytes = new Uint8Array(new SharedArrayBuffer(0));
    file.detached = false;
  }

  /** Throws nospc. What is new is zero. */
  resize(file: FileNode, size: number): void {
    const { bytes } = file;
    this.#changed = true;
    file.modifiedNs = this.#nowNs();
    if (size <= bytes.buffer.byteLength) {
      if (size < bytes.length) bytes.fill(0, size);
      file.bytes = new Uint8Array(bytes.buffer, 0, size);
      return;
    }
    const room = this.#bytesMax - this.#used + bytes.buffer.byteLength;
    if (!(size <= room)) throw new WasiError(ERRNO.nospc);
    const capacity = Math.min(room, Math.max(size, 2 * bytes.buffer.byteLength, SCRATCH_FILE_BYTES_MIN));
    this.#count(capacity - bytes.buffer.byteLength);
    const larger = new Uint8Array(new SharedArrayBuffer(capacity));
    larger.set(bytes);
    file.bytes = larger.subarray(0, size);
  }

  write(file: FileNode, position: number, part: Uint8Array): void {
    if (position + part.length > file.bytes.length) this.resize(file, position + part.length);
    file.bytes.set(part, position);
    file.modifiedNs = this.#nowNs();
    this.#changed = true;
  }

  touch(node: TreeNode): void {
    node.modifiedNs = this.#nowNs();
    this.#changed = true;
  }

  #restore({ path, buffer, size, modifiedNs }: SavedScratchEntry): void {
    const names = path.split("/");
    const name = names.pop() as string;
    let parent = this.root;
    for (const step of names) {
      const next = parent.entries.get(step);
      if (next?.kind !== "directory") return;
      parent = next;
    }
    const node: TreeNode =
      buffer === undefined
        ? this.#directory(modifiedNs)
        : { kind: "file", inode: this.#inode++, modifiedNs, bytes: new Uint8Array(buffer, 0, Math.min(size, buffer.byteLength)), owner: this };
    this.#entries += 1;
    this.#used += SCRATCH_ENTRY_BYTES + 2 * name.length + (buffer?.byteLength ?? 0);
    parent.entries.set(name, node);
  }

  #directory(modifiedNs: bigint): DirectoryNode {
    return { kind: "directory", inode: this.#inode++, modifiedNs, entries: new Map(), owner: this };
  }

  #addEntry(name: string): void {
    if (this.#entries >= SCRATCH_ENTRIES_MAX) throw new WasiError(ERRNO.nospc);
    this.#count(SCRATCH_ENTRY_BYTES + 2 * name.length);
    this.#entries += 1;
  }

  #insert(parent: DirectoryNode, name: string, node: TreeNode): void {
    parent.entries.set(name, node);
    this.touch(parent);
  }

  #remove(parent: DirectoryNode, name: string): void {
    parent.entries.delete(name);
    this.#used -= SCRATCH_ENTRY_BYTES + 2 * name.length;
    this.#entries -= 1;
    this.touch(parent);
  }

  #count(bytes: number): void {
    if (this.#used + bytes > this.#bytesMax) throw new WasiError(ERRNO.nospc);
    this.#used += bytes;
  }
}

export interface Place {
  readonly parent: DirectoryNode;
  readonly name: string;
}

function isBelow(top: DirectoryNode, wanted: DirectoryNode): boolean {
  for (const node of top.entries.values()) if (node.kind === "directory" && (node === wanted || isBelow(node, wanted))) return true;
  return false;
}
