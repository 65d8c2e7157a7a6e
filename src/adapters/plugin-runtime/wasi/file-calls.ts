/** The `fd_*` functions. Files are read-only but for those of a scratch folder. */
import { encodeText } from "../guest-memory.ts";
import { IO_VECTORS_MAX, OUTPUT_COPY_BYTES_MAX } from "../limits.ts";
import { type OpenFile, ROOT_DESCRIPTOR } from "./descriptor-table.ts";
import type { FileNode, TreeNode } from "./file-tree.ts";
import type { ScratchFolder } from "./scratch.ts";
import type { WasiFunctions, WasiState } from "./state.ts";
import {
  DIRECTORY_RIGHTS, ERRNO, FILE_RIGHTS, FILE_TYPE, INHERITED_RIGHTS, SEEK, STREAM_RIGHTS, WasiError,
  WRITABLE_FILE_RIGHTS,
} from "./preview1.ts";

const FILE_STAT_BYTES = 64;
const DIRECTORY_ENTRY_BYTES = 24;
const ROOT_NAME = "/";

export function fileCalls(state: WasiState): WasiFunctions {
  const { memory, descriptors, options } = state;
  return {
    fd_close: (fd: number) => descriptors.close(fd),
    fd_advise: (fd: number) => void descriptors.get(fd),
    fd_sync: (fd: number) => void descriptors.get(fd),
    fd_datasync: (fd: number) => void descriptors.get(fd),
    fd_fdstat_set_flags: (fd: number) => void descriptors.get(fd),
    fd_allocate(fd: number, offset: bigint, length: bigint): void {
      const { node, owner } = writable(state, fd);
      owner.resize(node, Math.max(node.bytes.length, Number(BigInt.asUintN(64, offset)) + Number(BigInt.asUintN(64, length))));
    },
    fd_filestat_set_size(fd: number, size: bigint): void {
      const { node, owner } = writable(state, fd);
      owner.resize(node, Number(BigInt.asUintN(64, size)));
    },
    fd_filestat_set_times(fd: number): void {
      const { node, owner } = writable(state, fd);
      owner.touch(node);
    },
    fd_pwrite(fd: number, vectors: number, count: number, offset: bigint, out: number): void {
      writeAt(state, { file: writable(state, fd), vectors, count, out, position: Number(BigInt.asUintN(64, offset)) });
    },
    fd_fdstat_get: (fd: number, out: number) => writeDescriptorStat(state, fd, out >>> 0),
    fd_filestat_get(fd: number, out: number): void {
      const open = descriptors.get(fd);
      writeFileStat(state, out >>> 0, open.kind === "stream" ? undefined : open.node);
    },
    fd_prestat_get(fd: number, out: number): void {
      if (fd !== ROOT_DESCRIPTOR) throw new WasiError(ERRNO.badf);
      const view = memory.view(out >>> 0, 8);
      view.setUint32(out >>> 0, 0, true);
      view.setUint32((out >>> 0) + 4, ROOT_NAME.length, true);
    },
    fd_prestat_dir_name(fd: number, pointer: number, length: number): void {
      if (fd !== ROOT_DESCRIPTOR) throw new WasiError(ERRNO.badf);
      if (length >>> 0 < ROOT_NAME.length) throw new WasiError(ERRNO.nametoolong);
      memory.write(pointer >>> 0, encodeText(ROOT_NAME));
    },
    fd_seek(fd: number, offset: bigint, whence: number, out: number): void {
      const file = descriptors.file(fd);
      const base = { [SEEK.set]: 0, [SEEK.current]: file.position, [SEEK.end]: file.node.bytes.length }[whence];
      if (base === undefined) throw new WasiError(ERRNO.inval);
      const position = base + Number(offset);
      if (!Number.isSafeInteger(position) || position < 0) throw new WasiError(ERRNO.inval);
      memory.view(out >>> 0, 8).setBigUint64(out >>> 0, BigInt(position), true);
      file.position = position;
    },
    fd_tell(fd: number, out: number): void {
      const position = descriptors.file(fd).position;
      memory.view(out >>> 0, 8).setBigUint64(out >>> 0, BigInt(position), true);
    },
    fd_read(fd: number, vectors: number, count: number, out: number): void {
      const open = descriptors.get(fd);
      // Standard input is empty.
      const read = open.kind === "stream" ? 0 : readAt(state, { file: descriptors.file(fd), vectors, count });
      memory.view(out >>> 0, 4).setUint32(out >>> 0, read, true);
      if (open.kind === "file") open.position += read;
    },
    fd_pread(fd: number, vectors: number, count: number, offset: bigint, out: number): void {
      const position = Number(BigInt.asUintN(64, offset));
      const read = readAt(state, { file: descriptors.file(fd), vectors, count, position });
      memory.view(out >>> 0, 4).setUint32(out >>> 0, read, true);
    },
    fd_write(fd: number, vectors: number, count: number, out: number): void {
      if (descriptors.get(fd).kind !== "stream") return writeFile(state, { fd, vectors, count, out });
      if (fd !== 1 && fd !== 2) throw new WasiError(ERRNO.badf);
      let written = 0;
      for (const [pointer, length] of ioVectors(state, vectors >>> 0, count >>> 0)) {
        memory.check(pointer, length);
        for (let done = 0; done < length; done += OUTPUT_COPY_BYTES_MAX) {
          options.output(fd, memory.read(pointer + done, Math.min(OUTPUT_COPY_BYTES_MAX, length - done)));
        }
        written += length;
      }
      memory.view(out >>> 0, 4).setUint32(out >>> 0, written, true);
    },
    fd_readdir: (fd: number, buffer: number, length: number, cookie: bigint, out: number) =>
      readDirectory(state, { fd, buffer: buffer >>> 0, length: length >>> 0, cookie, out: out >>> 0 }),
  };
}

function refuseWrite(state: WasiState, fd: number): never {
  const open = state.descriptors.get(fd);
  throw new WasiError(open.kind === "directory" ? ERRNO.badf : open.kind === "stream" ? ERRNO.inval : ERRNO.rofs);
}

interface Writable {
  readonly node: FileNode;
  readonly owner: ScratchFolder;
}

/** Throws rofs for a file that is not of a scratch folder, badf for one that was opened to be read. */
function writable(state: WasiState, fd: number): Writable {
  const open = state.descriptors.get(fd);
  if (open.kind !== "file" || open.node.owner === undefined) return refuseWrite(state, fd);
  if (open.write !== true) throw new WasiError(ERRNO.badf);
  return { node: open.node, owner: open.node.owner };
}

interface FileWrite {
  readonly vectors: number;
  readonly count: number;
  readonly out: number;
}

function writeFile(state: WasiState, call: FileWrite & { readonly fd: number }): void {
  const file = writable(state, call.fd);
  const open = state.descriptors.file(call.fd);
  const position = open.append === true ? file.node.bytes.length : open.position;
  open.position = position + writeAt(state, { ...call, file, position });
}

function writeAt(state: WasiState, { file, vectors, count, out, position }: FileWrite & { readonly file: Writable; readonly position: number }): number {
  let written = 0;
  for (const [pointer, length] of ioVectors(state, vectors >>> 0, count >>> 0)) {
    // What one call hands over is copied in parts: a vector may name the whole memory, and again in the next entry.
    for (let done = 0; done < length; done += OUTPUT_COPY_BYTES_MAX) {
      const part = state.memory.read(pointer + done, Math.min(OUTPUT_COPY_BYTES_MAX, length - done));
      file.owner.write(file.node, position + written, part);
      written += part.length;
    }
  }
  state.memory.view(out >>> 0, 4).setUint32(out >>> 0, written, true);
  return written;
}

function ioVectors(state: WasiState, vectors: number, count: number): (readonly [pointer: number, length: number])[] {
  if (count > IO_VECTORS_MAX) throw new WasiError(ERRNO.inval);
  const view = state.memory.view(vectors, count * 8);
  return Array.from({ length: count }, (_, index) => {
    const at = vectors + index * 8;
    return [view.getUint32(at, true), view.getUint32(at + 4, true)] as const;
  });
}

function readAt(state: WasiState, from: { file: OpenFile; vectors: number; count: number; position?: number }): number {
  let position = from.position ?? from.file.position;
  const start = position;
  for (const [pointer, length] of ioVectors(state, from.vectors >>> 0, from.count >>> 0)) {
    const part = from.file.node.bytes.subarray(position, position + length);
    state.memory.check(pointer, length);
    state.memory.write(pointer, part);
    position += part.length;
    if (part.length < length) break;
  }
  return position - start;
}

function writeDescriptorStat(state: WasiState, fd: number, out: number): void {
  const open = state.descriptors.get(fd);
  const { kind } = open;
  const view = state.memory.view(out, 24);
  view.setUint32(out + 4, 0, true);
  view.setUint16(out + 2, 0, true);
  const [type, rights, inherited] =
    kind === "stream" ? [FILE_TYPE.characterDevice, STREAM_RIGHTS, 0n]
    : kind === "directory" ? [FILE_TYPE.directory, DIRECTORY_RIGHTS, INHERITED_RIGHTS]
    : [FILE_TYPE.regularFile, open.kind === "file" && open.write === true ? WRITABLE_FILE_RIGHTS : FILE_RIGHTS, 0n];
  view.setUint16(out, type, true);
  view.setBigUint64(out + 8, rights, true);
  view.setBigUint64(out + 16, inherited, true);
}

/** `undefined`: a standard stream. */
export function writeFileStat(state: WasiState, out: number, node: TreeNode | undefined): void {
  const view = state.memory.view(out, FILE_STAT_BYTES);
  const type = node === undefined ? FILE_TYPE.characterDevice : node.kind === "file" ? FILE_TYPE.regularFile : FILE_TYPE.directory;
  const modified = node?.modifiedNs ?? 0n;
  const fields = [1n, BigInt(node?.inode ?? 0), BigInt(type), 1n, BigInt(node?.kind === "file" ? node.bytes.length : 0), modified, modified, modified];
  fields.forEach((value, index) => view.setBigUint64(out + index * 8, value, true));
}

interface DirectoryRead {
  readonly fd: number;
  readonly buffer: number;
  readonly length: number;
  readonly cookie: bigint;
  readonly out: number;
}

/** The cookie is the index of the next name; a folder that changes meanwhile may show a name twice or not. */
function readDirectory(state: WasiState, { fd, buffer, length, cookie, out }: DirectoryRead): void {
  const { memory } = state;
  memory.check(buffer, length);
  const entries = [...state.descriptors.directory(fd).node.entries];
  let used = 0;
  for (let index = Number(BigInt.asUintN(53, cookie)); index < entries.length && used < length; index += 1) {
    const [name, node] = entries[index] as (typeof entries)[number];
    const text = encodeText(name);
    const entry = new Uint8Array(DIRECTORY_ENTRY_BYTES + text.length);
    const view = new DataView(entry.buffer);
    view.setBigUint64(0, BigInt(index + 1), true);
    view.setBigUint64(8, BigInt(node.inode), true);
    view.setUint32(16, text.length, true);
    view.setUint8(20, node.kind === "file" ? FILE_TYPE.regularFile : FILE_TYPE.directory);
    entry.set(text, DIRECTORY_ENTRY_BYTES);
    // A cut entry tells the guest that its buffer is full.
    const part = entry.subarray(0, length - used);
    memory.write(buffer + used, part);
    used += part.length;
  }
  memory.view(out, 4).setUint32(out, used, true);
}
