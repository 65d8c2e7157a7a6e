// Goal: an acknowledged write is there after any crash and no request is half there; damage that is not a torn end stops
// the start. Method: cut the WAL at every byte, flip bytes, fail every append in every way.
import { describe, expect, it } from "vitest";
import { createMemoryWalLog } from "../../src/adapters/wal-log/memory.ts";
import { DatabaseError } from "../../src/core/errors/database-error.ts";
import type { WalLog } from "../../src/ports/wal-log.ts";
import { newDisk, openStorage, request, tableRows, type Disk } from "../support/open-storage.ts";

/** Three requests of two rows each in two tables. */
async function filled(walFileBytes = 1 << 20): Promise<{ disk: Disk; ends: number[] }> {
  const disk = newDisk();
  const { storage } = await openStorage(disk, { limits: { walFileBytes } });
  const ends: number[] = [];
  for (const id of [1, 2, 3]) {
    await storage.write(request(`a id=${id}i ${id}\nb id=${id}i ${id}`));
    ends.push((disk.files.get(1) as Uint8Array).length);
  }
  return { disk, ends };
}

const copyOf = (disk: Disk, bytes: Uint8Array): Disk => ({ objects: new Map(disk.objects), files: new Map(disk.files).set(1, bytes) });

describe("a WAL cut off", () => {
  it("at every byte: whole requests stay, the rest is gone, and writing goes on", async () => {
    const { disk, ends } = await filled();
    const whole = disk.files.get(1) as Uint8Array;
    for (let size = 0; size <= whole.length; size++) {
      const torn = copyOf(disk, whole.slice(0, size));
      const opened = await openStorage(torn);
      const expected = ends.filter((end) => end <= size).length;
      expect([tableRows(opened, "a").length, tableRows(opened, "b").length]).toEqual([expected, expected]);
      await opened.storage.write(request("a id=9i 9"));
      expect(tableRows(await openStorage(torn), "a").length).toBe(expected + 1);
    }
  });
});

describe("a WAL with damage in the middle", () => {
  it("stops the start, naming file and byte; with the switch it goes on and says so", async () => {
    const { disk, ends } = await filled();
    const damaged = (disk.files.get(1) as Uint8Array).slice();
    damaged[(ends[0] as number) + 60] = 0xff;
    const broken = copyOf(disk, damaged);
    await expect(openStorage(broken)).rejects.toMatchObject({ code: "wal.corrupt", message: expect.stringContaining(`WAL file 00000000001.wal is damaged at byte ${ends[0]}`), details: { file: 1, offset: ends[0] } });
    expect(broken.files.get(1)).toEqual(damaged);
    const opened = await openStorage(broken, { walReplayFailOnError: false });
    expect(tableRows(opened, "a").length).toBe(1);
    expect(opened.lines.some((line) => line.startsWith("error: WAL file 00000000001.wal is damaged"))).toBe(true);
  });

  it("a file that is missing or cut before the last one stops the start", async () => {
    const { disk } = await filled(200);
    expect(disk.files.size).toBe(3);
    const missing: Disk = { objects: disk.objects, files: new Map(disk.files) };
    missing.files.delete(2);
    await expect(openStorage(missing)).rejects.toThrow("file 2 is missing before it");
    const first = disk.files.get(1) as Uint8Array;
    await expect(openStorage(copyOf(disk, first.slice(0, first.length - 8)))).rejects.toMatchObject({ code: "wal.corrupt" });
  });

  it("a table that the catalog does not know stops the start", async () => {
    const { disk } = await filled();
    await expect(openStorage({ objects: new Map(), files: disk.files })).rejects.toThrow("which the catalog does not know");
  });
});

type Mode = "nothing" | "half" | "all";

/** Fails append N after it has written nothing, a half or all. `stuck`: the file cannot be cut back either. */
function failing(files: Map<number, Uint8Array>, failAt: number, mode: Mode, stuck: boolean): WalLog {
  const inner = createMemoryWalLog(files);
  let appends = 0;
  const broken = (): DatabaseError => new DatabaseError("wal.write_failed", { message: "No space left on device" });
  return {
    ...inner,
    async append(file, pieces) {
      if (++appends !== failAt) return inner.append(file, pieces);
      const sizes = pieces.reduce((sum, piece) => sum + piece.length, 0);
      const joined = new Uint8Array(sizes);
      let at = 0;
      for (const piece of pieces) {
        joined.set(piece, at);
        at += piece.length;
      }
      if (mode !== "nothing") await inner.append(file, [joined.subarray(0, mode === "half" ? sizes >> 1 : sizes)]);
      throw broken();
    },
    truncate: (file, size) => (stuck && appends >= failAt ? Promise.reject(broken()) : inner.truncate(file, size)),
    delete: (file) => (stuck && appends >= failAt ? Promise.reject(broken()) : inner.delete(file)),
  };
}

describe("a failing disk", () => {
  const cases = [1, 2, 3, 4].flatMap((failAt) => (["nothing", "half", "all"] as const).flatMap((mode) => [false, true].map((stuck) => [failAt, mode, stuck] as const)));

  it.each(cases)("append %i fails after writing %s (cannot be cut back: %s)", async (failAt, mode, stuck) => {
    const disk = newDisk();
    const opened = await openStorage(disk, { wal: failing(disk.files, failAt, mode, stuck) });
    const acknowledged: number[] = [];
    for (const id of [1, 2, 3, 4, 5]) {
      const stored = await opened.storage.write(request(`a id=${id}i ${id}\nb id=${id}i ${id}`)).then(() => true, (error: { code: string }) => (expect(error.code).toBe("wal.write_failed"), false));
      if (stored) acknowledged.push(id);
    }
    expect(acknowledged).toEqual([1, 2, 3, 4, 5].filter((id) => (stuck ? id < failAt : id !== failAt)));
    expect(tableRows(opened, "a").map((row) => Number(row["id"]))).toEqual(acknowledged);
    expect(opened.storage.statistics().ringUsedBytes).toBe(0);
    const fresh = await openStorage(disk);
    const replayed = tableRows(fresh, "a").map((row) => Number(row["id"]));
    // A write that failed may still be found when its bytes could not be cut; it is whole then.
    expect(replayed.filter((id) => acknowledged.includes(id))).toEqual(acknowledged);
    expect(tableRows(fresh, "b").map((row) => Number(row["id"]))).toEqual(replayed);
    if (!stuck) expect(replayed).toEqual(acknowledged);
  });
});
