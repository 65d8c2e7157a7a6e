// Goal: expired files, deleted tables and deleted databases really go, nothing else does, and no crash on the way stops it:
// what is left is always a catalog and files that agree. Method: every store call fails in turn, before or after its effect,
// once or for good; then a new server goes on, hours pass, and the objects are counted.
import { parquetReadObjects } from "hyparquet";
import { describe, expect, it } from "vitest";
import { createMemoryObjectStore } from "../../src/adapters/object-store/memory.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { Faults, faultyStore } from "../support/faulty-store.ts";
import { newDisk, openStorage, request, tableRows, type Disk, type Opened, type OpenSetting } from "../support/open-storage.ts";

const HOUR_MS = 3_600_000;
const HOUR = 3_600_000_000_000n;
const DAY = 24n * HOUR;
const START = 1_767_225_600_000_000_000n;

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Moves on in steps that are longer than all background pauses. */
async function pass(opened: Opened, hours: number): Promise<void> {
  for (let step = 0; step < hours * 4; step++) await opened.clock.jump(HOUR_MS / 4, settle);
}

const parquetOf = (disk: Disk, databaseId: number, tableId?: number): string[] =>
  [...disk.objects.keys()].filter((path) => path.startsWith(`n0/dbs/${databaseId}/${tableId === undefined ? "" : `${tableId}/`}`));

const open = (disk: Disk, setting: OpenSetting = {}): Promise<Opened> => {
  const parquetStore = setting.parquetStore ?? createMemoryObjectStore(disk.objects);
  return openStorage(disk, { store: setting.store ?? parquetStore, ...setting, parquetStore });
};

/** Times of a live table's rows, in files and in memory. */
async function timesOf(opened: Opened, disk: Disk, databaseName: string, table: string): Promise<bigint[]> {
  const database = opened.catalog.state.databases.get(databaseName);
  const definition = database?.tables.get(table);
  if (database === undefined || definition === undefined) return [];
  const snapshot = opened.storage.tableSnapshot(database.id, definition.id);
  const times = databaseName === "db" ? tableRows(opened, table).map((row) => row["time"] as bigint) : [];
  const parsers = { timestampFromNanoseconds: (value: bigint) => value } as unknown as NonNullable<Parameters<typeof parquetReadObjects>[0]["parsers"]>;
  for (const { path } of snapshot?.files ?? []) {
    const rows = await parquetReadObjects({ file: (disk.objects.get(path) as Uint8Array).slice().buffer as ArrayBuffer, parsers });
    times.push(...rows.map((row) => row["time"] as bigint));
  }
  return times.sort((left, right) => (left < right ? -1 : 1));
}

describe("retention", () => {
  it("removes a file once its last row is past the limit, not at it, and leaves files that straddle it", async () => {
    const disk = newDisk();
    const clock = new VirtualClock(START);
    const opened = await open(disk, { clock, persistence: { mergeMemoryBytesMax: 0 } });
    await opened.catalog.createDatabase("db", { retentionNs: 10n * HOUR });
    // Two chunks: one ends exactly at the limit of 10 hours, one straddles a later one.
    await opened.storage.write(request(`m f=1 ${START - 11n * HOUR}\nm f=2 ${START - 11n * HOUR + 1n}\nm f=3 ${START}\nm f=4 ${START + 500_000_000_000n}`));
    await opened.storage.snapshotNow();
    await opened.storage.expireNow();
    expect(await timesOf(opened, disk, "db", "m")).toEqual([START, START + 500_000_000_000n]);
    await clock.jump(10 * HOUR_MS, settle);
    await opened.storage.expireNow();
    expect(opened.storage.statistics().persistedFiles).toBe(1);
    await clock.jump(500_000, settle);
    await opened.storage.expireNow();
    expect(clock.nowNs()).toBe(START + 10n * HOUR + 500_000_000_000n);
    expect(opened.storage.statistics().persistedFiles).toBe(1);
    await clock.jump(1, settle);
    await opened.storage.expireNow();
    expect(opened.storage.statistics().persistedFiles).toBe(0);
    await pass(opened, 1);
    expect(parquetOf(disk, 1)).toEqual([]);
    await opened.storage.close();
  });

  it("of a table beats that of its database, and goes on by itself", async () => {
    const disk = newDisk();
    const opened = await open(disk, { persistence: { mergeMemoryBytesMax: 0, retentionCheckMs: HOUR_MS } });
    await opened.catalog.createDatabase("db", { retentionNs: 2n * HOUR });
    await opened.storage.write(request(`short f=1 ${START}\nlong f=1 ${START}`));
    await opened.catalog.setTableRetention("db", "long", 9n * HOUR);
    await opened.storage.snapshotNow();
    await pass(opened, 4);
    expect([await timesOf(opened, disk, "db", "short"), await timesOf(opened, disk, "db", "long")]).toEqual([[], [START]]);
    await opened.catalog.setTableRetention("db", "long", undefined);
    await pass(opened, 2);
    expect(await timesOf(opened, disk, "db", "long")).toEqual([]);
    expect(opened.storage.statistics().persistence?.expiredFiles).toBe(2);
    await opened.storage.close();
  });
});

/** Three tables, one of them to be deleted, a database to be deleted, and one that expires; all in files and partly in the WAL. */
async function useServer(opened: Opened): Promise<void> {
  const step = async (action: () => Promise<unknown>): Promise<void> => {
    await action().catch(() => undefined);
    await settle();
  };
  await step(() => opened.catalog.createDatabase("db"));
  await step(() => opened.catalog.createDatabase("gone"));
  for (const at of [0n, 1n]) {
    await step(() => opened.storage.write(request(`keep f=1 ${START + at}\ndrop f=1 ${START + at}\nold f=1 ${START - DAY + at}`)));
    await step(() => opened.storage.write(request(`x f=1 ${START + at}\ny f=2 ${START + at}`, { database: "gone" })));
    await step(() => opened.storage.snapshotNow());
  }
  await step(() => opened.storage.write(request(`drop f=3 ${START + 2n}`)));
  await step(() => opened.catalog.setTableRetention("db", "old", HOUR));
  await step(() => opened.storage.expireNow());
  await step(() => opened.catalog.deleteTable("db", "drop", "now"));
  await step(() => opened.catalog.deleteDatabase("gone", START + 2n * HOUR));
  await step(() => opened.storage.expireNow());
  await pass(opened, 4);
}

const persistence = { manifestsPerCheckpoint: 3, deleteGraceNs: 2n * HOUR };
const modes = [[false, true], [true, true], [false, false], [true, false]] as const;

describe("deletion cut off", () => {
  const callsOfAll = async (): Promise<number> => {
    const faults = new Faults(0, false, false);
    const disk = newDisk();
    await useServer(await open(disk, { parquetStore: faultyStore(disk.objects, faults), persistence }));
    return faults.calls;
  };

  it.each(modes)("at every store call (after its effect: %s, for good: %s) ends as if it had not been", { timeout: 120_000 }, async (afterEffect, forGood) => {
    const calls = await callsOfAll();
    expect(calls).toBeGreaterThan(50);
    for (let failAt = 1; failAt <= calls; failAt++) {
      const disk = newDisk();
      const faults = new Faults(failAt, afterEffect, forGood);
      const first = await open(disk, { parquetStore: faultyStore(disk.objects, faults), persistence }).catch(() => undefined);
      if (first !== undefined) await useServer(first);
      await first?.storage.close().catch(() => undefined);
      // A server on a store that works goes on: the same requests again, then time.
      const opened = await open(disk, { persistence, clock: new VirtualClock(START + 5n * HOUR) });
      await useServer(opened);
      await pass(opened, 3);
      await opened.storage.expireNow();
      const { state } = opened.catalog;
      const at = `call ${failAt}`;
      expect(await timesOf(opened, disk, "db", "keep"), at).toEqual(expect.arrayContaining([START, START + 1n]));
      expect([state.databases.get("db")?.tables.has("drop"), state.databases.get("db")?.deletedTables.size, state.databases.has("gone"), state.deletedDatabases.size], at).toEqual([false, 0, false, 0]);
      expect([await timesOf(opened, disk, "db", "old")], at).toEqual([[]]);
      await opened.storage.cleaned();
      const { persistedFiles } = opened.storage.statistics();
      const live = state.databases.get("db")?.tables.get("keep")?.id as number;
      expect([...disk.objects.keys()].filter((path) => path.startsWith("n0/dbs/")).length, at).toBe(persistedFiles);
      expect(parquetOf(disk, state.databases.get("db")?.id as number, live).length, at).toBe(persistedFiles);
      await opened.storage.close();
    }
  });
});

describe("hard deletion", () => {
  it("waits for its time, may be asked for later, and frees everything step by step", async () => {
    const disk = newDisk();
    const opened = await open(disk);
    const { catalog, storage } = opened;
    await storage.write(request(`m f=1 ${START}\nn f=1 ${START}`));
    await storage.snapshotNow();
    const database = catalog.state.databases.get("db");
    const [dbId, mId] = [database?.id as number, database?.tables.get("m")?.id as number];
    await catalog.deleteTable("db", "m", "never");
    await pass(opened, 100);
    expect(parquetOf(disk, dbId, mId).length).toBe(1);
    const name = [...(catalog.state.databases.get("db")?.deletedTables.keys() ?? [])][0] as string;
    await expect(catalog.deleteTable("db", name)).rejects.toMatchObject({ code: "resource.deleted" });
    await catalog.deleteTable("db", name, "now");
    await pass(opened, 1);
    expect(parquetOf(disk, dbId, mId)).toEqual([]);
    expect(catalog.state.tablesById.get(mId)?.deletion?.erasedAtNs).toBeGreaterThan(START);
    // The catalog remembers it for 24 hours.
    await pass(opened, 22);
    expect(catalog.state.tablesById.has(mId)).toBe(true);
    await pass(opened, 3);
    expect(catalog.state.tablesById.has(mId)).toBe(false);
    expect(parquetOf(disk, dbId).length).toBe(1);
    // Default: 72 hours.
    await catalog.deleteDatabase("db");
    await pass(opened, 71);
    expect(parquetOf(disk, dbId).length).toBe(1);
    await pass(opened, 2);
    expect(parquetOf(disk, dbId)).toEqual([]);
    await pass(opened, 25);
    expect(catalog.state.databasesById.has(dbId)).toBe(false);
    await storage.close();
    const fresh = await open(disk);
    expect(fresh.catalog.state).toEqual(catalog.state);
  });

  it("a WAL that still has rows of a forgotten table is replayed without them; one of a table that never was is refused", async () => {
    const disk = newDisk();
    const opened = await open(disk);
    await opened.storage.write(request(`m f=1 ${START}\nn f=1 ${START}`));
    const { id: databaseId } = opened.catalog.state.databases.get("db") as { id: number };
    const tableId = opened.catalog.state.databases.get("db")?.tables.get("m")?.id as number;
    await opened.catalog.deleteTable("db", "m", "now");
    await opened.catalog.change(() => [{ kind: "mark-erased", databaseId, tableId, erasedAtNs: START }, { kind: "forget", databaseId, tableId }]);
    const fresh = await open(disk);
    expect(tableRows(fresh, "n").length).toBe(1);
    expect(fresh.storage.statistics().rows).toBe(1);
    await expect(openStorage({ objects: new Map(), files: disk.files })).rejects.toThrow("which the catalog does not know");
  });
});
