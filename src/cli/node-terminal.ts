/** The real terminal, on `node:` modules that Node, Deno and Bun share. */
import { randomBytes } from "node:crypto";
import { open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { DatabaseError, messageOf } from "../core/errors/database-error.ts";
import { endProcess } from "./end-process.ts";
import { sendHttp } from "./send-http.ts";
import type { FileWriter, Terminal } from "./terminal.ts";

export function nodeTerminal(envFile: ReadonlyMap<string, string>): Terminal {
  return {
    stdoutIsTerminal: process.stdout.isTTY === true,
    stderrIsTerminal: process.stderr.isTTY === true,
    stdinIsTerminal: process.stdin.isTTY === true,
    homeDir: homedir(),
    workDir: process.cwd(),
    hostName: hostname(),
    env: (name) => process.env[name] ?? envFile.get(name),
    stdout: writeStdout,
    stderr: (text) => void process.stderr.write(text),
    readStdin,
    readLine,
    readFile: (path) => readFile(path),
    openFile,
    writeSecretFile,
    randomBytes: (size) => new Uint8Array(randomBytes(size)),
    fileKind,
    listFiles,
    resolvePath: (path) => resolve(path),
    gzip: (bytes) => promisify(gzip)(bytes),
    http: sendHttp,
    nowMs: () => performance.now(),
    epochMs: () => Date.now(),
    onStopSignal: (listener) => {
      process.on("SIGINT", listener);
      process.on("SIGTERM", listener);
    },
    exit: (code) => endProcess(code),
    after: (delayMs, action) => void setTimeout(action, delayMs).unref(),
    pause: (delayMs) => new Promise((done) => setTimeout(done, delayMs)),
  };
}

function writeStdout(data: string | Uint8Array): Promise<void> {
  return new Promise((done, fail) => {
    process.stdout.write(data, (error) => (error == null ? done() : fail(error)));
  });
}

/** What `write` reads from a pipe at most; line protocol files beyond it belong into `--file`. */
const STDIN_SIZE_MAX = 2 * 1024 * 1024 * 1024;

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > STDIN_SIZE_MAX) throw new DatabaseError("cli.failed", { message: "The piped input is larger than 2 GiB", hint: "write it from a file, which is sent in parts: --file <FILE>" });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function readLine(): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line;
    return undefined;
  } finally {
    lines.close();
  }
}

async function openFile(path: string): Promise<FileWriter> {
  const file = await open(path, "w").catch((error: unknown) => {
    throw new DatabaseError("cli.failed", { message: `cannot write the file "${path}": ${messageOf(error)}`, cause: error });
  });
  return { write: async (bytes) => void (await file.writeFile(bytes)), close: () => file.close() };
}

const OWNER_ONLY = 0o600;

async function writeSecretFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeFile(temporary, text, { mode: OWNER_ONLY, flag: "wx", flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new DatabaseError("cli.failed", { message: `cannot write the file "${path}": ${messageOf(error)}`, cause: error });
  }
}

async function fileKind(path: string): Promise<"file" | "folder" | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  return found.isDirectory() ? "folder" : "file";
}

async function listFiles(folder: string): Promise<readonly string[]> {
  const files: string[] = [];
  const visit = async (relative: string): Promise<void> => {
    for (const entry of await readdir(resolve(folder, relative), { withFileTypes: true })) {
      const path = relative === "" ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) await visit(path);
      else if (entry.isFile()) files.push(path);
    }
  };
  await visit("");
  return files.sort();
}
