/** The `path_*` functions. Only a scratch folder can be changed; there are no links. */
import { PATH_BYTES_MAX, PATH_DEPTH_MAX } from "../limits.ts";
import type { OpenDirectory, OpenFile } from "./descriptor-table.ts";
import { type DirectoryNode, type Resolved, resolveParent, resolvePath } from "./file-tree.ts";
import { writeFileStat } from "./file-calls.ts";
import type { WasiFunctions, WasiState } from "./state.ts";
import { ERRNO, FD_FLAG_APPEND, OPEN_FLAG, RIGHT_WRITE, WasiError } from "./preview1.ts";
import type { ScratchFolder } from "./scratch.ts";

export function pathCalls(state: WasiState): WasiFunctions {
  const { memory, descriptors } = state;
  const readOnly = (): never => {
    throw new WasiError(ERRNO.rofs);
  };
  return {
    path_filestat_get(fd: number, _flags: number, pointer: number, length: number, out: number): void {
      writeFileStat(state, out >>> 0, resolve(state, fd, pointer, length).node);
    },
    path_readlink(fd: number, pointer: number, length: number): void {
      resolve(state, fd, pointer, length);
      throw new WasiError(ERRNO.inval);
    },
    path_open(
      fd: number, _lookup: number, pointer: number, length: number, flags: number, rights: bigint, _inherited: bigint, fdFlags: number, out: number,
    ): void {
      memory.check(out >>> 0, 4);
      const found = findOrCreate(state, { fd, pointer, length, flags });
      const number = descriptors.add(openNode(found, { flags, rights, append: (fdFlags & FD_FLAG_APPEND) !== 0 }));
      memory.view(out >>> 0, 4).setUint32(out >>> 0, number, true);
    },
    path_create_directory(fd: number, pointer: number, length: number): void {
      const { owner, parent, name } = changeable(state, fd, pointer, length);
      owner.createDirectory(parent, name);
    },
    path_filestat_set_times(fd: number, _flags: number, pointer: number, length: number): void {
      const { node } = resolve(state, fd, pointer, length);
      if (node.owner === undefined) throw new WasiError(ERRNO.rofs);
      node.owner.touch(node);
    },
    path_link: readOnly,
    path_remove_directory(fd: number, pointer: number, length: number): void {
      const { owner, parent, name } = changeable(state, fd, pointer, length);
      owner.removeDirectory(parent, name);
    },
    path_rename(fd: number, pointer: number, length: number, newFd: number, newPointer: number, newLength: number): void {
      const from = changeable(state, fd, pointer, length);
      const to = changeable(state, newFd, newPointer, newLength);
      from.owner.rename(from, to, (file) => descriptors.isOpen(file));
    },
    path_symlink: readOnly,
    path_unlink_file(fd: number, pointer: number, length: number): void {
      const { owner, parent, name } = changeable(state, fd, pointer, length);
      owner.removeFile(parent, name, (file) => descriptors.isOpen(file));
    },
  };
}

interface PathCall {
  readonly fd: number;
  readonly pointer: number;
  readonly length: number;
  readonly flags: number;
}

function findOrCreate(state: WasiState, { fd, pointer, length, flags }: PathCall): Resolved {
  const creates = (flags & OPEN_FLAG.create) !== 0;
  if (!creates) return resolve(state, fd, pointer, length);
  const { base, path } = pathOf(state, fd, pointer, length);
  const found = existing(base, path);
  if (found !== undefined) {
    if ((flags & OPEN_FLAG.exclusive) !== 0) throw new WasiError(found.node.owner === undefined ? ERRNO.rofs : ERRNO.exist);
    return found;
  }
  const { owner, parent, name } = changeable(state, fd, pointer, length);
  owner.createFile(parent, name);
  return resolvePath(base.node, base.names, path);
}

function existing(base: OpenDirectory, path: string): Resolved | undefined {
  try {
    return resolvePath(base.node, base.names, path);
  } catch (error) {
    if (error instanceof WasiError && error.errno === ERRNO.noent) return undefined;
    throw error;
  }
}

interface Changeable {
  readonly owner: ScratchFolder;
  readonly parent: DirectoryNode;
  readonly name: string;
}

/** Where the last name of the path stands. Throws rofs outside of a scratch folder, whether the place exists or not. */
function changeable(state: WasiState, fd: number, pointer: number, length: number): Changeable {
  const { base, path } = pathOf(state, fd, pointer, length);
  try {
    const { parent, name } = resolveParent(base.node, path);
    if (parent.owner !== undefined) return { owner: parent.owner, parent, name };
  } catch (error) {
    if (!(error instanceof WasiError) || isInScratch(base, path)) throw error;
  }
  throw new WasiError(ERRNO.rofs);
}

/** Whether the first folder of the path that exists can be written. */
function isInScratch(base: OpenDirectory, path: string): boolean {
  const first = path.split("/").find((name) => name !== "" && name !== ".");
  return base.node.owner !== undefined || base.node.entries.get(first ?? "")?.owner !== undefined;
}

interface Opening {
  readonly flags: number;
  readonly rights: bigint;
  readonly append: boolean;
}

function openNode({ node, names }: Resolved, { flags, rights, append }: Opening): OpenFile | OpenDirectory {
  const wantsWrite = (rights & RIGHT_WRITE) !== 0n;
  const truncates = (flags & OPEN_FLAG.truncate) !== 0;
  if (node.kind === "directory") {
    if (wantsWrite || truncates) throw new WasiError(ERRNO.isdir);
    return { kind: "directory", node, names };
  }
  if ((flags & OPEN_FLAG.directory) !== 0) throw new WasiError(ERRNO.notdir);
  if ((wantsWrite || truncates) && node.owner === undefined) throw new WasiError(ERRNO.rofs);
  if (truncates) node.owner?.resize(node, 0);
  return { kind: "file", node, names, position: 0, write: wantsWrite, append };
}

function pathOf(state: WasiState, fd: number, pointer: number, length: number): { readonly base: OpenDirectory; readonly path: string } {
  const base = state.descriptors.directory(fd);
  if (length >>> 0 > PATH_BYTES_MAX) throw new WasiError(ERRNO.nametoolong);
  const path = pathText(state, pointer >>> 0, length >>> 0);
  if (path.split("/").length + base.names.length > PATH_DEPTH_MAX) throw new WasiError(ERRNO.nametoolong);
  return { base, path };
}

function resolve(state: WasiState, fd: number, pointer: number, length: number): Resolved {
  const { base, path } = pathOf(state, fd, pointer, length);
  return resolvePath(base.node, base.names, path);
}

function pathText(state: WasiState, pointer: number, length: number): string {
  const bytes = state.memory.read(pointer, length);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new WasiError(ERRNO.ilseq);
  }
}
