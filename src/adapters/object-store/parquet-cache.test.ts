// Goal: the cache never passes its limit, never drops what a query reads, never shows half a file, and never deadlocks.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it, vi } from "vitest";
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { NeededFile } from "../../ports/parquet-files.ts";
import { createMemoryObjectStore } from "./memory.ts";
import { ParquetCache } from "./parquet-cache.ts";

const base = mkdtempSync(join(tmpdir(), "tidemark-cache-"));
afterAll(() => rmSync(base, { recursive: true }));
let names = 0;

interface World {
  readonly cache: ParquetCache;
  readonly folder: string;
  readonly objects: Map<string, Uint8Array>;
  /** Paths that were fetched. */
  readonly fetched: string[];
  /** Called before a fetch ends. */
  onGet: (path: string) => Promise<void>;
}

async function world(bytesMax: number, folder = join(base, String(names++))): Promise<World> {
  const objects = new Map<string, Uint8Array>();
  const inner = createMemoryObjectStore(objects);
  const store: ObjectStore = {
    ...inner,
    async get(path) {
      made.fetched.push(path);
      await made.onGet(path);
      return inner.get(path);
    },
  };
  const made: World = { cache: await ParquetCache.open({ store, folder, bytesMax }), folder, objects, fetched: [], onGet: async () => undefined };
  return made;
}

const open = new AbortController().signal;
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** Files `a`, `b`, … of the sizes, in the store. */
function filesIn(at: World, ...sizes: number[]): NeededFile[] {
  return sizes.map((sizeBytes, index) => {
    const path = `n0/dbs/1/1/${String.fromCharCode(97 + index)}.parquet`;
    at.objects.set(path, new Uint8Array(sizeBytes).fill(index + 1));
    return { path, sizeBytes };
  });
}

describe("the cache of Parquet files", () => {
  it("fetches a file once for all who ask, under its own path", async () => {
    const at = await world(100);
    const [a] = filesIn(at, 10) as [NeededFile];
    await Promise.all([at.cache.acquire([a], open), at.cache.acquire([a, a], open)]);
    await at.cache.acquire([a], open);
    expect([...readFileSync(join(at.folder, a.path))]).toEqual(Array.from({ length: 10 }, () => 1));
    expect(at.fetched).toEqual([a.path]);
    expect(at.cache.statistics()).toEqual({ files: 1, bytes: 10, hits: 1, misses: 1, missesWhileFetching: 1, pinned: 1 });
  });

  it("drops what was used longest ago, never what is read", async () => {
    const at = await world(30);
    const [a, b, c, d] = filesIn(at, 10, 10, 10, 10) as [NeededFile, NeededFile, NeededFile, NeededFile];
    const release = await at.cache.acquire([a], open);
    for (const file of [b, c]) (await at.cache.acquire([file], open))();
    (await at.cache.acquire([b], open))();
    (await at.cache.acquire([d], open))();
    await vi.waitFor(() => expect(readdirSync(join(at.folder, "n0/dbs/1/1")).sort()).toEqual(["a.parquet", "b.parquet", "d.parquet"]));
    release();
    (await at.cache.acquire([c], open))();
    await vi.waitFor(() => expect(readdirSync(join(at.folder, "n0/dbs/1/1")).sort()).toEqual(["b.parquet", "c.parquet", "d.parquet"]));
  });

  it("makes a query wait for room, in order, and lets it go when it is stopped", async () => {
    const at = await world(20);
    const [a, b, c] = filesIn(at, 15, 15, 5) as [NeededFile, NeededFile, NeededFile];
    const release = await at.cache.acquire([a], open);
    const order: string[] = [];
    const stop = new AbortController();
    const stopped = at.cache.acquire([b], stop.signal).catch((error: Error) => order.push(error.message));
    const later = [b, c].map((file) => at.cache.acquire([file], open));
    await settle();
    // The small one would fit, but comes after the large one.
    expect(at.fetched).toEqual([a.path]);
    stop.abort(new Error("stopped"));
    await stopped;
    release();
    await Promise.all(later);
    expect([order, at.fetched]).toEqual([["stopped"], [a, b, c].map(({ path }) => path)]);
    expect(at.cache.statistics().bytes).toBe(20);
  });

  it("refuses a query that can never fit, with what to do", async () => {
    const at = await world(20);
    const files = filesIn(at, 15, 15);
    await expect(at.cache.acquire(files, open)).rejects.toMatchObject({
      code: "query.files_too_large", message: "The query reads 2 Parquet files of 30 bytes, and the local cache holds 20", hint: "narrow its time range, or raise --parquet-cache-size",
    });
    expect(at.fetched).toEqual([]);
  });

  it("is as it was after a fetch that failed, and fetches again", async () => {
    const at = await world(100);
    const [a, b] = filesIn(at, 10, 10) as [NeededFile, NeededFile];
    at.onGet = async (path) => {
      if (path === b.path) throw new DatabaseError("object_store.unavailable", { message: "down" });
    };
    await expect(at.cache.acquire([a, b], open)).rejects.toThrow("down");
    await vi.waitFor(() => expect(at.cache.statistics()).toMatchObject({ files: 1, bytes: 10 }));
    at.onGet = async () => undefined;
    (await at.cache.acquire([a, b], open))();
    at.objects.delete(a.path);
    at.objects.set("n0/dbs/1/1/z.parquet", new Uint8Array(3));
    await expect(at.cache.acquire([{ path: "n0/dbs/1/1/z.parquet", sizeBytes: 4 }], open)).rejects.toThrow("has 3 bytes in the object store instead of 4");
    await expect(at.cache.acquire([{ path: "n0/dbs/1/1/y.parquet", sizeBytes: 4 }], open)).rejects.toMatchObject({ code: "object_store.not_found" });
    expect(at.cache.statistics()).toMatchObject({ files: 2, bytes: 20 });
  });

  it("stops waiting for a fetch when the query is stopped; the file still comes", async () => {
    const at = await world(100);
    const [a] = filesIn(at, 10) as [NeededFile];
    let arrive = (): void => undefined;
    at.onGet = () => new Promise((resolve) => void (arrive = resolve));
    const stop = new AbortController();
    const stopped = at.cache.acquire([a], stop.signal);
    await settle();
    stop.abort(new Error("stopped"));
    await expect(stopped).rejects.toThrow("stopped");
    arrive();
    (await at.cache.acquire([a], open))();
    expect(at.fetched.length).toBe(1);
    await expect(at.cache.acquire([a], stop.signal)).rejects.toThrow("stopped");
  });

  it("keeps what is written, and forgets what is deleted once nobody reads it", async () => {
    const at = await world(25);
    const store = at.cache.throughStore();
    const [a, b] = [{ path: "n0/dbs/1/1/a.parquet", sizeBytes: 10 }, { path: "n0/dbs/1/1/b.parquet", sizeBytes: 20 }];
    await store.put(a.path, new Uint8Array(10).fill(1));
    await store.put("n0/snapshots/1", new Uint8Array(10));
    const release = await at.cache.acquire([a], open);
    // No room beside what is read.
    await store.put(b.path, new Uint8Array(20));
    expect([at.fetched, at.cache.statistics().files]).toEqual([[], 1]);
    await store.delete(a.path);
    expect(existsSync(join(at.folder, a.path))).toBe(true);
    release();
    await vi.waitFor(() => expect([existsSync(join(at.folder, a.path)), at.cache.statistics().bytes]).toEqual([false, 0]));
    await store.put(a.path, new Uint8Array(10).fill(2));
    await store.put(a.path, new Uint8Array(10).fill(3));
    expect([readFileSync(join(at.folder, a.path))[0], at.cache.statistics().bytes]).toEqual([3, 10]);
  });

  it("begins empty: what a crash left is gone", async () => {
    const folder = join(base, String(names++));
    mkdirSync(join(folder, "n0"), { recursive: true });
    writeFileSync(join(folder, "n0", "half.parquet.part"), "x");
    await world(10, folder);
    expect(readdirSync(folder)).toEqual([]);
    await expect(world(10, "/dev/null/x")).rejects.toMatchObject({ code: "server.folder_not_writable" });
  });

  it("holds its limit and serves everybody, whatever they ask for", async () => {
    const query = fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(query, { minLength: 1, maxLength: 20 }), fc.array(fc.nat(2), { minLength: 20, maxLength: 20 }), async (queries, pauses) => {
        const at = await world(100);
        const files = filesIn(at, 5, 10, 15, 20, 25, 5, 10, 15, 20, 25);
        const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
        at.onGet = turn;
        await Promise.all(
          queries.map(async (wanted, index) => {
            const mine = wanted.map((place) => files[place] as NeededFile);
            const release = await at.cache.acquire(mine, new AbortController().signal);
            for (let pause = pauses[index] ?? 0; pause >= 0; pause--) {
              expect(at.cache.statistics().bytes).toBeLessThanOrEqual(100);
              for (const { path, sizeBytes } of mine) expect(statSync(join(at.folder, path)).size).toBe(sizeBytes);
              await turn();
            }
            release();
          }),
        );
      }),
      { numRuns: 30 },
    );
  });
});
