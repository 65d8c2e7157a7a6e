import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OBJECT_STORE_CONTRACT } from "../../testing/object-store-contract.ts";
import { createFileObjectStore } from "./file.ts";
import { createMemoryObjectStore } from "./memory.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-store-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

let count = 0;
const fileStore = () => createFileObjectStore({ folder: join(folder, "store"), randomName: () => String(count++) });

describe.each([["memory", createMemoryObjectStore], ["file", fileStore]] as const)("the %s object store", (_name, make) => {
  it.each(OBJECT_STORE_CONTRACT)("$name", ({ check }) => check(make()));
});

describe("the file object store", () => {
  it.each(["../x", "a/../b", "/abs", "a//b", "", "a\\b", "a\0b", "."])("refuses the path %j", async (path) => {
    await expect(fileStore().put(path, new Uint8Array())).rejects.toThrow("not allowed");
    await expect(fileStore().get(path)).rejects.toThrow("not allowed");
  });

  it("leaves no temporary file behind", async () => {
    const store = fileStore();
    await store.put("a/x", new Uint8Array(10));
    await store.put("a/x", new Uint8Array(1), { ifAbsent: true }).catch(() => undefined);
    expect(readdirSync(join(folder, "store", "a"))).toEqual(["x"]);
  });
});
