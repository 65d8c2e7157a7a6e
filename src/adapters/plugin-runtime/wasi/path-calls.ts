/** The `path_*` functions: looking and opening; everything that would change the tree is refused as read-only. */
import { PATH_BYTES_MAX } from "../limits.ts";
import { type Resolved, resolvePath } from "./file-tree.ts";
import { writeFileStat } from "./file-calls.ts";
import type { WasiFunctions, WasiState } from "./state.ts";
import { ERRNO, OPEN_FLAG, RIGHT_WRITE, WasiError } from "./preview1.ts";

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
      fd: number, _lookup: number, pointer: number, length: number, flags: number, rights: bigint, _inherited: bigint, _fdFlags: number, out: number,
    ): void {
      if ((flags & (OPEN_FLAG.create | OPEN_FLAG.truncate)) !== 0) throw new WasiError(ERRNO.rofs);
      const found = resolve(state, fd, pointer, length);
      memory.check(out >>> 0, 4);
      const number = descriptors.add(openNode(found, flags, rights));
      memory.view(out >>> 0, 4).setUint32(out >>> 0, number, true);
    },
    path_create_directory: readOnly,
    path_filestat_set_times: readOnly,
    path_link: readOnly,
    path_remove_directory: readOnly,
    path_rename: readOnly,
    path_symlink: readOnly,
    path_unlink_file: readOnly,
  };
}

function openNode({ node, names }: Resolved, flags: number, rights: bigint): Parameters<WasiState["descriptors"]["add"]>[0] {
  const wantsWrite = (rights & RIGHT_WRITE) !== 0n;
  if (node.kind === "directory") {
    if (wantsWrite) throw new WasiError(ERRNO.isdir);
    return { kind: "directory", node, names };
  }
  if ((flags & OPEN_FLAG.directory) !== 0) throw new WasiError(ERRNO.notdir);
  if (wantsWrite) throw new WasiError(ERRNO.rofs);
  return { kind: "file", node, names, position: 0 };
}

function resolve(state: WasiState, fd: number, pointer: number, length: number): Resolved {
  const base = state.descriptors.directory(fd);
  if (length >>> 0 > PATH_BYTES_MAX) throw new WasiError(ERRNO.nametoolong);
  return resolvePath(base.node, base.names, pathText(state, pointer >>> 0, length >>> 0));
}

function pathText(state: WasiState, pointer: number, length: number): string {
  const bytes = state.memory.read(pointer, length);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new WasiError(ERRNO.ilseq);
  }
}
