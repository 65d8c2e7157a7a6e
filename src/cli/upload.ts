/**
 * Reading a local plugin for upload: one file, or all files of a package folder but hidden ones and bytecode (spec:
 * processing-engine §14.5; only Python files there, so that a plugin misses its configuration, influxdb#26582).
 */
import { DatabaseError } from "../core/errors/database-error.ts";
import { parseRequirementsFile } from "../core/packages/requirements-file.ts";
import { isBesideName, REQUIREMENTS_NAME } from "../core/packages/plugin-requirements.ts";
import { MANIFEST_BYTES_MAX, MANIFEST_NAME } from "../core/trigger/manifest.ts";
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
  /** Texts beside the code, by name: its manifest.toml, its requirements.txt and what that includes. */
  readonly beside: ReadonlyMap<string, string>;
}

/** A package of more files than this is a mistake, such as a home folder. */
const UPLOAD_FILES_MAX = 1_000;

/** The manifest, the requirements and what they include. */
const BESIDE_FILES_MAX = 16;

/** `missing` are the words for a path where nothing is: the reference has two (spec: cli §4, §8). */
export async function readUpload(terminal: Terminal, path: string, missing = "File not found"): Promise<Upload> {
  const absolute = terminal.resolvePath(path);
  const name = absolute.split(/[\\/]/).findLast((part) => part !== "");
  if (name === undefined) throw failed(`Invalid path: ${path}`);
  const kind = await terminal.fileKind(absolute);
  if (kind === undefined) throw failed(`${missing}: ${path}`);
  if (kind === "file") return { name, kind, files: [await readFile(terminal, absolute, name)], beside: await readBeside(terminal, absolute.slice(0, -name.length)) };
  const relatives = (await terminal.listFiles(absolute)).filter(isPackageFile);
  if (!relatives.includes("__init__.py")) throw failed(`Multi-file plugin directory must contain __init__.py: ${path}`);
  if (relatives.length > UPLOAD_FILES_MAX) throw failed(`The folder has more than ${UPLOAD_FILES_MAX} files: ${path}`);
  const files: UploadFile[] = [];
  for (const relative of relatives) {
    files.push(await readFile(terminal, `${absolute}/${relative}`, relative));
  }
  return { name, kind, files, beside: await readBeside(terminal, `${absolute}/`) };
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

async function readBeside(terminal: Terminal, folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const wanted = [MANIFEST_NAME, REQUIREMENTS_NAME];
  for (let name = wanted.shift(); name !== undefined && found.size < BESIDE_FILES_MAX; name = wanted.shift()) {
    const path = `${folder}${name}`;
    if (found.has(name) || !isBesideName(name) || (await terminal.fileKind(path)) !== "file") continue;
    const text = new TextDecoder().decode((await terminal.readFile(path)).subarray(0, MANIFEST_BYTES_MAX));
    found.set(name, text);
    const file = name === MANIFEST_NAME ? [] : parseRequirementsFile(text);
    if ("requirements" in file) wanted.push(...file.includes, ...file.constraints);
  }
  return found;
}

function failed(message: string): DatabaseError {
  return new DatabaseError("cli.failed", { message });
}
