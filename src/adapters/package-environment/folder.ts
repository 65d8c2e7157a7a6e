/**
 * The environment on disk: a lock file names the current folder of unpacked packages, a cache keeps the wheels by hash. A new
 * set is unpacked beside the old one; renaming the lock file is the switch, and what it no longer names goes afterwards.
 *
 * ```
 * <folder>/tidemark-packages.json            { version, folder, packages: [{ name, version, fileName, sha256, … }] }
 * <folder>/tidemark-set-<id>/site-packages/  the current packages
 * <folder>/tidemark-cache/<sha256>.whl
 * ```
 */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { ENVIRONMENT_BYTES_MAX } from "../../core/packages/limits.ts";
import type { InstalledPackage, PackageEnvironment } from "../../ports/package-environment.ts";
import { unpackWheel } from "./unpack-wheel.ts";

/** The folder may also be a real virtual environment: these names are nobody else's. */
const LOCK = "tidemark-packages.json";
const CACHE = "tidemark-cache";
const SET = "tidemark-set-";
const VERSION = 1;

interface Lock {
  readonly version: number;
  readonly folder: string;
  readonly packages: readonly InstalledPackage[];
}

export interface FolderEnvironment extends PackageEnvironment {
  /** Where the current packages lie; undefined: none are installed. */
  sitePackages(): Promise<string | undefined>;
}

export function createFolderEnvironment(folder: string, randomName: () => string): FolderEnvironment {
  return {
    installed: async () => (await readLock(folder))?.packages ?? [],
    sitePackages: async () => {
      const lock = await readLock(folder);
      return lock === undefined ? undefined : join(folder, lock.folder, "site-packages");
    },
    cached: async (sha256) => {
      const wheel = await readIfThere(cachePath(folder, sha256));
      return wheel !== undefined && digest(wheel) === sha256 ? wheel : undefined;
    },
    keep: (sha256, wheel) => guarded(folder, () => writeWhole(cachePath(folder, sha256), wheel, randomName())),
    replace: (packages) => guarded(folder, () => replace(folder, packages, randomName())),
    sha256: digest,
  };
}

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const cachePath = (folder: string, sha256: string): string => join(folder, CACHE, `${sha256}.whl`);

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

async function readLock(folder: string): Promise<Lock | undefined> {
  const bytes = await readIfThere(join(folder, LOCK));
  if (bytes === undefined) return undefined;
  try {
    const lock = JSON.parse(new TextDecoder().decode(bytes)) as Lock;
    if (lock.version === VERSION && /^[0-9a-z-]+$/.test(lock.folder) && Array.isArray(lock.packages)) return lock;
  } catch {
    // Told below, like all other damage.
  }
  throw new DatabaseError("package.corrupt", { message: `The lock file of the packages in "${folder}" is damaged`, hint: "move that folder away and install the packages again" });
}

async function replace(folder: string, packages: Parameters<PackageEnvironment["replace"]>[0], id: string): Promise<void> {
  const name = `${SET}${id}`;
  const site = join(folder, name, "site-packages");
  try {
    await mkdir(site, { recursive: true });
    await unpackAll(site, packages);
    const lock: Lock = { version: VERSION, folder: name, packages: packages.map(({ wheel: _, ...rest }) => rest) };
    await writeWhole(join(folder, LOCK), new TextEncoder().encode(`${JSON.stringify(lock, null, 2)}\n`), id);
  } catch (error) {
    await rm(join(folder, name), { recursive: true, force: true });
    throw error;
  }
  for (const other of await readdir(folder)) if (other.startsWith(SET) && other !== name) await rm(join(folder, other), { recursive: true, force: true });
}

async function unpackAll(site: string, packages: Parameters<PackageEnvironment["replace"]>[0]): Promise<void> {
  const owners = new Map<string, string>();
  let bytes = 0;
  for (const { name, fileName, wheel } of packages) {
    for (const [path, content] of unpackWheel(wheel, fileName)) {
      const owner = owners.get(path);
      // Namespace packages of old share an empty __init__.py; anything else would let one package change another.
      if (owner !== undefined && content.length > 0) throw new DatabaseError("package.corrupt", { message: `${name} and ${owner} both bring the file "${path}"`, hint: "nothing was changed; the two cannot be installed together" });
      owners.set(path, name);
      bytes += content.length;
      if (bytes > ENVIRONMENT_BYTES_MAX) throw new DatabaseError("package.corrupt", { message: `The packages would take more than ${ENVIRONMENT_BYTES_MAX} bytes together`, hint: "nothing was changed; install fewer packages" });
      await mkdir(dirname(join(site, path)), { recursive: true });
      await writeFile(join(site, path), content);
    }
  }
}

/** Whole and durable, or not at all. */
async function writeWhole(path: string, bytes: Uint8Array, id: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${id}.tmp`;
  const file = await open(temporary, "w");
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

async function guarded<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatabaseError) throw error;
    throw new DatabaseError("object_store.unavailable", { message: `The packages in "${folder}" cannot be changed: ${messageOf(error)}`, hint: "nothing was changed; check the folder's rights and its disk", cause: error });
  }
}
