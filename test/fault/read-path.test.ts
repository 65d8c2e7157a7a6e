// Goal: a query whose files cannot be fetched fails with the store's reason, never with a part of the rows, and leaves
// nothing behind that hinders the next one. Method: files in a store that fails read N, for every N; DuckDB on the cache.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createMemoryObjectStore } from "../../src/adapters/object-store/memory.ts";
import { ParquetCache } from "../../src/adapters/object-store/parquet-cache.ts";
import { DuckdbEngine } from "../../src/adapters/query-engine/duckdb/duckdb-engine.ts";
import { createSystemClock } from "../../src/adapters/system/clock.ts";
import { DatabaseError } from "../../src/core/errors/database-error.ts";
import { formatResult } from "../../src/core/query/format-result.ts";
import { QueryService } from "../../src/engine/query-service.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { newDisk, openStorage, request } from "../support/open-storage.ts";

const base = mkdtempSync(join(tmpdir(), "tidemark-read-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const clock = createSystemClock();

interface World {
  readonly queries: QueryService;
  readonly engine: DuckdbEngine;
  readonly cache: ParquetCache;
  failAt: number;
  /** What the failing read gives; undefined: an error. */
  damage: ((bytes: Uint8Array) => Uint8Array | undefined) | undefined;
}

const FILES = 4;

async function openWorld(name: string): Promise<World> {
  const objects = new Map<string, Uint8Array>();
  const inner = createMemoryObjectStore(objects);
  let reads = 0;
  const store: ObjectStore = {
    ...inner,
    async get(path) {
      const bytes = await inner.get(path);
      if (!path.endsWith(".parquet") || ++reads !== made.failAt) return bytes;
      if (made.damage !== undefined && bytes !== undefined) return made.damage(bytes);
      throw new DatabaseError("object_store.unavailable", { message: "the store is down" });
    },
  };
  const opened = await openStorage(newDisk(), { parquetStore: inner });
  for (let file = 0; file < FILES; file++) {
    await opened.storage.write(request(`m,t=x v=${file}i ${file}`));
    await opened.storage.snapshotNow();
  }
  const folder = join(base, name);
  const cache = await ParquetCache.open({ store, folder, bytesMax: 1 << 20 });
  const engine = await DuckdbEngine.open({ clock, parquet: { storeFolder: folder, allowedFolder: `${folder}/n0/dbs/` } });
  const queries = new QueryService({ catalog: opened.catalog, source: opened.storage, engine, files: cache, systemTables: { table: () => undefined, names: () => [] }, clock, limits: { timeoutMs: 20_000 } });
  const made: World = { queries, engine, cache, failAt: 0, damage: undefined };
  return made;
}

async function sum({ queries }: World): Promise<string> {
  const stream = await queries.query({ database: "db", sql: "SELECT count(*) AS n, sum(v) AS s FROM m" });
  let text = "";
  for await (const piece of formatResult(stream, "jsonl")) text += piece;
  return text;
}

const RIGHT = '{"n":4,"s":6}\n';

describe("a query on files in a store", () => {
  it.each([1, 2, 3, 4])("fails as a whole when read %i fails, and works when it is asked again", async (failAt) => {
    const world = await openWorld(`fail-${failAt}`);
    world.failAt = failAt;
    await expect(sum(world)).rejects.toMatchObject({ code: "object_store.unavailable", message: "the store is down" });
    expect(await sum(world)).toBe(RIGHT);
    expect(await sum(world)).toBe(RIGHT);
    const { files, misses, hits, missesWhileFetching } = world.cache.statistics();
    expect({ files, misses, again: hits + missesWhileFetching }).toEqual({ files: FILES, misses: FILES + 1, again: 2 * FILES - 1 });
    await world.engine.close();
  });

  it.each([["short", (bytes: Uint8Array) => bytes.slice(1), "object_store.unavailable"], ["gone", () => undefined, "object_store.not_found"]] as const)("fails when a file is %s in the store", async (name, damage, code) => {
    const world = await openWorld(name);
    world.failAt = 2;
    world.damage = damage;
    await expect(sum(world)).rejects.toMatchObject({ code });
    expect(await sum(world)).toBe(RIGHT);
    await world.engine.close();
  });

  it("lets the files go when the reader stops early, and when the query is refused", async () => {
    const world = await openWorld("early");
    const stream = await world.queries.query({ database: "db", sql: "SELECT * FROM m" });
    await stream.close();
    for await (const _ of (await world.queries.query({ database: "db", sql: "SELECT * FROM m" })).batches) break;
    await expect(world.queries.query({ database: "db", sql: "SELECT nothing FROM m" })).rejects.toMatchObject({ code: "query.invalid" });
    await world.engine.close();
    expect(world.cache.statistics()).toMatchObject({ files: FILES, pinned: 0 });
  });
});
