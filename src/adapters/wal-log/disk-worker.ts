/**
 * The disk thread: writes and syncs WAL files with synchronous calls, so that nothing shares its time. DuckDB's queries
 * and gunzip live in libuv's pool, where four slow queries made one fdatasync take three seconds (design §8.3).
 */
import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { OPERATION, openDiskMailbox, WORD } from "./disk-mailbox.ts";
import { walFileName } from "../../core/wal/file-name.ts";
import { FAILURE_BYTES_MAX } from "./limits.ts";

interface DiskWorkerData {
  readonly buffer: SharedArrayBuffer;
  readonly folder: string;
}

const { buffer, folder } = workerData as DiskWorkerData;
const { words, payload, failure } = openDiskMailbox(buffer);
let open: { readonly file: number; readonly handle: number } | undefined;

function syncFolder(): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function closeOpen(): void {
  if (open !== undefined) closeSync(open.handle);
  open = undefined;
}

/** Appending to a new file makes its name durable before the first record is acknowledged. */
function handleOf(file: number): number {
  if (open?.file === file) return open.handle;
  closeOpen();
  const path = join(folder, walFileName(file));
  open = { file, handle: openSync(path, "a", 0o644) };
  syncFolder();
  return open.handle;
}

function write(file: number, byteLength: number): void {
  const handle = handleOf(file);
  for (let at = 0; at < byteLength; ) at += writeSync(handle, payload, at, byteLength - at);
}

function truncate(file: number, size: number): void {
  closeOpen();
  const handle = openSync(join(folder, walFileName(file)), "r+");
  try {
    ftruncateSync(handle, size);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function perform(operation: number, file: number, byteLength: number): void {
  switch (operation) {
    case OPERATION.write:
      return write(file, byteLength);
    case OPERATION.writeAndSync:
      write(file, byteLength);
      return fdatasyncSync(handleOf(file));
    case OPERATION.truncate:
      return truncate(file, (words[WORD.sizeHigh] as number) * 2 ** 32 + ((words[WORD.sizeLow] as number) >>> 0));
    case OPERATION.delete:
      if (open?.file === file) closeOpen();
      rmSync(join(folder, walFileName(file)), { force: true });
      return syncFolder();
    default:
      return closeOpen();
  }
}

function reply(error: unknown): void {
  const text = new TextEncoder().encode(error === undefined ? "" : error instanceof Error ? error.message : String(error));
  failure.set(text.subarray(0, FAILURE_BYTES_MAX));
  words[WORD.failed] = Math.min(text.length, FAILURE_BYTES_MAX);
  parentPort?.postMessage(0);
}

for (let seen = 0; ; ) {
  while (Atomics.load(words, WORD.request) === seen) Atomics.wait(words, WORD.request, seen);
  seen = Atomics.load(words, WORD.request);
  const operation = words[WORD.operation] as number;
  try {
    perform(operation, words[WORD.file] as number, words[WORD.byteLength] as number);
    reply(undefined);
  } catch (error) {
    reply(error);
  }
  if (operation === OPERATION.close) break;
}
