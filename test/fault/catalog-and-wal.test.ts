// Goal: catalog and WAL agree after any crash: no acknowledged row may hang on a catalog change whose outcome is unknown,
// and a schema change without its rows does no harm. Method: a store that fails a put after its effect, with or without
// the effect outliving a power cut; crashes between the schema change and the record.
import { describe, expect, it } from "vitest";
import { createMemoryObjectStore } from "../../src/adapters/object-store/memory.ts";
import { createMemoryWalLog } from "../../src/adapters/wal-log/memory.ts";
import { DatabaseError } from "../../src/core/errors/database-error.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { newDisk, openStorage, request, tableRows, type Disk } from "../support/open-storage.ts";

const down = (): DatabaseError => new DatabaseError("object_store.unavailable", { message: "the store is down" });

interface Unsure {
  readonly store: ObjectStore;
  /** The next put is seen at once, but answered with an error and gone after a power cut. */
  failNextPut(): void;
  /** Reads fail as long as this is set. */
  setReadsDown(value: boolean): void;
}

/** `disk.objects` is what a power cut leaves. */
function unsure(disk: Disk, { durable }: { readonly durable: boolean }): Unsure {
  const visible = new Map(disk.objects);
  const inner = createMemoryObjectStore(visible);
  const kept = createMemoryObjectStore(disk.objects);
  let failing = false;
  let readsDown = false;
  return {
    failNextPut: () => void (failing = true),
    setReadsDown: (value) => void (readsDown = value),
    store: {
      ...inner,
      get: (path) => (readsDown ? Promise.reject(down()) : inner.get(path)),
      async put(path, bytes, options) {
        await inner.put(path, bytes, options);
        const fails = failing;
        failing = false;
        if (!fails || durable) await kept.put(path, bytes);
        if (fails) throw down();
      },
    },
  };
}

describe("a catalog change that failed after its effect", () => {
  it("a table that is deleted already takes no rows that a replay would leave out", async () => {
    const disk = newDisk();
    const faulty = unsure(disk, { durable: true });
    const opened = await openStorage(disk, { store: faulty.store });
    await opened.storage.write(request("m f=1 1"));
    faulty.failNextPut();
    await expect(opened.catalog.deleteTable("db", "m")).rejects.toMatchObject({ code: "object_store.unavailable" });
    await opened.storage.write(request("m f=2 2"));
    expect(tableRows(opened, "m")).toEqual([{ f: 2, time: 2n }]);
    expect(tableRows(await openStorage(disk), "m")).toEqual([{ f: 2, time: 2n }]);
  });

  it("while the outcome of a deletion cannot be found out, writes are refused and not lost", async () => {
    const disk = newDisk();
    const faulty = unsure(disk, { durable: true });
    const opened = await openStorage(disk, { store: faulty.store });
    await opened.storage.write(request("m f=1 1"));
    faulty.failNextPut();
    faulty.setReadsDown(true);
    await expect(opened.catalog.deleteDatabase("db")).rejects.toMatchObject({ code: "object_store.unavailable" });
    await expect(opened.storage.write(request("m f=2 2"))).rejects.toMatchObject({ code: "object_store.unavailable" });
    faulty.setReadsDown(false);
    await opened.storage.write(request("m f=3 3"));
    expect(tableRows(await openStorage(disk), "m")).toEqual([{ f: 3, time: 3n }]);
  });

  it("while the outcome of a creation cannot be found out, writes to other tables go on", async () => {
    const faulty = unsure(newDisk(), { durable: true });
    const opened = await openStorage(newDisk(), { store: faulty.store });
    await opened.storage.write(request("m f=1 1"));
    faulty.failNextPut();
    faulty.setReadsDown(true);
    await expect(opened.storage.write(request("new f=1 1"))).rejects.toMatchObject({ code: "object_store.unavailable" });
    await opened.storage.write(request("m f=2 2"));
    expect(tableRows(opened, "m").length).toBe(2);
  });

  it("rows never refer to a table that a power cut can take back", async () => {
    const disk = newDisk();
    const faulty = unsure(disk, { durable: false });
    const opened = await openStorage(disk, { store: faulty.store });
    await opened.storage.write(request("m f=1 1"));
    faulty.failNextPut();
    await expect(opened.storage.write(request("new f=1 1"))).rejects.toMatchObject({ code: "object_store.unavailable" });
    await opened.storage.write(request("new f=2 2"));
    expect(tableRows(await openStorage(disk), "new")).toEqual([{ f: 2, time: 2n }]);
  });
});

describe("a crash between the schema change and the record", () => {
  it("leaves an empty table; the next write fills it, and two racing first writes make it once", async () => {
    const disk = newDisk();
    const inner = createMemoryWalLog(disk.files);
    const dying = await openStorage(disk, { wal: { ...inner, append: () => new Promise<void>(() => undefined) } });
    for (const id of [1, 2]) void dying.storage.write(request(`m,t=${id} f=${id} ${id}`));
    for (let step = 0; step < 10; step++) await new Promise((resolve) => setImmediate(resolve));
    const after = await openStorage(disk);
    expect(after.catalog.state.databases.get("db")?.tables.size).toBe(1);
    expect(tableRows(after, "m")).toEqual([]);
    await Promise.all([3, 4].map((id) => after.storage.write(request(`m,t=${id} f=${id} ${id}`))));
    expect(tableRows(await openStorage(disk), "m").map((row) => row["f"])).toEqual([3, 4]);
  });
});
