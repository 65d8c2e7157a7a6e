import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { below, diskFolder } from "./disk-folder.ts";
import { resolvePath, type FileNode } from "./file-tree.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-disk-"));
  mkdirSync(join(folder, "a"));
  writeFileSync(join(folder, "a", "b.py"), "x = 1");
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (path: string): string => new TextDecoder().decode((resolvePath(below(["venv"], diskFolder(folder)), [], path).node as FileNode).bytes);

it("shows files as they are when they are first read", () => expect(read("venv/a/b.py")).toBe("x = 1"));

it("shows no links, so nothing outside", () => {
  symlinkSync("/etc/passwd", join(folder, "passwd"));
  symlinkSync("/etc", join(folder, "etc"));
  expect(() => read("venv/passwd")).toThrow();
  expect(() => read("venv/etc/passwd")).toThrow();
});

it("a file that went meanwhile is empty, a folder that is not there too", () => {
  const tree = diskFolder(folder);
  rmSync(join(folder, "a", "b.py"));
  expect((resolvePath(tree, [], "a/b.py").node as FileNode).bytes.length).toBe(0);
  expect(diskFolder(join(folder, "nope")).entries.size).toBe(0);
  expect(diskFolder(undefined).entries.size).toBe(0);
});

it("another set has another time, by which Python sees that it must look again", () => {
  expect(diskFolder(folder).modifiedNs).toBeGreaterThan(0n);
  expect(diskFolder(undefined).modifiedNs).toBe(0n);
});
