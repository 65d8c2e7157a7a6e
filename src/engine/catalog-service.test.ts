import { describe, expect, it } from "vitest";
import { encodeCatalogObject } from "../core/catalog/codec.ts";
import { DatabaseError } from "../core/errors/database-error.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { CatalogService } from "./catalog-service.ts";

/** A store in memory, small enough to look into. */
function memoryStore(objects: Map<string, Uint8Array>): ObjectStore {
  return {
    get: async (path) => objects.get(path),
    async put(path, bytes, options) {
      if (options?.ifAbsent === true && objects.has(path)) throw new DatabaseError("object_store.exists", { message: "exists" });
      objects.set(path, bytes.slice());
    },
    list: async (prefix) => [...objects.keys()].filter((path) => path.startsWith(prefix)).sort(),
    delete: async (path) => void objects.delete(path),
  };
}

let counter = 0;
const open = (objects: Map<string, Uint8Array>, limits = {}): Promise<CatalogService> =>
  CatalogService.open({ store: memoryStore(objects), prefix: "n0/catalog", random16: () => new Uint8Array(16).fill(++counter), clock: new VirtualClock(), limits });

const trigger = { name: "t", pluginFileName: "p.py", specification: "all_tables", arguments: [["a", "b"]] as const, runAsync: false, errorBehavior: "log" as const, disabled: false };

describe("CatalogService", () => {
  it("has _internal from the start, counted in no limit and not to be changed", async () => {
    const catalog = await open(new Map(), { databasesMax: 1 });
    expect([...catalog.state.databases.keys()]).toEqual(["_internal"]);
    await catalog.createDatabase("a");
    await expect(catalog.createDatabase("b")).rejects.toThrow("Adding a new database would exceed limit of 1 databases");
    await expect(catalog.deleteDatabase("_internal")).rejects.toThrow("cannot modify internal db");
    await expect(catalog.createTable("_internal", { table: "x", tags: [], fields: [] })).rejects.toThrow("cannot modify internal db");
  });

  it("is the same after it is opened again, with the same identity", async () => {
    const objects = new Map<string, Uint8Array>();
    const first = await open(objects);
    await first.createDatabase("a", { retentionNs: 5n });
    await first.createTable("a", { table: "t", tags: ["x"], fields: [{ name: "f", type: "float64" }] });
    await first.createTrigger("a", trigger);
    await first.setTriggerDisabled("a", "t", true);
    await first.deleteTable("a", "t");
    await first.createDatabase("gone");
    await first.deleteDatabase("gone");
    const second = await open(objects);
    expect(second.state).toEqual(first.state);
    expect(second.uuid).toBe(first.uuid);
    expect(second.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("answers with the reference's texts", async () => {
    const catalog = await open(new Map(), { tablesMax: 1, columnsPerTableMax: 1 });
    await catalog.createDatabase("a");
    await expect(catalog.createDatabase("a")).rejects.toMatchObject({ code: "resource.exists", message: "attempted to create a resource that already exists" });
    await expect(catalog.deleteDatabase("x")).rejects.toMatchObject({ code: "resource.not_found", message: "the requested resource was not found: x" });
    await expect(catalog.createTable("a", { table: "t", tags: ["time"], fields: [] })).rejects.toThrow("'time' is a reserved column");
    await expect(catalog.createTable("a", { table: "t", tags: ["a", "b"], fields: [] })).rejects.toThrow("Update to schema would exceed number of columns per table limit of 1 columns");
    await catalog.createTable("a", { table: "t", tags: ["a"], fields: [] });
    await expect(catalog.createTable("a", { table: "u", tags: [], fields: [] })).rejects.toThrow(
      "Update to schema would exceed number of tables limit: attempted to create table but already have 1 table(s) (limit: 1)",
    );
    await expect(catalog.createTrigger("x", trigger)).rejects.toMatchObject({ code: "database.not_found", message: "Database not found x" });
    await catalog.createTrigger("a", trigger);
    await expect(catalog.createTrigger("a", trigger)).rejects.toMatchObject({ code: "resource.exists" });
    await expect(catalog.deleteTrigger("a", "t")).rejects.toMatchObject({ code: "trigger.running", message: "Cannot delete running plugin t. Disable it first or use --force." });
    await catalog.setTriggerDisabled("a", "t", true);
    await catalog.setTriggerDisabled("a", "t", true);
    await catalog.deleteTrigger("a", "t");
    await expect(catalog.setTriggerDisabled("a", "t", false)).rejects.toThrow("the requested resource was not found: t");
  });

  it("renames what it soft-deletes, and frees name and slot at once", async () => {
    const catalog = await open(new Map(), { databasesMax: 1 });
    for (let round = 0; round < 2; round++) {
      await catalog.createDatabase("a");
      await catalog.deleteDatabase("a");
    }
    expect([...catalog.state.deletedDatabases.keys()]).toEqual(["a-20260101T000000", "a-20260101T000000-1"]);
    await expect(catalog.deleteDatabase("a-20260101T000000")).rejects.toMatchObject({ code: "resource.deleted" });
  });

  it("commits concurrent changes one after another", async () => {
    const catalog = await open(new Map());
    const results = await Promise.allSettled(Array.from({ length: 6 }, (_, index) => catalog.createDatabase(`d${index % 3}`)));
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected", "rejected", "rejected"]);
  });

  it("writes a checkpoint after 100 records and needs no older record then", async () => {
    const objects = new Map<string, Uint8Array>();
    const catalog = await open(objects);
    await catalog.createDatabase("a");
    await catalog.createTrigger("a", trigger);
    for (let round = 0; round < 150; round++) await catalog.setTriggerDisabled("a", "t", round % 2 === 0);
    expect([...objects.keys()].filter((path) => path.includes("/checkpoint/")).length).toBe(1);
    expect(objects.size).toBeLessThan(100);
    expect((await open(objects)).state).toEqual(catalog.state);
  });

  it("tells listeners after the change is durable", async () => {
    const objects = new Map<string, Uint8Array>();
    const catalog = await open(objects);
    const seen: string[] = [];
    const stop = catalog.onChange((op) => seen.push(`${op.kind} ${objects.size} ${catalog.state.databases.has("a")}`));
    await catalog.createDatabase("a");
    stop();
    await catalog.createDatabase("b");
    expect(seen).toEqual(["create-database 2 true"]);
  });

  it.each([
    ["n0/catalog/v3/logs/00000000000000000001.catalog"], ["n0/catalog/v2/snapshot"], ["n0/catalogs/00000000000000000001.catalog"], ["n0/catalog/log/00000000000000000001.tmcat"],
  ])("refuses the foreign catalog %s untouched", async (path) => {
    const objects = new Map([[path, new TextEncoder().encode("IDB3 and more")]]);
    await expect(open(objects)).rejects.toMatchObject({ code: "catalog.foreign" });
    expect([...objects]).toEqual([[path, new TextEncoder().encode("IDB3 and more")]]);
  });

  it("refuses a damaged record and a gap, naming them", async () => {
    const objects = new Map<string, Uint8Array>();
    const catalog = await open(objects);
    await catalog.createDatabase("a");
    await catalog.createDatabase("b");
    const second = "n0/catalog/log/00000000000000000002.tmcat";
    const damaged = new Map(objects).set(second, (objects.get(second) as Uint8Array).map((byte, index) => (index === 70 ? byte ^ 1 : byte)));
    await expect(open(damaged)).rejects.toMatchObject({ code: "catalog.corrupt", message: expect.stringContaining(second) });
    const gap = new Map(objects);
    gap.delete(second);
    await expect(open(gap)).rejects.toThrow("record 2 is missing");
  });

  it("notices another process", async () => {
    const objects = new Map<string, Uint8Array>();
    const [mine, other] = [await open(objects), await open(objects)];
    await other.createDatabase("a");
    await expect(mine.createDatabase("b")).rejects.toMatchObject({ code: "catalog.conflict" });
  });

  it("refuses a record of another catalog", async () => {
    const objects = new Map<string, Uint8Array>();
    await open(objects);
    const strange = encodeCatalogObject({ uuid: "ff".repeat(16), writer: "00".repeat(16), sequence: 2, content: { kind: "record", ops: [] } });
    objects.set("n0/catalog/log/00000000000000000002.tmcat", strange);
    await expect(open(objects)).rejects.toThrow("belongs to another catalog");
  });
});
