import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WAL_APPEND_CONTRACT, WAL_LOG_CONTRACT } from "../../testing/wal-log-contract.ts";
import type { WalLog } from "../../ports/wal-log.ts";
import { openFileWalLog } from "./file.ts";
import { checkFolderOwner } from "./folder-owner.ts";
import { createMemoryWalLog } from "./memory.ts";

/** Built by the global set-up of the tests. */
const workerUrl = pathToFileURL(join(import.meta.dirname, "../../../dist/disk-worker.js"));

let base: string;
let log: WalLog | undefined;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "tidemark-wal-"));
});
afterEach(async () => {
  await log?.close();
  log = undefined;
  rmSync(base, { recursive: true });
});

const fileLog = async (): Promise<WalLog> => (log = await openFileWalLog({ folder: join(base, "wal"), workerUrl }));

describe.each([["memory", async () => createMemoryWalLog()], ["file", fileLog]] as const)("the %s WAL log", (_name, make) => {
  it.each([...WAL_LOG_CONTRACT, ...WAL_APPEND_CONTRACT])("$name", async ({ check }) => check(await make()));
});

describe("the file WAL log", () => {
  it("says what failed, and goes on when the fault is gone", async () => {
    const files = await fileLog();
    mkdirSync(join(base, "wal", "00000000003.wal"));
    await expect(files.append(3, [new Uint8Array(1)])).rejects.toThrow(/Writing the WAL in '.*' failed: EISDIR/);
    await files.append(4, [new Uint8Array(1)]);
    expect((await files.read(4)).length).toBe(1);
  });

  it("keeps what it had when it is opened again", async () => {
    const first = await fileLog();
    await first.append(1, [new TextEncoder().encode("kept")]);
    await first.close();
    const second = await fileLog();
    await second.append(1, [new TextEncoder().encode("!")]);
    expect(new TextDecoder().decode((await second.read(1)).slice())).toBe("kept!");
  });

  it("refuses a folder that cannot be made", async () => {
    await expect(openFileWalLog({ folder: "/dev/null/wal", workerUrl })).rejects.toThrow("Cannot create the folder '/dev/null/wal'");
  });
});

describe("a WAL folder beside a catalog that lies elsewhere", () => {
  it("belongs to the catalog of its first files, and to another one only when it is empty", async () => {
    const folder = join(base, "wal");
    const files = await fileLog();
    await checkFolderOwner(folder, "one");
    await checkFolderOwner(folder, "two");
    await files.append(1, [new Uint8Array(1)]);
    await checkFolderOwner(folder, "two");
    await expect(checkFolderOwner(folder, "one")).rejects.toMatchObject({ code: "server.misconfigured", message: expect.stringContaining("belongs to another catalog") });
    expect(await files.list()).toEqual([1]);
    await files.delete(1);
    await checkFolderOwner(folder, "one");
  });

  it("whose files were never noted is nobody's", async () => {
    const files = await fileLog();
    await files.append(1, [new Uint8Array(1)]);
    await expect(checkFolderOwner(join(base, "wal"), "one")).rejects.toMatchObject({ code: "server.misconfigured" });
  });
});
