/**
 * The committed interpreter: a compressed module and standard library beside a lock file with their hashes
 * (`runtime-wasm/dist`). Nothing is used whose bytes are not the ones the lock names.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";
import { DatabaseError, isDatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { ARTEFACT_BYTES_MAX } from "./limits.ts";

/** What the runtime is made of, uncompressed. */
export interface Artefacts {
  readonly module: Uint8Array;
  /** Zip archive that the guest sees as `/lib/python313.zip`. */
  readonly stdlib: Uint8Array;
}

interface LockedFile {
  readonly sha256: string;
  readonly compressed: { readonly file: string };
}

const decompress = promisify(brotliDecompress);

/** Reads and checks the artefacts in `folder` (its URL ends with "/"). Throws `server.misconfigured`. */
export async function readArtefacts(folder: URL): Promise<Artefacts> {
  try {
    const lock: unknown = JSON.parse(await readFile(new URL("lock.json", folder), "utf8"));
    const [module, stdlib] = await Promise.all([readLocked(folder, lock, "python.wasm"), readLocked(folder, lock, "stdlib.zip")]);
    return { module, stdlib };
  } catch (error) {
    throw isDatabaseError(error) ? error : unusable(messageOf(error), error);
  }
}

function unusable(reason: string, cause?: unknown): DatabaseError {
  return new DatabaseError("server.misconfigured", {
    message: `The Python interpreter cannot be loaded: ${reason}`,
    hint: "install the package again, or build the interpreter with \"npm run build:runtime\"",
    cause,
  });
}

async function readLocked(folder: URL, lock: unknown, name: string): Promise<Uint8Array> {
  const entry = lockedFile(lock, name);
  const compressed = await readFile(new URL(entry.compressed.file, folder));
  const bytes = await decompress(compressed, { maxOutputLength: ARTEFACT_BYTES_MAX });
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== entry.sha256) throw unusable(`"${name}" has the hash ${found}, the lock file says ${entry.sha256}`);
  return bytes;
}

function lockedFile(lock: unknown, name: string): LockedFile {
  const outputs = property(lock, "outputs");
  const entry = property(outputs, name);
  const sha256 = property(entry, "sha256");
  const file = property(property(entry, "compressed"), "file");
  if (typeof sha256 !== "string" || typeof file !== "string") throw unusable(`the lock file does not describe "${name}"`);
  return { sha256, compressed: { file } };
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
