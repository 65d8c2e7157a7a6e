/**
 * Unpacks a wheel (PEP 427) in memory: bounded, every path below the environment, every file as RECORD says. Scripts, headers
 * and data files are left out: nothing could run or find them in the guest.
 */
import { createHash } from "node:crypto";
import { unzipSync } from "fflate";
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { METADATA_BYTES_MAX, UNPACKED_BYTES_MAX, UNPACKED_FILES_MAX } from "../../core/packages/limits.ts";

/** By path below site-packages. Throws `package.corrupt`. */
export function unpackWheel(wheel: Uint8Array, fileName: string): ReadonlyMap<string, Uint8Array> {
  const corrupt = (why: string, cause?: unknown): DatabaseError =>
    new DatabaseError("package.corrupt", { message: `The wheel "${fileName}" cannot be installed: ${why}`, hint: "nothing was changed; take another version, or another index", ...(cause === undefined ? {} : { cause }) });
  const entries = inflate(wheel, corrupt);
  const info = infoFolder(Object.keys(entries), corrupt);
  const record = readRecord(entries[`${info}/RECORD`], corrupt);
  const files = new Map<string, Uint8Array>();
  for (const [path, bytes] of Object.entries(entries)) {
    if (path.endsWith("/")) continue;
    checkRecord(path, bytes, { record, info, corrupt });
    const target = targetOf(path, info);
    if (target !== undefined) files.set(target, bytes);
  }
  const missing = [...record.keys()].find((path) => entries[path] === undefined);
  if (missing !== undefined) throw corrupt(`"${missing}" is listed in RECORD and missing`);
  files.set(`${info}/INSTALLER`, new TextEncoder().encode("tidemark\n"));
  return files;
}

/** The text of the wheel's own METADATA. Throws `package.corrupt`. */
export function wheelMetadata(wheel: Uint8Array, fileName: string): string {
  const corrupt = (why: string): DatabaseError => new DatabaseError("package.corrupt", { message: `The wheel "${fileName}" cannot be read: ${why}`, hint: "take another version, or another index" });
  try {
    const found = unzipSync(wheel, { filter: ({ name, originalSize }) => /^[^/]+\.dist-info\/METADATA$/.test(name) && originalSize <= METADATA_BYTES_MAX });
    const [bytes] = Object.values(found);
    if (bytes === undefined) throw corrupt("it has no METADATA");
    return new TextDecoder().decode(bytes);
  } catch (error) {
    throw error instanceof DatabaseError ? error : corrupt(`it is no whole zip archive (${messageOf(error)})`);
  }
}

type Corrupt = (why: string, cause?: unknown) => DatabaseError;

/** Sizes are counted from the archive's own directory before anything is inflated, and held to while inflating. */
function inflate(wheel: Uint8Array, corrupt: Corrupt): Readonly<Record<string, Uint8Array>> {
  let bytes = 0;
  let count = 0;
  const sizes = new Map<string, number>();
  try {
    const entries = unzipSync(wheel, {
      filter: ({ name, originalSize }) => {
        checkPath(name, corrupt);
        if (sizes.has(name)) throw corrupt(`"${name}" is in it twice`);
        sizes.set(name, originalSize);
        bytes += originalSize;
        if (++count > UNPACKED_FILES_MAX) throw corrupt(`it holds more than ${UNPACKED_FILES_MAX} files`);
        if (bytes > UNPACKED_BYTES_MAX) throw corrupt(`it would take more than ${UNPACKED_BYTES_MAX} bytes`);
        return true;
      },
    });
    for (const [name, size] of sizes) if (entries[name]?.length !== size) throw corrupt(`"${name}" has another size than the archive says`);
    return entries;
  } catch (error) {
    throw error instanceof DatabaseError ? error : corrupt(`it is no whole zip archive (${messageOf(error)})`, error);
  }
}

/** Hostile names: absolute, climbing, with a drive or a backslash, or control characters. */
function checkPath(name: string, corrupt: Corrupt): void {
  const parts = name.replace(/\/$/, "").split("/");
  if (/[\u0000-\u001f\\:]/.test(name) || parts.some((part) => part === "" || part === "." || part === "..")) throw corrupt(`the path ${JSON.stringify(name)} is not allowed`);
}

function infoFolder(names: readonly string[], corrupt: Corrupt): string {
  const folders = new Set(names.flatMap((name) => /^([^/]+\.dist-info)\//.exec(name)?.[1] ?? []));
  const [only, other] = folders;
  if (only === undefined || other !== undefined) throw corrupt("it has no dist-info folder, or several");
  return only;
}

/** Hash by path: `path,sha256=<base64url>,size`. */
function readRecord(bytes: Uint8Array | undefined, corrupt: Corrupt): ReadonlyMap<string, string> {
  if (bytes === undefined) throw corrupt("it has no RECORD");
  const record = new Map<string, string>();
  for (const line of new TextDecoder().decode(bytes).split(/\r?\n/)) {
    if (line === "") continue;
    const [, quoted, bare, hash = ""] = /^(?:"((?:[^"]|"")*)"|([^,]*)),([^,]*),/.exec(line) ?? [];
    const path = quoted?.replaceAll('""', '"') ?? bare;
    if (path === undefined) throw corrupt("its RECORD cannot be read");
    record.set(path, hash);
  }
  return record;
}

function checkRecord(path: string, bytes: Uint8Array, { record, info, corrupt }: { readonly record: ReadonlyMap<string, string>; readonly info: string; readonly corrupt: Corrupt }): void {
  if (path === `${info}/RECORD` || path === `${info}/RECORD.jws` || path === `${info}/RECORD.p7s`) return;
  const hash = record.get(path);
  if (hash === undefined) throw corrupt(`"${path}" is not listed in RECORD`);
  const [algorithm, digest] = hash.split("=");
  if (algorithm !== "sha256" && algorithm !== "sha384" && algorithm !== "sha512") throw corrupt(`"${path}" has no hash that is checked`);
  if (createHash(algorithm).update(bytes).digest("base64url") !== digest) throw corrupt(`"${path}" has another hash than RECORD says`);
}

/** `<name>.data/purelib` and `platlib` are merged; undefined: left out. */
function targetOf(path: string, info: string): string | undefined {
  const data = `${info.slice(0, -".dist-info".length)}.data/`;
  if (!path.startsWith(data)) return path;
  const [kind, ...rest] = path.slice(data.length).split("/");
  return kind === "purelib" || kind === "platlib" ? rest.join("/") : undefined;
}
