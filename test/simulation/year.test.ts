// Goal: a year at one snapshot per ten minutes stays queryable: few files, a start that reads few objects, and every value
// as if nothing had ever been merged; with late rows that change old points, rows dated far ahead and a tag that comes in
// the middle. Method: the storage engine on a virtual clock, merging on its own timers; a plain map as the model; at the end
// a new server and DuckDB over all of it. By default a few weeks are simulated, `SIMULATED_DAYS=365` does the year.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createMemoryObjectStore } from "../../src/adapters/object-store/memory.ts";
import { DuckdbEngine } from "../../src/adapters/query-engine/duckdb/duckdb-engine.ts";
import { createSystemClock } from "../../src/adapters/system/clock.ts";
import { QueryService } from "../../src/engine/query-service.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { newDisk, openStorage, request, type Disk } from "../support/open-storage.ts";
import { removeFolder, temporaryFolder } from "../support/server.ts";

const DAYS = Number(process.env["SIMULATED_DAYS"] ?? 6);
const SNAPSHOTS_PER_DAY = 144;
const TEN_MINUTES_MS = 600_000;
const TEN_MINUTES = 600_000_000_000n;
const START = 1_767_225_600_000_000_000n;

const folder = temporaryFolder();
afterAll(() => removeFolder(folder));

/** Counts the calls that a start makes. */
function counted(inner: ObjectStore, calls: { get: number; list: number }): ObjectStore {
  return {
    ...inner,
    get: (path) => (calls.get++, inner.get(path)),
    list: (prefix) => (calls.list++, inner.list(prefix)),
  };
}

interface Point {
  readonly host: string;
  readonly room: string | null;
  readonly time: bigint;
  v: number | null;
  w: number | null;
}

class Model {
  readonly points = new Map<string, Point>();

  /** The line of a write that is noted here too. */
  line(host: string, room: string | null, time: bigint, fields: { readonly v?: number; readonly w?: number }): string {
    const key = `${host}/${room ?? ""}/${time}`;
    const point = this.points.get(key) ?? { host, room, time, v: null, w: null };
    this.points.set(key, Object.assign(point, fields));
    return `m,host=${host}${room === null ? "" : `,room=${room}`} ${Object.entries(fields).map(([name, value]) => `${name}=${value}`).join(",")} ${time}`;
  }
}

/** The lines of one period, mostly of its own ten minutes. */
function linesAt(model: Model, index: number, random: () => number): string {
  const now = START + BigInt(index) * TEN_MINUTES;
  const room = index > (DAYS * SNAPSHOTS_PER_DAY) / 2 && index % 2 === 0 ? "r1" : null;
  const lines = ["a", "b"].map((host, at) => model.line(host, room, now + BigInt(at), { v: index }));
  // A second field of the same point in a line of its own, hours or weeks late.
  if (index % 40 === 39) lines.push(model.line("a", null, START + BigInt(Math.floor(random() * index)) * TEN_MINUTES, index % 80 === 39 ? { w: index } : { v: -index }));
  if (index % 700 === 699) lines.push(model.line("b", null, now + BigInt(Math.floor(random() * 400)) * 86_400_000_000_000n, { v: index }));
  return lines.join("\n");
}

async function rowsOf(disk: Disk, sql: string): Promise<unknown[][]> {
  for (const [path, bytes] of disk.objects) {
    if (!path.startsWith("n0/dbs/")) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  const opened = await openStorage(disk, { parquetStore: createMemoryObjectStore(disk.objects) });
  const clock = createSystemClock();
  const engine = await DuckdbEngine.open({ clock, parquet: { storeFolder: folder, allowedFolder: join(folder, "n0/dbs/") } });
  const queries = new QueryService({ catalog: opened.catalog, source: opened.storage, engine, systemTables: { table: () => undefined, names: () => [] }, clock, limits: { timeoutMs: 60_000 } });
  const stream = await queries.query({ database: "db", sql });
  const rows: unknown[][] = [];
  for await (const batch of stream.batches) for (let row = 0; row < batch.rowCount; row++) rows.push(batch.columns.map((column) => column[row]));
  await engine.close();
  await opened.storage.close();
  return rows;
}

describe(`${DAYS} days at one snapshot per ten minutes`, () => {
  it("end as few files that answer as if they had never been merged", { timeout: 60_000 + DAYS * 10_000 }, async () => {
    const disk = newDisk();
    const clock = new VirtualClock(START);
    const opened = await openStorage(disk, { clock, parquetStore: createMemoryObjectStore(disk.objects) });
    const random = seededRandom(7);
    const model = new Model();
    let filesMax = 0;
    let readsMax = 0;
    const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    for (let index = 0; index < DAYS * SNAPSHOTS_PER_DAY; index++) {
      await opened.storage.write(request(linesAt(model, index, random)));
      await opened.storage.snapshotNow();
      await clock.jump(TEN_MINUTES_MS, settle);
      const { persistedFiles, persistence } = opened.storage.statistics();
      filesMax = Math.max(filesMax, persistedFiles);
      readsMax = Math.max(readsMax, persistence?.manifestReads ?? 0);
    }
    for (let turn = 0; turn < 50; turn++) await clock.jump(TEN_MINUTES_MS, settle);
    const { persistedFiles, persistedRows, persistence } = opened.storage.statistics();
    expect(persistence).toMatchObject({ snapshotFailures: 0, mergeFailures: 0, doomedFiles: 0 });
    // One file for each of the months, for each day of the newest ones, each hour of the newest day; far-future days apart.
    const months = Math.ceil(DAYS / 30) + 1;
    const future = Math.floor((DAYS * SNAPSHOTS_PER_DAY) / 700);
    expect(filesMax).toBeLessThanOrEqual(months * 3 + 31 + 24 + 12 + future * 2);
    expect(persistedFiles).toBeLessThanOrEqual(filesMax);
    // A late row of an old point stays beside it until its file is worth rewriting.
    expect(persistedRows).toBeGreaterThanOrEqual(model.points.size);
    expect(persistedRows).toBeLessThanOrEqual(model.points.size + (DAYS * SNAPSHOTS_PER_DAY) / 40);
    expect([...disk.objects.keys()].filter((path) => path.startsWith("n0/dbs/")).length).toBe(persistedFiles);
    // A checkpoint replaces the manifests after a hundred; those of merges come on top while it is written.
    expect(readsMax).toBeLessThanOrEqual(103);
    await opened.storage.close();

    const calls = { get: 0, list: 0 };
    const fresh = await openStorage(disk, { parquetStore: counted(createMemoryObjectStore(disk.objects), calls) });
    expect(calls.get).toBeLessThanOrEqual(103);
    // Checkpoints, manifests; the search for orphans runs beside.
    expect(calls.list).toBeLessThanOrEqual(3);
    expect(fresh.storage.statistics()).toMatchObject({ persistedFiles, persistedRows });
    await fresh.storage.close();

    const rows = await rowsOf(disk, "SELECT host, room, CAST(time AS BIGINT) AS t, v, w FROM m ORDER BY host, room NULLS FIRST, time");
    const byOrder = (left: Point, right: Point): number =>
      left.host < right.host ? -1 : left.host > right.host ? 1 : (left.room ?? "") < (right.room ?? "") ? -1 : (left.room ?? "") > (right.room ?? "") ? 1 : left.time < right.time ? -1 : 1;
    expect(rows.length).toBe(model.points.size);
    const expected = [...model.points.values()].sort(byOrder).map(({ host, room, time, v, w }) => [host, room, time, v, w]);
    expect(rows).toEqual(expected);
    process.stdout.write(`${JSON.stringify({ days: DAYS, snapshots: DAYS * SNAPSHOTS_PER_DAY, files: persistedFiles, filesMax, startReads: calls.get, readsMax, merges: persistence?.merges, mergedFiles: persistence?.mergedFiles, rows: persistedRows })}\n`);
  });
});
