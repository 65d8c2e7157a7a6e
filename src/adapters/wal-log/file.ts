/** WAL files in a folder, written by a thread of their own (`disk-worker.ts`). */
import { mkdir, open, readFile, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { assert } from "../../core/errors/assert.ts";
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import type { WalLog } from "../../ports/wal-log.ts";
import { OPERATION, openDiskMailbox, WORD } from "./disk-mailbox.ts";
import { walFileName, walFileNumber } from "../../core/wal/file-name.ts";
import { MAILBOX_BYTES } from "./limits.ts";

export interface FileWalLogOptions {
  /** Created when it is missing. */
  readonly folder: string;
  /** The built `disk-worker`. */
  readonly workerUrl: URL;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Request {
  readonly operation: number;
  readonly file: number;
  readonly byteLength?: number;
  readonly size?: number;
}

/** Throws `server.folder_not_writable`. */
export async function openFileWalLog(options: FileWalLogOptions): Promise<WalLog> {
  try {
    await makeFolder(options.folder);
  } catch (error) {
    throw new DatabaseError("server.folder_not_writable", {
      message: `Cannot create the folder '${options.folder}': ${messageOf(error)}`,
      hint: "choose another --data-dir, or make its parent writable",
      cause: error,
    });
  }
  return new FileWalLog(options);
}

/** The folder's own name must be durable, or synced files in it are out of reach after a power cut. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let path = folder; path.length >= first.length; path = dirname(path)) {
    const parent = await open(dirname(path), "r");
    try {
      await parent.sync();
    } finally {
      await parent.close();
    }
  }
}

class FileWalLog implements WalLog {
  readonly #folder: string;
  readonly #mailbox = openDiskMailbox();
  readonly #worker: Worker;
  #waiting: Waiting | undefined;
  #ended: string | undefined;

  constructor(options: FileWalLogOptions) {
    this.#folder = options.folder;
    this.#worker = new Worker(options.workerUrl, { workerData: { buffer: this.#mailbox.buffer, folder: options.folder } });
    this.#worker.on("message", () => this.#settle());
    this.#worker.on("error", (error) => this.#end(messageOf(error)));
    this.#worker.on("exit", () => this.#end("the disk thread has ended"));
  }

  async list(): Promise<readonly number[]> {
    const names = await readdir(this.#folder);
    return names.map(walFileNumber).filter((file) => file !== undefined).sort((a, b) => a - b);
  }

  async read(file: number): Promise<Uint8Array> {
    try {
      const { buffer, byteOffset, length } = await readFile(join(this.#folder, walFileName(file)));
      // Not Node's Buffer: its slice() makes no copy, so rows taken in would hold the whole file.
      return new Uint8Array(buffer, byteOffset, length);
    } catch (error) {
      throw new DatabaseError("object_store.not_found", { message: `Cannot read WAL file '${join(this.#folder, walFileName(file))}': ${messageOf(error)}`, hint: "check the folder's rights, or restore the file from a backup", cause: error });
    }
  }

  async append(file: number, pieces: readonly Uint8Array[]): Promise<void> {
    const { payload } = this.#mailbox;
    let used = 0;
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; ) {
        const part = piece.subarray(at, at + MAILBOX_BYTES - used);
        payload.set(part, used);
        used += part.length;
        at += part.length;
        if (used === MAILBOX_BYTES) {
          await this.#request({ operation: OPERATION.write, file, byteLength: used });
          used = 0;
        }
      }
    }
    await this.#request({ operation: OPERATION.writeAndSync, file, byteLength: used });
  }

  truncate(file: number, size: number): Promise<void> {
    return this.#request({ operation: OPERATION.truncate, file, size });
  }

  delete(file: number): Promise<void> {
    return this.#request({ operation: OPERATION.delete, file });
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    await this.#request({ operation: OPERATION.close, file: 0 });
    await this.#worker.terminate();
  }

  #request({ operation, file, byteLength = 0, size = 0 }: Request): Promise<void> {
    assert(this.#waiting === undefined, "the WAL log has one request at a time");
    if (this.#ended !== undefined) return Promise.reject(this.#failure(this.#ended));
    const { words } = this.#mailbox;
    words[WORD.operation] = operation;
    words[WORD.file] = file;
    words[WORD.byteLength] = byteLength;
    words[WORD.sizeLow] = size | 0;
    words[WORD.sizeHigh] = Math.floor(size / 2 ** 32);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      Atomics.add(words, WORD.request, 1);
      Atomics.notify(words, WORD.request);
    });
  }

  #settle(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    const failed = this.#mailbox.words[WORD.failed] as number;
    if (failed === 0) waiting?.resolve();
    else waiting?.reject(this.#failure(new TextDecoder().decode(this.#mailbox.failure.slice(0, failed))));
  }

  #end(reason: string): void {
    this.#ended ??= reason;
    this.#waiting?.reject(this.#failure(reason));
    this.#waiting = undefined;
  }

  #failure(reason: string): DatabaseError {
    return new DatabaseError("wal.write_failed", {
      message: `Writing the WAL in '${this.#folder}' failed: ${reason}`,
      hint: "check the disk's free space and health, then restart the server",
    });
  }
}
