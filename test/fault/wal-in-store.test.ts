// Goal: with everything in one object store a node is cattle: whatever call fails, before or after its effect, once or for
// good, a new node with nothing of its own finds every acknowledged row once; the node it replaced stores nothing more.
// Method: claim, catalog, WAL, Parquet and manifests share a store that fails call N, for every N.
import { parquetReadObjects } from "hyparquet";
import { describe, expect, it } from "vitest";
import { createMemoryObjectStore } from "../../src/adapters/object-store/memory.ts";
import { createObjectWalLog } from "../../src/adapters/wal-log/object.ts";
import { DatabaseError } from "../../src/core/errors/database-error.ts";
import { NodeClaim } from "../../src/engine/stores/node-claim.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { newDisk, openStorage, request, tableRows, type Opened } from "../support/open-storage.ts";

type Objects = Map<string, Uint8Array>;

interface Fault {
  /** 0: none. */
  readonly at: number;
  readonly afterEffect: boolean;
  readonly forGood: boolean;
}

interface Counted {
  readonly store: ObjectStore;
  readonly calls: () => number;
}

function faulty(objects: Objects, { at, afterEffect, forGood }: Fault): Counted {
  const inner = createMemoryObjectStore(objects);
  let calls = 0;
  const run = async <T>(effect: () => Promise<T>): Promise<T> => {
    const call = ++calls;
    if (call !== at && !(forGood && at > 0 && call > at)) return effect();
    if (afterEffect && call === at) await effect();
    throw new DatabaseError("object_store.unavailable", { message: "no answer" });
  };
  const store: ObjectStore = {
    get: (path) => run(() => inner.get(path)),
    put: (path, bytes, options) => run(() => inner.put(path, bytes, options)),
    list: (prefix) => run(() => inner.list(prefix)),
    delete: (path) => run(() => inner.delete(path)),
  };
  return { store, calls: () => calls };
}

let nowMs = 0;
/** Its pauses pass at once. */
const hasty: Clock = { nowNs: () => 0n, monotonicMs: () => nowMs, after: (_ms, action) => { const turn = setImmediate(action); return () => clearImmediate(turn); } };
const quiet = { log: () => undefined };
let processes = 0;

interface Node extends Opened {
  readonly claim: NodeClaim;
  stop(): void;
}

async function openNode(store: ObjectStore): Promise<Node> {
  const claim = await NodeClaim.take({ store, nodeId: "n0", processName: `p${processes++}`, hostName: "h", clock: new VirtualClock(), log: quiet });
  const wal = createObjectWalLog({ store, prefix: "n0/wal/", clock: hasty, log: quiet, random: () => 0, confirm: () => claim.verify(), supersede: () => claim.supersede() });
  const guarded = claim.guard(store);
  const opened = await openStorage(newDisk(), { store: guarded, parquetStore: guarded, wal });
  claim.onSuperseded((error) => opened.storage.refuseWrites(error));
  return { ...opened, claim, stop: () => wal.abandon?.() };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const MINUTES = 60_000_000_000;
const lines = (id: number): string => `a,t=x id=${id}i ${id + (id % 3 === 0 ? 20 * MINUTES : 0)}\nb,t=y id=${id}i ${id}`;

/** Resolves to whether it was acknowledged; a write that hangs was not. */
async function write({ storage }: Opened, id: number): Promise<boolean> {
  let outcome: boolean | undefined;
  void storage.write(request(lines(id))).then(() => (outcome = true), () => (outcome = false));
  for (let turn = 0; turn < 40 && outcome === undefined; turn++) await settle();
  return outcome === true;
}

async function useNode(node: Node): Promise<number[]> {
  const acknowledged: number[] = [];
  for (const id of [1, 2, 3, 4, 5]) {
    if (await write(node, id)) acknowledged.push(id);
    if (id === 2 || id === 4) await node.storage.snapshotNow();
  }
  return acknowledged;
}

/** Every id of a table that a query would see, files and memory together, as often as it is there. */
async function idsOf(node: Opened, objects: Objects, table: string): Promise<number[]> {
  const database = node.catalog.state.databases.get("db");
  const definition = database?.tables.get(table);
  if (database === undefined || definition === undefined) return [];
  const ids = tableRows(node, table).map((row) => Number(row["id"]));
  for (const { path } of node.storage.tableSnapshot(database.id, definition.id)?.files ?? []) {
    const rows = await parquetReadObjects({ file: (objects.get(path) as Uint8Array).slice().buffer as ArrayBuffer });
    ids.push(...rows.map((row) => Number(row["id"])));
  }
  return ids.sort((left, right) => left - right);
}

const none: Fault = { at: 0, afterEffect: false, forGood: false };

async function callsOfAll(): Promise<number> {
  const { store, calls } = faulty(new Map(), none);
  await useNode(await openNode(store));
  return calls();
}

const modes = [[false, false], [true, false], [false, true], [true, true]] as const;

describe("a node whose store fails", () => {
  it.each(modes)("at every call (after its effect: %s, for good: %s) is replaced by a new one that has every acknowledged row", { timeout: 120_000 }, async (afterEffect, forGood) => {
    const calls = await callsOfAll();
    expect(calls).toBeGreaterThan(40);
    for (let at = 1; at <= calls; at++) {
      const objects: Objects = new Map();
      const old = await openNode(faulty(objects, { at, afterEffect, forGood }).store).catch(() => undefined);
      const acknowledged = old === undefined ? [] : await useNode(old);
      // One failure costs at most the write it hits: what needs a schema change, or a start.
      if (old !== undefined && !forGood) expect(acknowledged.length, `call ${at}`).toBeGreaterThanOrEqual(4);
      const fresh = await openNode(createMemoryObjectStore(objects));
      for (const table of ["a", "b"]) {
        const found = await idsOf(fresh, objects, table);
        expect(found.filter((id) => acknowledged.includes(id)), `call ${at}, table ${table}`).toEqual(acknowledged);
        expect(new Set(found).size, `call ${at}, table ${table}`).toBe(found.length);
      }
      // The old one comes back to life.
      if (old !== undefined) {
        expect(await write(old, 8), `call ${at}`).toBe(false);
        await old.storage.snapshotNow();
        old.stop();
      }
      expect(await write(fresh, 9)).toBe(true);
      await fresh.storage.snapshotNow();
      const last = await openNode(createMemoryObjectStore(objects));
      const ids = await idsOf(last, objects, "a");
      expect(ids.filter((id) => acknowledged.includes(id) || id > 5), `call ${at}`).toEqual([...acknowledged, 9]);
      fresh.stop();
      last.stop();
    }
  });
});

describe("two nodes on one store", () => {
  it("the newer one takes over, the older one says so and refuses writes", async () => {
    const objects: Objects = new Map();
    const store = createMemoryObjectStore(objects);
    const older = await openNode(store);
    expect(await write(older, 1)).toBe(true);
    const newer = await openNode(store);
    await expect(older.storage.write(request(lines(2)))).rejects.toMatchObject({ code: "node.superseded", message: expect.stringContaining("another process") });
    await expect(older.catalog.createDatabase("other")).rejects.toMatchObject({ code: "node.superseded" });
    expect(await write(newer, 3)).toBe(true);
    expect(await idsOf(newer, objects, "a")).toEqual([1, 3]);
    expect(await idsOf(older, objects, "a")).toEqual([1]);
  });

  it("an older one that slept while its numbers were deleted acknowledges nothing", async () => {
    const objects: Objects = new Map();
    const store = createMemoryObjectStore(objects);
    const older = await openNode(store);
    expect(await write(older, 1)).toBe(true);
    const newer = await openNode(store);
    for (const id of [2, 3, 4]) expect(await write(newer, id)).toBe(true);
    await newer.storage.snapshotNow();
    for (let turn = 0; turn < 20; turn++) await settle();
    // All of the WAL is persisted and gone: the older one's next number is free again.
    expect([...objects.keys()].filter((path) => path.startsWith("n0/wal/"))).toEqual([]);
    nowMs += 60_000;
    expect(await write(older, 5)).toBe(false);
    const last = await openNode(store);
    expect(await idsOf(last, objects, "a")).toEqual([1, 2, 3, 4]);
  });

  it("a manifest of another process is neither replaced nor taken for ours", async () => {
    const objects: Objects = new Map();
    const node = await openNode(createMemoryObjectStore(objects));
    expect(await write(node, 1)).toBe(true);
    const path = "n0/snapshots/18446744073709551614.info.json";
    objects.set(path, new TextEncoder().encode("theirs"));
    await node.storage.snapshotNow();
    expect(new TextDecoder().decode(objects.get(path))).toBe("theirs");
    expect(node.storage.statistics()).toMatchObject({ rows: 2, persistedRows: 0 });
    expect(node.lines).toEqual([expect.stringContaining("another process has written ahead of this one")]);
  });
});
