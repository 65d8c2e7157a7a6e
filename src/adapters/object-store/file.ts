/**
 * Objects as files below one folder. A put is a temporary file, synced, then linked or renamed into place, then the
 * folder synced: a crash leaves the old object or the new one, never a part.
 */
import { link, mkdir, open, readFile, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import type { ObjectStore } from "../../ports/object-store.ts";

export interface FileObjectStoreOptions {
  /** Created when it is missing. */
  readonly folder: string;
  /** Makes names of temporary files unique. */
  readonly randomName: () => string;
}

const TEMPORARY = ".tmp-";
const PUT_ATTEMPTS_MAX = 5;
const LIST_ATTEMPTS_MAX = 20;

const isCode = (error: unknown, code: string): boolean => error instanceof Error && "code" in error && error.code === code;

function unavailable(what: string, error: unknown): DatabaseError {
  return new DatabaseError("object_store.unavailable", { message: `${what}: ${messageOf(error)}`, hint: "check the data folder's rights and free space", cause: error });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the folder and its parents durable: a name counts only once the folder that holds it is synced. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let path = folder; path.length >= first.length; path = dirname(path)) await syncFolder(dirname(path));
}

/** Objects of each ten minutes have a folder: without this a year of merged files would leave 52,560 empty ones. */
async function removeEmptyFolders(from: string, root: string): Promise<void> {
  for (let path = from; path.length > root.length && path.startsWith(root); path = dirname(path)) {
    try {
      await rmdir(path);
    } catch {
      // Not empty, or gone already.
      return;
    }
  }
}

/** Files below a folder, relative; none when it is not there. A folder below it that goes meanwhile makes it look again. */
async function listFolder(base: string): Promise<string[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const entries = await readdir(base, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile() && !entry.name.startsWith(TEMPORARY))
        .map((entry) => relative(base, join(entry.parentPath, entry.name)).split(sep).join("/"));
    } catch (error) {
      if (!isCode(error, "ENOENT")) throw error;
      if (await stat(base).then(() => false, () => true)) return [];
      if (attempt === LIST_ATTEMPTS_MAX) throw error;
    }
  }
}

export function createFileObjectStore({ folder, randomName }: FileObjectStoreOptions): ObjectStore {
  /** Throws `internal.invariant` for a path that only a fault of ours could make. */
  function place(path: string): string {
    const parts = path.split("/");
    if (path === "" || path.includes("\0") || path.includes("\\") || parts.some((part) => part === "" || part === "." || part === ".." || part.startsWith(TEMPORARY))) {
      throw new DatabaseError("internal.invariant", { message: `Object path '${path}' is not allowed` });
    }
    return join(folder, ...parts);
  }

  /** A delete may take the folder away again before the file is in it. */
  async function put(path: string, bytes: Uint8Array, ifAbsent: boolean): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await putOnce(path, bytes, ifAbsent);
        return;
      } catch (error) {
        if (!isCode(error, "ENOENT") || attempt === PUT_ATTEMPTS_MAX) throw error;
      }
    }
  }

  async function putOnce(path: string, bytes: Uint8Array, ifAbsent: boolean): Promise<void> {
    const target = place(path);
    await makeFolder(dirname(target));
    const temporary = join(dirname(target), `${TEMPORARY}${randomName()}`);
    try {
      const handle = await open(temporary, "wx");
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      if (ifAbsent) await link(temporary, target);
      else await rename(temporary, target);
      await syncFolder(dirname(target));
    } finally {
      await rm(temporary, { force: true });
    }
  }

  return {
    async get(path) {
      try {
        const { buffer, byteOffset, length } = await readFile(place(path));
        // Not Node's Buffer: its slice() makes no copy.
        return new Uint8Array(buffer, byteOffset, length);
      } catch (error) {
        if (isCode(error, "ENOENT") || isCode(error, "ENOTDIR")) return undefined;
        throw unavailable(`Cannot read '${path}'`, error);
      }
    },
    async put(path, bytes, options) {
      try {
        await put(path, bytes, options?.ifAbsent === true);
      } catch (error) {
        if (isCode(error, "EEXIST")) throw new DatabaseError("object_store.exists", { message: `Object '${path}' exists already`, cause: error });
        throw unavailable(`Cannot write '${path}'`, error);
      }
    },
    async list(prefix) {
      const parent = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      const base = parent === "" ? folder : place(parent.slice(0, -1));
      try {
        const names = await listFolder(base);
        return names.map((name) => parent + name).filter((path) => path.startsWith(prefix)).sort();
      } catch (error) {
        throw unavailable(`Cannot list '${prefix}'`, error);
      }
    },
    async delete(path) {
      try {
        const target = place(path);
        await rm(target, { force: true });
        await removeEmptyFolders(dirname(target), folder);
      } catch (error) {
        throw unavailable(`Cannot delete '${path}'`, error);
      }
    },
  };
}
