import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ObjectStore } from "../../ports/object-store.ts";
import { OBJECT_STORE_CONTRACT } from "../../testing/object-store-contract.ts";
import { createFileObjectStore } from "./file.ts";
import { flushPromises, VirtualClock } from "../../testing/virtual-clock.ts";
import { createMemoryObjectStore } from "./memory.ts";
import { createThrottledObjectStore } from "./throttled.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-store-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

let count = 0;
const fileStore = () => createFileObjectStore({ folder: join(folder, "store"), randomName: () => String(count++) });

/** Time passes by itself. */
const throttledStore = (): ObjectStore => createThrottledObjectStore(createMemoryObjectStore(), { nowNs: () => 0n, monotonicMs: () => 0, after: (_ms, action) => (queueMicrotask(action), () => undefined) });

/** `s3/s3.test.ts` runs the same cases. */
describe.each([["memory", createMemoryObjectStore], ["file", fileStore], ["throttled", throttledStore]] as const)("the %s object store", (_name, make) => {
  it.each(OBJECT_STORE_CONTRACT)("$name", ({ check }) => check(make()));
});

describe("the file object store", () => {
  it.each(["../x", "a/../b", "/abs", "a//b", "", "a\\b", "a\0b", "."])("refuses the path %j", async (path) => {
    await expect(fileStore().put(path, new Uint8Array())).rejects.toThrow("not allowed");
    await expect(fileStore().get(path)).rejects.toThrow("not allowed");
  });

  it("leaves no empty folder behind, and puts into one that goes at the same moment", async () => {
    const store = fileStore();
    for (const path of ["a/b/c/x", "a/b/d/y", "a/z"]) await store.put(path, new Uint8Array(1));
    await store.delete("a/b/c/x");
    await store.delete("a/b/d/y");
    expect(readdirSync(join(folder, "store"), { recursive: true }).sort()).toEqual(["a", "a/z"]);
    for (let round = 0; round < 50; round++) {
      await store.put("r/s/old", new Uint8Array(1));
      await Promise.all([store.delete("r/s/old"), store.put(`r/s/new${round % 2}`, new Uint8Array(2))]);
      expect(await store.get(`r/s/new${round % 2}`)).toEqual(new Uint8Array(2));
      await store.delete(`r/s/new${round % 2}`);
    }
  });

  it("leaves no temporary file behind", async () => {
    const store = fileStore();
    await store.put("a/x", new Uint8Array(10));
    await store.put("a/x", new Uint8Array(1), { ifAbsent: true }).catch(() => undefined);
    expect(readdirSync(join(folder, "store", "a"))).toEqual(["x"]);
  });
});

it("the throttled store takes 100 ms a call and 1 ms for 1 MB read (spec: storage §7)", async () => {
  const clock = new VirtualClock();
  const store = createThrottledObjectStore(createMemoryObjectStore(), clock);
  const done: string[] = [];
  void store.put("x", new Uint8Array(2_000_000)).then(() => store.get("x")).then(() => done.push("read"));
  await clock.advance(201, flushPromises);
  expect(done).toEqual([]);
  await clock.advance(1, flushPromises);
  expect(done).toEqual(["read"]);
});
