import { describe, expect, it } from "vitest";
import { createMemoryWalLog } from "../adapters/wal-log/memory.ts";
import { newDisk, openStorage, request, tableRows, type Opened } from "../../test/support/open-storage.ts";
import { flushPromises } from "../testing/virtual-clock.ts";
import type { CommittedBatch } from "./storage.ts";

/** A memory log whose appends wait for `release`. */
function heldLog(): { log: ReturnType<typeof createMemoryWalLog>; release: () => void; appends: number } {
  const inner = createMemoryWalLog();
  const waiting: (() => void)[] = [];
  const held = {
    appends: 0,
    release: () => waiting.shift()?.(),
    log: {
      ...inner,
      append: async (file: number, pieces: readonly Uint8Array[]) => {
        held.appends++;
        await new Promise<void>((resolve) => void waiting.push(resolve));
        await inner.append(file, pieces);
      },
    },
  };
  return held;
}

describe("Storage.write()", () => {
  it("makes rows queryable and durable; replay gives the same back", async () => {
    const disk = newDisk();
    const first = await openStorage(disk);
    const written = await first.storage.write(request("m,t=a f=1,i=2i,s=\"x\",b=t,u=3u 1\nm,t=b f=2 2\nn g=1 3"));
    expect(written.linesWritten).toBe(3);
    const rows = [{ t: "a", f: 1, i: 2n, s: "x", b: true, u: 3n, time: 1n }, { t: "b", f: 2, time: 2n }];
    expect(tableRows(first, "m")).toEqual(rows);
    // No close: the process died.
    const second = await openStorage(disk);
    expect(tableRows(second, "m")).toEqual(rows);
    expect(tableRows(second, "n")).toEqual([{ g: 1, time: 3n }]);
    expect(second.storage.headSequence).toBe(first.storage.headSequence);
    await second.storage.write(request("m f=9 9"));
    const third = await openStorage(disk);
    expect(tableRows(third, "m")).toEqual([...rows, { f: 9, time: 9n }]);
  });

  it("answers only after the sync, and no_sync before it", async () => {
    const held = heldLog();
    const opened = await openStorage(newDisk(), { wal: held.log });
    let answered = false;
    const synced = opened.storage.write(request("m f=1 1")).then(() => (answered = true));
    await flushPromises();
    expect([answered, tableRows(opened, "m")]).toEqual([false, []]);
    await opened.storage.write(request("m f=2 2", { noSync: true }));
    expect(tableRows(opened, "m")).toEqual([]);
    held.release();
    await synced;
    expect(tableRows(opened, "m")).toEqual([{ f: 1, time: 1n }]);
    await flushPromises();
    held.release();
    await flushPromises();
    expect(tableRows(opened, "m").length).toBe(2);
  });

  it("commits what arrives during a commit together, in order", async () => {
    const held = heldLog();
    const opened = await openStorage(newDisk(), { wal: held.log });
    await Promise.all([flushPromises()]);
    const writes = [1, 2, 3, 4].map((value) => opened.storage.write(request(`m f=${value} ${value}`)));
    await flushPromises();
    while (opened.storage.statistics().rows < 4) {
      held.release();
      await flushPromises();
    }
    await Promise.all(writes);
    expect(held.appends).toBeLessThanOrEqual(2);
    expect(tableRows(opened, "m").map((row) => row["f"])).toEqual([1, 2, 3, 4]);
  });

  it("partial: stores the good lines, then reports the bad ones (spec: http-api §6.1)", async () => {
    const opened = await openStorage(newDisk());
    const error = await opened.storage.write(request("m f=1 1\nbad\nm f=2 2")).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "write.partial", status: 400,
      details: { error: "partial write of line protocol occurred", data: [{ error_message: "Expected at least one space character, got end of input", line_number: 2, original_line: "bad" }] },
    });
    expect(tableRows(opened, "m").length).toBe(2);
  });

  it("partial over a limit is 422", async () => {
    const opened = await openStorage(newDisk(), { catalogLimits: { columnsPerTableMax: 1 } });
    await expect(opened.storage.write(request("m f=1 1\nm g=2 2"))).rejects.toMatchObject({ code: "write.partial_limit", status: 422 });
    expect(tableRows(opened, "m").length).toBe(1);
  });

  it("strict: stores nothing, makes nothing, names the first bad line as an object", async () => {
    const opened = await openStorage(newDisk());
    await expect(opened.storage.write(request("m f=1 1\nm f=t 2\nbad", { acceptPartial: false }))).rejects.toMatchObject({
      code: "write.rejected",
      details: { error: "line protocol parsing error", data: { error_message: expect.stringContaining("invalid column type for column 'f'"), line_number: 2, original_line: "m f=true 2" } },
    });
    expect(opened.catalog.state.databases.has("db")).toBe(false);
  });

  it("all lines bad: nothing is stored or made", async () => {
    const opened = await openStorage(newDisk());
    await expect(opened.storage.write(request("bad\nworse"))).rejects.toMatchObject({ code: "write.partial" });
    expect([opened.catalog.state.databases.has("db"), opened.storage.headSequence]).toEqual([false, 0]);
  });

  it.each([
    [request(""), "write.empty", "incoming write was empty"],
    [request("\n # only a comment\n"), "write.empty", "incoming write was empty"],
    [request("m f=1", { database: "_x" }), "database.invalid_name", "db name did not start with a number or letter"],
    [request("m f=1", { database: "" }), "database.invalid_name", "db name cannot be empty"],
    [request("m f=1", { database: "a/b/c" }), "database.invalid_name", "db name with invalid retention policy, if providing a retention policy name, must be of form '<db_name>/<rp_name>'"],
    [request("m f=1", { database: "a/" }), "database.invalid_name", "db name with invalid retention policy, if providing a retention policy name, must be of form '<db_name>/<rp_name>'"],
    [request("m f=1", { database: "a b" }), "database.invalid_name", "invalid character in database or rp name: must be ASCII, containing only letters, numbers, underscores, or hyphens"],
    [request("m f=1", { database: "a".repeat(512) }), "database.invalid_name", "db name too long: max 511"],
  ])("refuses %#", async (bad, code, message) => {
    const { storage } = await openStorage(newDisk());
    await expect(storage.write(bad)).rejects.toMatchObject({ code, message });
  });

  it("refuses a soft-deleted database, and the sixth one", async () => {
    const opened = await openStorage(newDisk(), { catalogLimits: { databasesMax: 1 } });
    await opened.storage.write(request("m f=1 1"));
    await expect(opened.storage.write(request("m f=1", { database: "other" }))).rejects.toMatchObject({ code: "database.limit", status: 422, message: "Adding a new database would exceed limit of 1 databases" });
    await opened.catalog.deleteDatabase("db");
    const gone = "db-20260101T000000";
    await expect(opened.storage.write(request("m f=1", { database: gone }))).rejects.toMatchObject({ code: "database.deleted", message: `cannot write to soft-deleted database '${gone}' - it is marked for deletion` });
    await opened.storage.write(request("m f=5 5"));
    expect(tableRows(opened, "m")).toEqual([{ f: 5, time: 5n }]);
  });

  it("concurrent first writes of one table make it once, and the loser of a type conflict hears of it", async () => {
    const opened = await openStorage(newDisk(), { limits: { parsersMax: 8 } });
    const results = await Promise.allSettled(["m f=1 1", "m f=2 2", "m g=1 3", "m f=4i 4", "m,f=x h=1 5"].map((line) => opened.storage.write(request(line))));
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected", "rejected"]);
    expect(tableRows(opened, "m").length).toBe(3);
    expect(opened.catalog.state.databases.get("db")?.tables.size).toBe(1);
  });
});

describe("bounds", () => {
  const big = (count: number, start = 0): string => Array.from({ length: count }, (_, index) => `m f=${index} ${start + index}`).join("\n");

  it("a full ring makes writers wait, then refuses with 503; nothing is lost", async () => {
    const held = heldLog();
    const opened = await openStorage(newDisk(), { wal: held.log, limits: { ringBytes: 16_384, parsersMax: 16, writersWaitingMax: 3 } });
    const writes = Array.from({ length: 8 }, (_, index) => opened.storage.write(request(big(400, index * 1000))).then(() => "stored", (error: { code: string }) => error.code));
    await flushPromises();
    await opened.clock.advance(101);
    for (let step = 0; step < 20; step++) {
      held.release();
      await flushPromises();
    }
    const outcomes = await Promise.all(writes);
    expect(new Set(outcomes)).toEqual(new Set(["stored", "wal_ring.full"]));
    expect(tableRows(opened, "m").length).toBe(outcomes.filter((outcome) => outcome === "stored").length * 400);
    expect(opened.storage.statistics()).toMatchObject({ ringUsedBytes: 0, writersWaiting: 0 });
  });

  it("a write larger than half the ring is refused as too large", async () => {
    const { storage } = await openStorage(newDisk(), { limits: { ringBytes: 8_192 } });
    await expect(storage.write(request(big(1000)))).rejects.toMatchObject({ code: "wal.record_too_large", status: 413 });
    expect(storage.statistics()).toMatchObject({ ringUsedBytes: 0, bufferUsedBytes: 0 });
  });

  it("a full buffer refuses before anything is accepted", async () => {
    const disk = newDisk();
    const opened = await openStorage(disk, { limits: { bufferBytes: 20_000 } });
    let stored = 0;
    for (let round = 0; round < 10; round++) stored += await opened.storage.write(request(big(200, round * 200))).then(() => 200, (error: { code: string }) => (expect(error.code).toBe("buffer.full"), 0));
    expect(stored).toBeGreaterThan(0);
    expect(stored).toBeLessThan(2000);
    expect(tableRows(opened, "m").length).toBe(stored);
    expect(tableRows(await openStorage(disk), "m").length).toBe(stored);
    expect(opened.storage.statistics().bufferUsedBytes).toBeLessThanOrEqual(20_000);
  });

  it("WAL files rotate by size, and replay reads them all", async () => {
    const disk = newDisk();
    const opened = await openStorage(disk, { limits: { walFileBytes: 2_000 } });
    for (let round = 0; round < 20; round++) await opened.storage.write(request(big(10, round * 10)));
    expect(disk.files.size).toBeGreaterThan(2);
    for (const bytes of disk.files.values()) expect(bytes.length).toBeLessThanOrEqual(2_000);
    expect(tableRows(await openStorage(disk), "m")).toEqual(tableRows(opened, "m"));
  });
});

describe("feeds", () => {
  const values = (batches: Iterable<CommittedBatch>): string[] => [...batches].map((batch) => `${batch.sequence}:${batch.tableId}:${batch.rowCount}:${batch.origin ?? "-"}`);

  it("give batches in WAL order with their origin, read or told", async () => {
    const { storage, catalog }: Opened = await openStorage(newDisk());
    const seen: CommittedBatch[] = [];
    const stop = storage.onCommitted((batch) => seen.push(batch));
    await storage.write(request("a f=1 1\nb f=1 1\nb f=2 2"));
    await storage.write(request("a f=2 2", { origin: "db/trigger" }));
    stop();
    await storage.write(request("a f=3 3"));
    const id = catalog.state.databases.get("db")?.id as number;
    const read = async (after: number): Promise<string[]> => values((await storage.feed.read(id, { after, through: 3, wants: () => true, bytesMax: 1_000_000 })).batches);
    expect(await read(0)).toEqual(["1:1:1:-", "1:2:2:-", "2:1:1:db/trigger", "3:1:1:-"]);
    expect(await read(2)).toEqual(["3:1:1:-"]);
    expect(values(seen)).toEqual(["1:1:1:-", "1:2:2:-", "2:1:1:db/trigger"]);
    expect(storage.headSequence).toBe(3);
  });

  it("a listener that throws disturbs no write", async () => {
    const opened = await openStorage(newDisk());
    opened.storage.onCommitted(() => {
      throw new Error("bad listener");
    });
    await opened.storage.write(request("m f=1 1"));
    expect(opened.lines).toEqual(["error: A listener to committed rows failed"]);
  });

  it("knows where a point may stand twice", async () => {
    const { storage, catalog } = await openStorage(newDisk());
    const doubled = (): unknown => {
      const database = catalog.state.databases.get("db");
      return storage.tableSnapshot(database?.id ?? 0, database?.tables.get("m")?.id ?? 0)?.repeated;
    };
    await storage.write(request("m,a=1,b=2 f=1 1\nm,b=2,a=1 f=1 2\nm f=1 1"));
    await storage.write(request("m,c=new f=1 1\nm,a=1,b=2 f=1 3"));
    expect(doubled()).toEqual([]);
    await storage.write(request("m,b=2,a=1 g=1 3"));
    expect(doubled()).toEqual([{ timeMin: 3n, timeMax: 3n }]);
  });
});

describe("Storage.close()", () => {
  it("commits what was accepted and refuses more", async () => {
    const disk = newDisk();
    const opened = await openStorage(disk);
    const last = opened.storage.write(request("m f=1 1", { noSync: true }));
    await last;
    await opened.storage.close();
    await expect(opened.storage.write(request("m f=2 2"))).rejects.toMatchObject({ code: "wal.closed", status: 500, message: "wal is shutdown and not accepting writes" });
    expect(tableRows(await openStorage(disk), "m").length).toBe(1);
  });

  it("at any moment of a write: it is stored or refused as closed, and what was acknowledged without sync is kept", async () => {
    for (let step = 0; step < 60; step++) {
      const disk = newDisk();
      const inner = createMemoryWalLog(disk.files);
      let closed = false;
      const wal = {
        ...inner,
        append: async (file: number, pieces: readonly Uint8Array[]) => {
          for (let turn = 0; turn < 5; turn++) await Promise.resolve();
          if (closed) throw new Error("closed during an append");
          await inner.append(file, pieces);
        },
        close: async () => void (closed = true),
      };
      const opened = await openStorage(disk, { wal });
      await opened.storage.write(request("m f=0 0"));
      const writes = [false, true].map((noSync, index) => opened.storage.write(request(`m f=1 ${index + 1}`, { noSync })).then(() => "stored", (error: { code: string }) => error.code));
      for (let turn = 0; turn < step; turn++) await Promise.resolve();
      await opened.storage.close();
      const outcomes = await Promise.all(writes);
      expect(["stored", "wal.closed"]).toEqual(expect.arrayContaining(outcomes));
      expect(opened.lines).toEqual([]);
      expect(tableRows(await openStorage(disk), "m").length).toBe(1 + outcomes.filter((outcome) => outcome === "stored").length);
    }
  });

  it("frees the memory of deleted tables and databases, also after a restart", async () => {
    const disk = newDisk();
    const opened = await openStorage(disk);
    await opened.storage.write(request("kept f=1 1\ngone f=1 1"));
    await opened.storage.write(request("other f=1 1", { database: "db2" }));
    const before = opened.storage.statistics().bufferUsedBytes;
    await opened.catalog.deleteTable("db", "gone");
    await opened.catalog.deleteDatabase("db2");
    expect(opened.storage.statistics().rows).toBe(1);
    expect(opened.storage.statistics().bufferUsedBytes).toBeLessThan(before);
    await opened.storage.close();
    const again = await openStorage(disk);
    expect(again.storage.statistics().rows).toBe(1);
    await again.storage.close();
  });
});
