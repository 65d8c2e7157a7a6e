// Goal: on a disk that is really full, writes are refused with a sentence, what was acknowledged stays, and all goes on once
// there is room again: the WAL; every object of catalog, snapshots and merges; the whole server. Method: a small tmpfs,
// filled right before each object in turn; skipped where nothing may be mounted.
import { randomUUID } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parquetReadObjects } from "hyparquet";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { createFileObjectStore } from "../../src/adapters/object-store/file.ts";
import { openFileWalLog } from "../../src/adapters/wal-log/file.ts";
import { RECORDS_PER_CHECKPOINT } from "../../src/core/catalog/limits.ts";
import { ObservedStore } from "../../src/engine/stores/observed-store.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { newDisk, openStorage, request, tableRows, type Disk, type Opened } from "../support/open-storage.ts";
import { eventually, post, PROGRAM_PATH, queryRows, startServer } from "../support/server.ts";
import { mountSmallDisk, type SmallDisk } from "../support/small-disk.ts";

const mounted = mountSmallDisk("8m");
const small = mounted as SmallDisk;
const mountPoint = mounted?.folder ?? "";
afterAll(() => mounted?.unmount());
beforeEach(() => mounted?.free());

const openWal = (): ReturnType<typeof openFileWalLog> =>
  openFileWalLog({ folder: join(mountPoint, "wal"), workerUrl: new URL("disk-worker.js", pathToFileURL(PROGRAM_PATH)) });

const LINES = 500;
const body = (id: number): string => Array.from({ length: LINES }, (_, line) => `m,line=${line} id=${id}i,pad="${"x".repeat(40)}" ${id * LINES + line}`).join("\n");

describe.skipIf(mounted === undefined)("a full disk under the WAL", () => {
  it.each([1 << 20, 100_000])("keeps what was acknowledged and goes on when there is room (WAL files of %i bytes)", { timeout: 60_000 }, async (walFileBytes) => {
    rmSync(join(mountPoint, "wal"), { recursive: true, force: true });
    const ballast = join(mountPoint, "ballast");
    writeFileSync(ballast, new Uint8Array(7_800_000));
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
    expect(opened.storage.statistics()).toMatchObject({ ringUsedBytes: 0, commitFailures: outcomes.filter((outcome) => outcome !== "stored").length });
    await write(99);
    expect(opened.lines.filter((line) => line.startsWith("error: Writing the WAL failed") && line.includes("ENOSPC")).length).toBeGreaterThan(0);
    rmSync(ballast);
    expect(await write(100)).toBe("stored");
    expect(opened.storage.walTrouble()).toBeUndefined();
    expect(opened.lines.at(-1)).toBe("info: The WAL can be written again");
    const rowsOf = (from: Parameters<typeof tableRows>[0]): number[] => [...new Set(tableRows(from, "m").map((row) => Number(row["id"])))];
    expect(rowsOf(opened)).toEqual(stored);
    await opened.storage.close();
    const fresh = await openStorage(disk, { wal: await openWal(), limits: { bufferBytes: 64 << 20 } });
    expect(rowsOf(fresh)).toEqual(stored);
    expect(fresh.storage.statistics()).toMatchObject({ rows: stored.length * LINES, replay: { tornBytes: 0, damages: 0 } });
    await fresh.storage.close();
  });
});

const MINUTES = 60_000_000_000;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Two tables, two time chunks, three snapshots, merges, and catalog records up to a checkpoint. Returns what was acknowledged. */
async function use(opened: Opened): Promise<number[]> {
  const acknowledged: number[] = [];
  for (const id of [1, 2, 3, 4, 5, 6]) {
    await opened.storage.write(request(`a,t=x id=${id}i ${id + (id % 3 === 0 ? 20 * MINUTES : 0)}\nb,t=y id=${id}i ${id}`)).then(() => acknowledged.push(id), () => undefined);
    if (id % 2 === 0) await opened.storage.snapshotNow();
    await settle();
  }
  await opened.storage.mergeNow();
  for (let record = opened.catalog.state.sequence; record < RECORDS_PER_CHECKPOINT + 3; record++) await opened.catalog.createDatabase(`d${record}`).catch(() => undefined);
  return acknowledged;
}

/** Ids that a query would find, in files and in memory, as often as they are there. */
async function idsOf(opened: Opened, store: ObjectStore): Promise<number[]> {
  const database = opened.catalog.state.databases.get("db");
  const definition = database?.tables.get("a");
  if (database === undefined || definition === undefined) return [];
  const ids = tableRows(opened, "a").map((row) => Number(row["id"]));
  for (const { path } of opened.storage.tableSnapshot(database.id, definition.id)?.files ?? []) {
    const bytes = (await store.get(path)) as Uint8Array;
    ids.push(...(await parquetReadObjects({ file: bytes.slice().buffer as ArrayBuffer })).map((row) => Number(row["id"])));
  }
  return ids.sort((left, right) => left - right);
}

interface Run {
  readonly disk: Disk;
  readonly store: ObservedStore;
  readonly opened: Opened;
  /** Kinds of objects in the order of their puts. */
  readonly puts: readonly string[];
}

/** The disk is full from the put with this number on, until `free`. */
async function open(folder: string, disk: Disk, fullAt: number): Promise<Run> {
  const inner = createFileObjectStore({ folder, randomName: randomUUID });
  const puts: string[] = [];
  const clock = new VirtualClock();
  const filled: ObjectStore = {
    ...inner,
    put(path, bytes, options) {
      puts.push(/^n0\/([a-z-]+(?:\/(?:log|checkpoint))?)/.exec(path)?.[1] ?? path);
      if (puts.length === fullAt) small.fill();
      return inner.put(path, bytes, options);
    },
  };
  const store = new ObservedStore({ store: filled, clock, log: { log: () => undefined }, remote: false });
  return { disk, store, puts, opened: await openStorage(disk, { store, parquetStore: store, clock, catalogLimits: { databasesMax: 1_000 }, persistence: { manifestsPerCheckpoint: 2 } }) };
}

describe.skipIf(mounted === undefined)("a full disk under catalog and Parquet files", () => {
  it("loses nothing at any object, says so, and goes on when there is room", { timeout: 180_000 }, async () => {
    const whole = await open(join(mountPoint, "whole"), newDisk(), 0);
    await use(whole.opened);
    expect(whole.opened.storage.statistics().persistence).toMatchObject({ merges: 2 });
    expect(new Set(whole.puts)).toEqual(new Set(["catalog/log", "catalog/checkpoint", "dbs", "snapshots", "snapshot-checkpoints"]));
    const records = whole.puts.indexOf("catalog/checkpoint") - 10;
    for (let fullAt = 2; fullAt <= whole.puts.length; fullAt++) {
      // One of the many like records in between is enough.
      if (fullAt > 25 && fullAt < records) continue;
      const what = `full at put ${fullAt} (${whole.puts[fullAt - 1]})`;
      const folder = join(mountPoint, `run-${fullAt}`);
      const run = await open(folder, newDisk(), fullAt);
      const acknowledged = await use(run.opened);
      expect(run.store.trouble(), what).toMatch(/^object store unavailable for 0 s: Cannot write '.*': ENOSPC: no space left on device/);
      expect(run.store.statistics().isUp).toBe(false);
      expect(await idsOf(run.opened, run.store), what).toEqual(acknowledged);
      small.free();
      await run.opened.storage.write(request(`a,t=x id=100i ${30 * MINUTES}\nc,t=y id=1i 1`));
      await run.opened.storage.snapshotNow();
      await run.opened.storage.mergeNow();
      expect(run.store.trouble(), what).toBeUndefined();
      expect(run.opened.storage.statistics(), what).toMatchObject({ rows: 0, persistence: { mergeMemoryBytes: 0 } });
      expect(await idsOf(run.opened, run.store), what).toEqual([...acknowledged, 100]);
      const again = await open(folder, run.disk, 0);
      await again.opened.storage.cleaned();
      expect(await idsOf(again.opened, again.store), what).toEqual([...acknowledged, 100]);
      expect(again.opened.catalog.state.databases.get("db")?.tables.has("c"), what).toBe(true);
      // Nothing half-written is left.
      expect((await again.store.list("n0/dbs/")).length, what).toBe(again.opened.storage.statistics().persistedFiles);
      rmSync(folder, { recursive: true });
    }
  });
});

describe.skipIf(mounted === undefined)("a full disk under the whole server", () => {
  it("shows in the answers, /health, /metrics and the log, and passes", { timeout: 120_000 }, async () => {
    const folder = join(mountPoint, "server");
    const text = async (path: string): Promise<string> => (await fetch(server.url + path)).text();
    let server = await startServer({ folder });
    const write = (id: number): Promise<{ readonly status: number; readonly text: string }> => post(server, "/api/v3/write_lp?db=db&precision=nanosecond", body(id));
    expect((await write(0)).status).toBe(204);
    small.fill();
    const stored = [0];
    const refusals: string[] = [];
    for (let id = 1; id <= 6; id++) {
      const answer = await write(id);
      if (answer.status === 204) stored.push(id);
      else refusals.push(`${answer.status} ${answer.text}`);
    }
    expect(refusals.length).toBeGreaterThan(0);
    for (const refusal of refusals) expect(refusal).toMatch(/^50[03] .*Writing the WAL failed: .*ENOSPC: no space left on device/);
    expect(await text("/health")).toMatch(/^OK \(degraded: Writing the WAL failed: .*ENOSPC: no space left on device.* \(no commit has worked for \d+ s\)\)$/);
    expect(await text("/metrics")).toMatch(/^tidemark_wal_commit_failures_total [1-9]/m);
    expect(server.output()).toMatch(/Writing the WAL failed: .*ENOSPC/);
    // Rows that are there can still be asked for.
    expect(await queryRows(server, "db", "SELECT count(DISTINCT id) AS n FROM m")).toEqual([{ n: stored.length }]);
    small.free();
    await eventually("a write to be taken", async () => ((await write(50)).status === 204 ? true : undefined));
    stored.push(50);
    expect(await text("/health")).toBe("OK");
    await server.stop("SIGKILL");
    server = await startServer({ folder });
    const rows = (await queryRows(server, "db", "SELECT id, count(*) AS n FROM m GROUP BY id ORDER BY id")) ?? [];
    expect(rows).toEqual(stored.map((id) => ({ id, n: LINES })));
    await server.stop("SIGKILL");
  });
});
