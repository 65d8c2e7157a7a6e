// Goal: on a disk that is really full, writes are refused with a sentence, what was acknowledged stays, and writing goes on
// once there is room again. Method: the file WAL on a small tmpfs; skipped where nothing may be mounted.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { openFileWalLog } from "../../src/adapters/wal-log/file.ts";
import { newDisk, openStorage, request, tableRows } from "../support/open-storage.ts";
import { PROGRAM_PATH, removeFolder, temporaryFolder } from "../support/server.ts";

const folder = temporaryFolder();
const mountPoint = join(folder, "small");
mkdirSync(mountPoint);

function mounted(): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", mountPoint], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const small = mounted();
afterAll(() => {
  if (small) execFileSync("umount", ["-l", mountPoint], { stdio: "ignore" });
  removeFolder(folder);
});

const openWal = (): ReturnType<typeof openFileWalLog> =>
  openFileWalLog({ folder: join(mountPoint, "wal"), workerUrl: new URL("disk-worker.js", pathToFileURL(PROGRAM_PATH)) });

const LINES = 500;
const body = (id: number): string => Array.from({ length: LINES }, (_, line) => `m,line=${line} id=${id}i,pad="${"x".repeat(40)}" ${id * LINES + line}`).join("\n");

describe.skipIf(!small)("a full disk", () => {
  it.each([1 << 20, 100_000])("keeps what was acknowledged and goes on when there is room (WAL files of %i bytes)", { timeout: 60_000 }, async (walFileBytes) => {
    rmSync(join(mountPoint, "wal"), { recursive: true, force: true });
    const ballast = join(mountPoint, "ballast");
    writeFileSync(ballast, new Uint8Array(500_000));
    const disk = newDisk();
    const opened = await openStorage(disk, { wal: await openWal(), limits: { walFileBytes, ringBytes: 1 << 20, bufferBytes: 64 << 20 } });
    const stored: number[] = [];
    const write = async (id: number): Promise<string> => {
      const outcome = await opened.storage.write(request(body(id))).then(() => "stored", (error: { code: string }) => error.code);
      if (outcome === "stored") stored.push(id);
      return outcome;
    };
    const outcomes: string[] = [];
    for (let id = 0; id < 40; id++) outcomes.push(await write(id));
    expect(new Set(outcomes)).toEqual(new Set(["stored", "wal.write_failed"]));
    // The cut gives the part that was written back: small writes still fit, and the next failure is like the first.
    expect(opened.storage.statistics().ringUsedBytes).toBe(0);
    rmSync(ballast);
    expect(await write(100)).toBe("stored");
    const rowsOf = (from: Parameters<typeof tableRows>[0]): number[] => [...new Set(tableRows(from, "m").map((row) => Number(row["id"])))];
    expect(rowsOf(opened)).toEqual(stored);
    await opened.storage.close();
    const fresh = await openStorage(disk, { wal: await openWal(), limits: { bufferBytes: 64 << 20 } });
    expect(rowsOf(fresh)).toEqual(stored);
    expect(fresh.storage.statistics()).toMatchObject({ rows: stored.length * LINES, replay: { tornBytes: 0, damages: 0 } });
    await fresh.storage.close();
  });
});
