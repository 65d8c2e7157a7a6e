// Goal: snapshots, merges, checkpoints of the manifests and deletions lose nothing and double nothing, wherever they are cut
// off, and leave no object behind for ever. Method: every call to the store and the WAL
// fails in turn, before or after its effect, once (the server goes on) or for good (it dies); then a new server opens the disk.
import { parquetReadObjects } from "hyparquet";
import { describe, expect, it } from "vitest";
import { createMemoryObjectStore } from "../../src/adapters/object-store/memory.ts";
import { createMemoryWalLog } from "../../src/adapters/wal-log/memory.ts";
import type { WalLog } from "../../src/ports/wal-log.ts";
import { Faults, faultyStore } from "../support/faulty-store.ts";
import { newDisk, openStorage, request, tableRows, type Disk, type Opened } from "../support/open-storage.ts";

function faultyWal(files: Map<number, Uint8Array>, faults: Faults): WalLog {
  const inner = createMemoryWalLog(files);
  return { ...inner, append: (file, pieces) => faults.run(() => inner.append(file, pieces)), delete: (file) => faults.run(() => inner.delete(file)), truncate: (file, size) => faults.run(() => inner.truncate(file, size)) };
}

const MINUTES = 60_000_000_000;

/** Two rows in two tables; every third request lies in another time chunk. */
const lines = (id: number): string => `a,t=x id=${id}i ${id + (id % 3 === 0 ? 20 * MINUTES : 0)}\nb,t=y id=${id}i ${id}`;

/** Every id that a query would see, files and memory together, as often as it is there. */
async function idsOf(opened: Opened, disk: Disk, table: string): Promise<number[]> {
  const database = opened.catalog.state.databases.get("db");
  const definition = database?.tables.get(table);
  if (database === undefined || definition === undefined) return [];
  const ids = tableRows(opened, table).map((row) => Number(row["id"]));
  for (const { path, rowCount } of opened.storage.tableSnapshot(database.id, definition.id)?.files ?? []) {
    const rows = await parquetReadObjects({ file: (disk.objects.get(path) as Uint8Array).slice().buffer as ArrayBuffer });
    expect(rows.length).toBe(rowCount);
    ids.push(...rows.map((row) => Number(row["id"])));
  }
  return ids.sort((left, right) => left - right);
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Writes, snapshots in between; returns the acknowledged requests. */
async function useServer(opened: Opened): Promise<number[]> {
  const acknowledged: number[] = [];
  for (const id of [1, 2, 3, 4, 5, 6, 7]) {
    await opened.storage.write(request(lines(id))).then(() => acknowledged.push(id), () => undefined);
    if (id === 3 || id === 5 || id === 6) await opened.storage.snapshotNow();
    await settle();
  }
  await opened.storage.mergeNow();
  // Files that were merged are deleted once no query can read them.
  await opened.clock.advance(70_000, settle);
  return acknowledged;
}

const persistence = { manifestsPerCheckpoint: 2 };

async function callsOfAll(): Promise<number> {
  const faults = new Faults(0, false, false);
  const disk = newDisk();
  const opened = await openStorage(disk, { wal: faultyWal(disk.files, faults), parquetStore: faultyStore(disk.objects, faults), persistence });
  await useServer(opened);
  // 4 files of table a and 3 of b, all within one hour, and a checkpoint after every second manifest.
  expect(opened.storage.statistics()).toMatchObject({ persistedFiles: 2, persistence: { merges: 2, mergedFiles: 7, deletedFiles: 7, doomedFiles: 0 } });
  expect([...disk.objects.keys()].filter((path) => path.startsWith("n0/snapshot")).length).toBe(2);
  return faults.calls;
}

const modes = [[false, true], [true, true], [false, false], [true, false]] as const;

it("two that ask for a snapshot at once get one, and each row is in one file", async () => {
  const disk = newDisk();
  const puts: string[] = [];
  const store = createMemoryObjectStore(disk.objects);
  const parquetStore: typeof store = {
    ...store,
    put: async (path, bytes, options) => {
      if (path.endsWith(".parquet")) puts.push(path);
      await settle();
      return store.put(path, bytes, options);
    },
  };
  const opened = await openStorage(disk, { parquetStore });
  for (const id of [1, 2]) {
    await opened.storage.write(request(lines(id)));
    await Promise.all([opened.storage.snapshotNow(), opened.storage.snapshotNow(), opened.storage.snapshotNow()]);
  }
  expect(puts.length).toBe(4);
  expect(new Set(puts).size).toBe(4);
  expect([await idsOf(opened, disk, "a"), await idsOf(opened, disk, "b")]).toEqual([[1, 2], [1, 2]]);
});

describe("a snapshot cut off", () => {
  it.each(modes)("at every call (after its effect: %s, for good: %s) loses nothing and doubles nothing", async (afterEffect, forGood) => {
    const calls = await callsOfAll();
    expect(calls).toBeGreaterThan(20);
    for (let failAt = 1; failAt <= calls; failAt++) {
      const disk = newDisk();
      const faults = new Faults(failAt, afterEffect, forGood);
      const setting = { wal: faultyWal(disk.files, faults), parquetStore: faultyStore(disk.objects, faults), persistence };
      const opened = await openStorage(disk, setting).catch(() => undefined);
      const acknowledged = opened === undefined ? [] : await useServer(opened);
      if (opened !== undefined && !forGood) {
        expect(await idsOf(opened, disk, "a"), `live, call ${failAt}`).toEqual(acknowledged);
        expect(acknowledged.length).toBeGreaterThanOrEqual(6);
      }
      const fresh = await openStorage(disk, { parquetStore: createMemoryObjectStore(disk.objects) });
      for (const table of ["a", "b"]) {
        const found = await idsOf(fresh, disk, table);
        // A write that failed may still be found, whole; nothing may be there twice.
        expect(found.filter((id) => acknowledged.includes(id)), `call ${failAt}, table ${table}`).toEqual(acknowledged);
        expect(new Set(found).size).toBe(found.length);
      }
      await fresh.storage.snapshotNow();
      await fresh.storage.mergeNow();
      const again = await openStorage(disk, { parquetStore: createMemoryObjectStore(disk.objects) });
      expect((await idsOf(again, disk, "a")).filter((id) => acknowledged.includes(id))).toEqual(acknowledged);
      expect(tableRows(again, "a")).toEqual([]);
      // Nothing is left of what was cut off: each object is a file that counts.
      await again.storage.cleaned();
      const { persistedFiles } = again.storage.statistics();
      expect([...disk.objects.keys()].filter((path) => path.startsWith("n0/dbs/")).length, `call ${failAt}`).toBe(persistedFiles);
      await again.storage.write(request(lines(9)));
      expect(await idsOf(again, disk, "a")).toContain(9);
    }
  });
});

describe("snapshots", () => {
  const open = (disk: Disk, more: Parameters<typeof openStorage>[1] = {}): Promise<Opened> => openStorage(disk, { parquetStore: createMemoryObjectStore(disk.objects), ...more });

  it("delete the WAL files they cover and no other, and give the buffer's memory back", async () => {
    const disk = newDisk();
    const opened = await open(disk, { persistence: { mergeMemoryBytesMax: 0 } });
    await useServer(opened);
    const { rows, bufferUsedBytes, persistedRows, persistedFiles } = opened.storage.statistics();
    expect({ rows, persistedRows, files: disk.files.size }).toEqual({ rows: 2, persistedRows: 12, files: 1 });
    // Chunks by snapshot: 2 of a and 1 of b, 1 and 1, 1 and 1.
    expect(persistedFiles).toBe(7);
    await opened.storage.snapshotNow();
    await settle();
    expect(opened.storage.statistics().bufferUsedBytes).toBe(0);
    expect(bufferUsedBytes).toBeGreaterThan(0);
    expect(disk.files.size).toBe(0);
    const fresh = await open(disk);
    expect(fresh.storage.headSequence).toBe(7);
    expect(fresh.storage.statistics().walFile).toBeGreaterThan(opened.storage.statistics().walFile - 1);
  });

  it("refuse to start when a manifest is missing or damaged", async () => {
    const disk = newDisk();
    await useServer(await open(disk, { persistence: { mergeMemoryBytesMax: 0 } }));
    const manifests = [...disk.objects.keys()].filter((path) => path.startsWith("n0/snapshots/")).sort();
    expect(manifests.length).toBe(3);
    const without = { files: disk.files, objects: new Map(disk.objects) };
    without.objects.delete(manifests[1] as string);
    await expect(open(without)).rejects.toMatchObject({ code: "snapshot.corrupt" });
    without.objects.set(manifests[1] as string, new TextEncoder().encode("{"));
    await expect(open(without)).rejects.toMatchObject({ code: "snapshot.corrupt", message: expect.stringContaining("it is not JSON") });
    for (const path of manifests) without.objects.delete(path);
    await expect(open(without)).rejects.toMatchObject({ code: "wal.corrupt", message: expect.stringContaining("what lay between is missing") });
  });

  it("begin by themselves: by age, and by the buffer's fill in parts that bound the memory", async () => {
    const disk = newDisk();
    const opened = await open(disk, { snapshotAgeMs: 5_000 });
    await opened.storage.write(request(lines(1)));
    await opened.clock.advance(4_000, settle);
    expect(opened.storage.statistics().persistence?.snapshots).toBe(0);
    await opened.clock.advance(2_000, settle);
    for (let turn = 0; turn < 20; turn++) await settle();
    expect(opened.storage.statistics()).toMatchObject({ persistence: { snapshots: 1 }, rows: 0, persistedRows: 2 });
    const body = Array.from({ length: 100 }, (_, row) => `c,t=${row} text="${"x".repeat(200)}" ${row}`).join("\n");
    for (let time = 0; time < 80; time++) await opened.storage.write(request(body.replaceAll(/ (\d+)$/gm, (_, row: string) => ` ${Number(row) + time * 1000}`)));
    for (let turn = 0; turn < 2_000; turn++) await settle();
    const { persistence, rows, persistedRows, bufferUsedBytes, bufferLimitBytes } = opened.storage.statistics();
    expect(persistence?.snapshots).toBeGreaterThan(3);
    expect(rows + persistedRows).toBe(8_002);
    expect(bufferUsedBytes).toBeLessThan(bufferLimitBytes / 2);
    await opened.storage.close();
  });

  it("keep rows for a trigger that is behind", async () => {
    const disk = newDisk();
    const opened = await open(disk);
    await opened.storage.write(request(lines(1)));
    const id = opened.catalog.state.databases.get("db")?.id as number;
    let position = 1;
    const release = opened.storage.feed.follow({ databaseId: id, durableTriggerId: undefined, position: () => position, lose: async () => undefined });
    for (const next of [2, 3]) await opened.storage.write(request(lines(next)));
    await opened.storage.snapshotNow();
    const feed = async (): Promise<number[]> => (await opened.storage.feed.read(id, { after: position, through: 3, wants: () => true, bytesMax: 1_000_000 })).batches.map((batch) => batch.sequence);
    expect(tableRows(opened, "a")).toEqual([]);
    expect(await feed()).toEqual([2, 2, 3, 3]);
    expect(opened.storage.statistics().bufferUsedBytes).toBeGreaterThan(0);
    position = 3;
    await opened.clock.advance(2_000);
    expect(opened.storage.statistics().bufferUsedBytes).toBe(0);
    release({ keep: false });
  });
});
