/**
 * Reading a local plugin for upload: one file, or all files of a package folder but hidden ones and bytecode (spec:
 * processing-engine §14.5; only Python files there, so that a plugin misses its configuration, influxdb#26582).
 */
import { DatabaseError } from "../core/errors/database-error.ts";
import { MANIFEST_BYTES_MAX } from "../core/trigger/manifest-grants.ts";
import type { Terminal } from "./terminal.ts";

export interface UploadFile {
  /** Path in the package; the base name of a single file. */
  readonly name: string;
  readonly content: string;
  /** Absent: `content` is the text itself. */
  readonly encoding?: "base64";
}

export interface Upload {
  /** What the trigger names. */
  readonly name: string;
  readonly kind: "file" | "folder";
  readonly files: readonly UploadFile[];
  /** Text of the manifest.toml beside the code; it stays here. */
  readonly manifest: string | undefined;
}

/** A package of more files than this is a mistake, such as a home folder. */
const UPLOAD_FILES_MAX = 1_000;

/** `missing` are the words for a path where nothing is: the reference has two (spec: cli §4, §8). */
export async function readUpload(terminal: Terminal, path: string, missing = "File not found"): Promise<Upload> {
  const absolute = terminal.resolvePath(path);
  const name = absolute.split(/[\\/]/).findLast((part) => part !== "");
  if (name === undefined) throw failed(`Invalid path: ${path}`);
  const kind = await terminal.fileKind(absolute);
  if (kind === undefined) throw failed(`${missing}: ${path}`);
  if (kind === "file") return { name, kind, files: [await readFile(terminal, absolute, name)], manifest: await readManifest(terminal, absolute.slice(0, -name.length)) };
  const relatives = (await terminal.listFiles(absolute)).filter(isPackageFile);
  if (!relatives.includes("__init__.py")) throw failed(`Multi-file plugin directory must contain __init__.py: ${path}`);
  if (relatives.length > UPLOAD_FILES_MAX) throw failed(`The folder has more than ${UPLOAD_FILES_MAX} files: ${path}`);
  const files: UploadFile[] = [];
  for (const relative of relatives) {
    files.push(await readFile(terminal, `${absolute}/${relative}`, relative));
  }
  return { name, kind, files, manifest: await readManifest(terminal, `${absolute}/`) };
}

function isPackageFile(relative: string): boolean {
  return !relative.endsWith(".pyc") && relative.split("/").every((part) => part !== "__pycache__" && !part.startsWith("."));
}

async function readFile(terminal: Terminal, path: string, name: string): Promise<UploadFile> {
  const bytes = await terminal.readFile(path);
  try {
    return { name, content: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { name, content: Buffer.from(bytes).toString("base64"), encoding: "base64" };
  }
}

async function readManifest(terminal: Terminal, folder: string): Promise<string | undefined> {
  const path = `${folder}manifest.toml`;
  if ((await terminal.fileKind(path)) !== "file") return undefined;
  return new TextDecoder().decode((await terminal.readFile(path)).subarray(0, MANIFEST_BYTES_MAX));
}

function failed(message: string): DatabaseError {
  return new DatabaseError("cli.failed", { message });
}
