/**
 * Open file descriptors of one instance. 0-2 are the standard streams, 3 is the root folder, the rest is what the
 * guest opened. The table can be saved as plain values when the instance is parked and restored on another thread.
 */
import { DESCRIPTORS_MAX } from "../limits.ts";
import { type DirectoryNode, type FileNode, resolvePath } from "./file-tree.ts";
import { ERRNO, WasiError } from "./preview1.ts";

export interface OpenFile {
  readonly kind: "file";
  readonly node: FileNode;
  readonly names: readonly string[];
  position: number;
  /** Set for files of a scratch folder that were opened to be written. */
  readonly write?: boolean;
  readonly append?: boolean;
}

export interface OpenDirectory {
  readonly kind: "directory";
  readonly node: DirectoryNode;
  readonly names: readonly string[];
}

export interface OpenStream {
  readonly kind: "stream";
}

export type Descriptor = OpenFile | OpenDirectory | OpenStream;

/** One descriptor of a parked instance. */
export interface SavedDescriptor {
  readonly number: number;
  readonly path: string;
  readonly position: number;
  readonly write?: boolean | undefined;
  readonly append?: boolean | undefined;
}

export const ROOT_DESCRIPTOR = 3;

export class DescriptorTable {
  #root: DirectoryNode;
  readonly #open = new Map<number, Descriptor>();

  constructor(root: DirectoryNode) {
    this.#root = root;
    for (const number of [0, 1, 2]) this.#open.set(number, { kind: "stream" });
    this.#open.set(ROOT_DESCRIPTOR, { kind: "directory", node: root, names: [] });
  }

  /** Throws badf. */
  get(number: number): Descriptor {
    const descriptor = this.#open.get(number);
    if (descriptor === undefined) throw new WasiError(ERRNO.badf);
    return descriptor;
  }

  /** Throws badf, or isdir for a directory and spipe for a stream. */
  file(number: number): OpenFile {
    const descriptor = this.get(number);
    if (descriptor.kind === "file") return descriptor;
    throw new WasiError(descriptor.kind === "directory" ? ERRNO.isdir : ERRNO.spipe);
  }

  directory(number: number): OpenDirectory {
    const descriptor = this.get(number);
    if (descriptor.kind !== "directory") throw new WasiError(ERRNO.notdir);
    return descriptor;
  }

  /** Takes the lowest free number; throws mfile. */
  add(descriptor: OpenFile | OpenDirectory): number {
    for (let number = ROOT_DESCRIPTOR + 1; number < DESCRIPTORS_MAX; number += 1) {
      if (this.#open.has(number)) continue;
      this.#open.set(number, descriptor);
      return number;
    }
    throw new WasiError(ERRNO.mfile);
  }

  /** The streams and the root folder stay open whatever the guest does. */
  close(number: number): void {
    const descriptor = this.get(number);
    if (number > ROOT_DESCRIPTOR) this.#open.delete(number);
    if (descriptor.kind === "file" && descriptor.node.detached === true && !this.isOpen(descriptor.node)) descriptor.node.owner?.release(descriptor.node);
  }

  isOpen(node: FileNode): boolean {
    for (const open of this.#open.values()) if (open.kind === "file" && open.node === node) return true;
    return false;
  }

  save(): SavedDescriptor[] {
    const saved: SavedDescriptor[] = [];
    for (const [number, open] of this.#open) {
      if (number <= ROOT_DESCRIPTOR || open.kind === "stream") continue;
      // A file without a name ends with the run.
      if (open.kind === "file" && open.node.detached === true) continue;
      const { position, write, append } = open.kind === "file" ? open : { position: 0, write: undefined, append: undefined };
      saved.push({ number, path: open.names.join("/"), position, ...(write === true ? { write } : {}), ...(append === true ? { append } : {}) });
    }
    return saved;
  }

  /** Replaces tree and descriptors; what no longer exists in the tree is closed. */
  restore(root: DirectoryNode, saved: readonly SavedDescriptor[]): void {
    this.#root = root;
    for (const number of [...this.#open.keys()]) if (number >= ROOT_DESCRIPTOR) this.#open.delete(number);
    this.#open.set(ROOT_DESCRIPTOR, { kind: "directory", node: root, names: [] });
    for (const entry of saved) {
      const { number } = entry;
      if (number <= ROOT_DESCRIPTOR || number >= DESCRIPTORS_MAX) continue;
      const descriptor = this.#reopen(entry);
      if (descriptor !== undefined) this.#open.set(number, descriptor);
    }
  }

  #reopen({ path, position, write, append }: SavedDescriptor): OpenFile | OpenDirectory | undefined {
    const names = path === "" ? [] : path.split("/");
    try {
      const node = path === "" ? this.#root : resolvePath(this.#root, [], path).node;
      if (node.kind === "directory") return { kind: "directory", node, names };
      return { kind: "file", node, names, position, write: write === true && node.owner !== undefined, append: append === true };
    } catch (error) {
      if (error instanceof WasiError) return undefined;
      throw error;
    }
  }
}
