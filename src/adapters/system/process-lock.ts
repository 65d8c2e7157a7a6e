/**
 * One server per data folder: a lock file names the process that holds it. A lock whose process is gone is taken over,
 * so a `kill -9` needs no cleaning up.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";

interface Holder {
  readonly pid: number;
  /** Start time of the process where the system tells it, since process ids are used again. */
  readonly started: string;
}

/** Returns the way to let go. The folder must exist. Throws `server.folder_not_writable`, `server.folder_in_use`. */
export function lockFolder(path: string): () => void {
  const mine: Holder = { pid: process.pid, started: startOf(process.pid) };
  const content = JSON.stringify(mine);
  // Twice: once more after a stale lock was removed.
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(path, content, { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw notWritable(path, error);
    }
    const stale = read(path);
    const holder = stale === undefined ? undefined : parseHolder(stale);
    if (holder !== undefined && isAlive(holder)) throw inUse(path, holder);
    if (!removeStale(path, stale)) throw inUse(path, undefined);
  }
  throw inUse(path, undefined);
}

function notWritable(path: string, error: unknown): DatabaseError {
  return new DatabaseError("server.folder_not_writable", {
    message: `The data folder '${dirname(path)}' cannot be written: ${messageOf(error)}`,
    hint: "choose another --data-dir, or make this one writable",
    cause: error,
  });
}

function inUse(path: string, holder: Holder | undefined): DatabaseError {
  const who = holder === undefined ? "another server" : `another server (process ${holder.pid})`;
  return new DatabaseError("server.folder_in_use", {
    message: `The data folder '${dirname(path)}' is in use by ${who}`,
    hint: "stop that server, or give this one its own --data-dir or --node-id",
  });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function parseHolder(content: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, started } = value as Record<string, unknown>;
    return typeof pid === "number" && typeof started === "string" ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Two servers may find the same stale lock. Moving it away first shows whether it was still the one that was judged: a
 * lock that the other server has made meanwhile is put back.
 */
function removeStale(path: string, judged: string | undefined): boolean {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return true;
  }
  const isJudged = read(aside) === judged;
  if (!isJudged) linkSync(aside, path);
  rmSync(aside, { force: true });
  return isJudged;
}

/** A lock of our own process id is stale too: in a container every server is process 1. */
function isAlive({ pid, started }: Holder): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return startOf(pid) === started;
}

/** Field 22 of /proc/<pid>/stat; empty where there is no /proc. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
