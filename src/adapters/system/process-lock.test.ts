import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder } from "./make-folder.ts";
import { lockFolder } from "./process-lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("lockFolder()", () => {
  it("leaves no file when it lets go", () => {
    const path = join(folder, "lock");
    const release = lockFolder(path);
    expect(existsSync(path)).toBe(true);
    release();
    expect(existsSync(path)).toBe(false);
  });

  it("refuses while another process lives, and takes over when it is gone", async () => {
    const path = join(folder, "lock");
    const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    lockFolder(path)();
    const started = existsSync("/proc/1/stat") ? readFileSync(`/proc/${other.pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19] : "";
    writeFileSync(path, JSON.stringify({ pid: other.pid, started }));
    expect(() => lockFolder(path)).toThrow(`is in use by another server (process ${other.pid})`);
    const gone = new Promise((resolve) => other.once("exit", resolve));
    other.kill("SIGKILL");
    await gone;
    lockFolder(path)();
  });

  it("takes over a lock that cannot be read, or whose process id is used again", () => {
    const path = join(folder, "lock");
    writeFileSync(path, "garbage");
    lockFolder(path);
    writeFileSync(path, JSON.stringify({ pid: 1, started: "never" }));
    lockFolder(path)();
  });

  it("says which folder cannot be written", () => expect(() => lockFolder("/dev/null/x/lock")).toThrow("The data folder '/dev/null/x' cannot be written"));
});

describe("makeFolder()", () => {
  const names = { what: "data folder", flag: "--data-dir" };

  it("makes parents, and does not mind what is there", () => {
    makeFolder(join(folder, "a", "b"), names);
    makeFolder(join(folder, "a", "b"), names);
    expect(existsSync(join(folder, "a", "b"))).toBe(true);
  });

  it.each(["/dev/null/x", "/proc/none/x"])("says that %s cannot be made, and returns", (path) =>
    expect(() => makeFolder(path, names)).toThrow(`The data folder '${path}' cannot be written: `),
  );
});
