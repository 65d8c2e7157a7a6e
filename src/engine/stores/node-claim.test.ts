// Goal: of two processes on one node the older finds out before anything of it counts. Method: a claim on a store in
// memory, taken over at every point of a guarded put.
import { describe, expect, it } from "vitest";
import { createMemoryObjectStore } from "../../adapters/object-store/memory.ts";
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import { flushPromises, VirtualClock } from "../../testing/virtual-clock.ts";
import { CLAIM_CHECK_MS } from "./limits.ts";
import { NodeClaim } from "./node-claim.ts";

const take = (store: ObjectStore, processName: string, clock = new VirtualClock(), said: string[] = []): Promise<NodeClaim> =>
  NodeClaim.take({ store, nodeId: "n0", processName, hostName: `host-${processName}`, clock, log: { log: (level, message) => void said.push(`${level}: ${message}`) } });

const SENTENCE = "another process (on 'host-b') has written ahead of this one: it took over node 'n0', so this one refuses writes";
const bytes = new Uint8Array([1]);

describe("a claim on a node", () => {
  it("lets its process write, and nobody else's", async () => {
    const objects = new Map<string, Uint8Array>();
    const store = createMemoryObjectStore(objects);
    const first = await take(store, "a");
    const guarded = first.guard(store);
    await guarded.put("n0/catalog/log/1", bytes, { ifAbsent: true });
    const second = await take(store, "b");
    await expect(guarded.put("n0/catalog/log/2", bytes, { ifAbsent: true })).rejects.toMatchObject({ code: "node.superseded", message: SENTENCE });
    expect(objects.has("n0/catalog/log/2")).toBe(false);
    await second.guard(store).put("n0/catalog/log/2", bytes, { ifAbsent: true });
    await expect(guarded.delete("n0/catalog/log/2")).rejects.toMatchObject({ code: "node.superseded" });
    expect(objects.has("n0/catalog/log/2")).toBe(true);
  });

  it("does not let a put count that was under way when the node was taken over", async () => {
    const store = createMemoryObjectStore();
    const slow: ObjectStore = {
      ...store,
      async put(path, content, options) {
        await store.put(path, content, options);
        await take(store, "b");
      },
    };
    const claim = await take(store, "a");
    await expect(claim.guard(slow).put("n0/snapshots/1", bytes, { ifAbsent: true })).rejects.toMatchObject({ code: "node.superseded" });
  });

  it("does not let an older process delete what it found in the store, before it knows of the newer one", async () => {
    const objects = new Map<string, Uint8Array>();
    const store = createMemoryObjectStore(objects);
    const older = (await take(store, "a")).guard(store);
    await older.put("n0/dbs/old.parquet", bytes);
    await (await take(store, "b")).guard(store).put("n0/dbs/new.parquet", bytes);
    for (const path of await older.list("n0/dbs/")) await expect(older.delete(path)).rejects.toMatchObject({ code: "node.superseded" });
    expect([...objects.keys()].filter((path) => path.endsWith(".parquet"))).toEqual(["n0/dbs/old.parquet", "n0/dbs/new.parquet"]);
  });

  it("looks by itself, says it once, and tells who listens", async () => {
    const store = createMemoryObjectStore();
    const [clock, said, told]: [VirtualClock, string[], string[]] = [new VirtualClock(), [], []];
    const claim = await take(store, "a", clock, said);
    claim.onSuperseded((error) => void told.push(error.code));
    await clock.advance(3 * CLAIM_CHECK_MS, flushPromises);
    expect(told).toEqual([]);
    await take(store, "b");
    await clock.advance(CLAIM_CHECK_MS, flushPromises);
    await expect(claim.verify()).rejects.toThrow(SENTENCE);
    expect([told, said, clock.timerCount]).toEqual([["node.superseded"], [`error: ${SENTENCE}`], 0]);
    claim.onSuperseded((error) => void told.push(error.code));
    expect(told.length).toBe(2);
  });

  it("that cannot be looked at stops the put, not the node", async () => {
    const store = createMemoryObjectStore();
    let isDown = false;
    const claim = await take({ ...store, get: (path) => (isDown ? Promise.reject(new DatabaseError("object_store.unavailable", { message: "down" })) : store.get(path)) }, "a");
    isDown = true;
    await expect(claim.guard(store).put("n0/snapshots/1", bytes)).rejects.toMatchObject({ code: "object_store.unavailable" });
    isDown = false;
    await claim.guard(store).put("n0/snapshots/1", bytes);
    expect(claim.superseded).toBeUndefined();
  });

  it.each(["", "{", "null", "[]", '{"process":1}'])("that reads %j belongs to somebody else", async (content) => {
    const store = createMemoryObjectStore();
    const claim = await take(store, "a");
    await store.put("n0/owner.json", new TextEncoder().encode(content));
    await expect(claim.verify()).rejects.toMatchObject({ code: "node.superseded" });
    claim.close();
  });
});
