/** Reading a local plugin for upload: one file, or every Python file of a package folder (spec: processing-engine §14.5). */
import { DatabaseError } from "../core/errors/database-error.ts";
import { MANIFEST_BYTES_MAX } from "../core/trigger/manifest-grants.ts";
import type { Terminal } from "./terminal.ts";

export interface UploadFile {
  /** As the server stores it, below its plugin folder. */
  readonly name: string;
  readonly content: string;
}

export interface Upload {
  /** What the trigger names. */
  readonly name: string;
  readonly files: readonly UploadFile[];
  /** Text of the manifest.toml beside the code; it stays here. */
  readonly manifest: string | undefined;
}

/** A package of more files than this is a mistake, such as a home folder. */
const UPLOAD_FILES_MAX = 1_000;

export async function readUpload(terminal: Terminal, path: string): Promise<Upload> {
  const absolute = terminal.resolvePath(path);
  const name = absolute.split(/[\\/]/).findLast((part) => part !== "");
  if (name === undefined) throw failed(`Invalid path: ${path}`);
  const kind = await terminal.fileKind(absolute);
  if (kind === undefined) throw failed(`File not found: ${path}`);
  if (kind === "file") return { name, files: [{ name, content: await readPython(terminal, absolute) }], manifest: await readManifest(terminal, absolute.slice(0, -name.length)) };
  const relatives = (await terminal.listFiles(absolute)).filter(isPackageFile);
  if (!relatives.includes("__init__.py")) throw failed(`Multi-file plugin directory must contain __init__.py: ${path}`);
  if (relatives.length > UPLOAD_FILES_MAX) throw failed(`The folder has more than ${UPLOAD_FILES_MAX} Python files: ${path}`);
  const files: UploadFile[] = [];
  for (const relative of relatives) {
    files.push({ name: `${name}/${relative}`, content: await readPython(terminal, `${absolute}/${relative}`) });
  }
  return { name, files, manifest: await readManifest(terminal, `${absolute}/`) };
}

function isPackageFile(relative: string): boolean {
  return relative.endsWith(".py") && !relative.split("/").includes("__pycache__");
}

async function readPython(terminal: Terminal, path: string): Promise<string> {
  return new TextDecoder().decode(await terminal.readFile(path));
}

async function readManifest(terminal: Terminal, folder: string): Promise<string | undefined> {
  const path = `${folder}manifest.toml`;
  if ((await terminal.fileKind(path)) !== "file") return undefined;
  return new TextDecoder().decode((await terminal.readFile(path)).subarray(0, MANIFEST_BYTES_MAX));
}

function failed(message: string): DatabaseError {
  return new DatabaseError("cli.failed", { message });
}
