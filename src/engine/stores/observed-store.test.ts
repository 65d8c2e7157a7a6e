// Goal: a store that is down is said to be down once, is spared until it is asked again, and costs nobody a timeout.
import { describe, expect, it } from "vitest";
import { createMemoryObjectStore } from "../../adapters/object-store/memory.ts";
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import { OBJECT_STORE_CONTRACT } from "../../testing/object-store-contract.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { PROBE_MS, TROUBLE_MS_MAX } from "./limits.ts";
import { ObservedStore } from "./observed-store.ts";

interface World {
  readonly store: ObservedStore;
  readonly clock: VirtualClock;
  readonly said: string[];
  /** Calls that reached the store. */
  calls: number;
  /** Thrown by the store. */
  error: DatabaseError | undefined;
}

function world(remote = true): World {
  const clock = new VirtualClock();
  const said: string[] = [];
  const inner = createMemoryObjectStore();
  const run = async <T>(call: () => Promise<T>): Promise<T> => {
    made.calls++;
    if (made.error !== undefined) throw made.error;
    return call();
  };
  const store: ObjectStore = { get: (path) => run(() => inner.get(path)), put: (path, bytes, options) => run(() => inner.put(path, bytes, options)), list: (prefix) => run(() => inner.list(prefix)), delete: (path) => run(() => inner.delete(path)) };
  const log = { log: (level: string, message: string): void => void said.push(`${level}: ${message}`) };
  const made: World = { store: new ObservedStore({ store, clock, log, remote }), clock, said, calls: 0, error: undefined };
  return made;
}

const down = (): DatabaseError => new DatabaseError("object_store.unavailable", { message: "no route to host" });
const slow = (): DatabaseError => new DatabaseError("object_store.unavailable", { message: "SlowDown", details: { status: 503 } });
const denied = (): DatabaseError => new DatabaseError("object_store.unavailable", { message: "AccessDenied", details: { status: 403 } });
const code = (call: Promise<unknown>): Promise<string | undefined> => call.then(() => undefined, (error: DatabaseError) => error.code);

describe("a watched store", () => {
  it.each(OBJECT_STORE_CONTRACT)("$name", ({ check }) => check(world().store));

  it("says once that it is down and once that it is up again", async () => {
    const at = world();
    at.error = down();
    for (let time = 0; time < 20; time++) {
      expect(await code(at.store.get("x"))).toBe("object_store.unavailable");
      await at.clock.advance(PROBE_MS);
    }
    expect(at.store.trouble()).toBe("object store unavailable for 20 s: no route to host");
    expect(at.store.statistics().isUp).toBe(false);
    at.error = undefined;
    await at.store.get("x");
    expect(at.said).toEqual([
      "warn: The object store does not work: no route to host; this is said once, /health and /metrics show how it goes on",
      "info: The object store works again after 20 s",
    ]);
    expect([at.store.trouble(), at.store.statistics().isUp]).toEqual([undefined, true]);
  });

  it("that is far is tried once a second by one call while it is down; the others fail at once", async () => {
    const at = world();
    at.error = down();
    await code(at.store.put("x", new Uint8Array()));
    for (let time = 0; time < 50; time++) expect(await code(at.store.put("y", new Uint8Array()))).toBe("object_store.unavailable");
    expect(at.calls).toBe(1);
    await at.clock.advance(PROBE_MS);
    expect(await Promise.all(["a", "b", "c"].map((path) => code(at.store.put(path, new Uint8Array()))))).toEqual(Array.from({ length: 3 }, () => "object_store.unavailable"));
    expect(at.calls).toBe(2);
  });

  it("that can be read but not written is in trouble until a write works, and that is said once", async () => {
    const at = world();
    for (let time = 0; time < 20; time++) {
      at.error = slow();
      await code(at.store.put("x", new Uint8Array()));
      at.error = undefined;
      await at.store.get("x");
      await at.clock.advance(5_000);
    }
    expect([at.said.length, at.store.statistics().isUp]).toEqual([1, false]);
    await at.store.put("x", new Uint8Array());
    expect([at.said.length, at.store.statistics().isUp]).toEqual([2, true]);
  });

  it("that was out of reach is well again with the first call that works, of whatever kind", async () => {
    const at = world();
    at.error = down();
    await Promise.all([code(at.store.list("x")), code(at.store.get("x")), code(at.store.delete("x"))]);
    at.error = undefined;
    await at.store.put("x", new Uint8Array());
    expect([at.store.trouble(), at.said.length]).toEqual([undefined, 2]);
  });

  it("is not blamed for ever for a call that nobody repeats", async () => {
    const at = world();
    at.error = slow();
    await code(at.store.list("x"));
    at.error = undefined;
    await at.clock.advance(TROUBLE_MS_MAX);
    await at.store.get("x");
    expect(at.store.trouble()).toBeDefined();
    await at.clock.advance(1);
    await at.store.get("x");
    expect(at.store.trouble()).toBeUndefined();
  });

  it("that is near is always asked", async () => {
    const at = world(false);
    at.error = down();
    for (let time = 0; time < 5; time++) await code(at.store.get("x"));
    expect(at.calls).toBe(5);
  });

  it("that refuses one kind of call is degraded, and the other calls go on", async () => {
    const at = world();
    at.error = denied();
    for (let time = 0; time < 3; time++) await code(at.store.delete("x"));
    at.error = undefined;
    await at.store.put("x", new Uint8Array(1));
    expect(at.store.trouble()).toContain("AccessDenied");
    expect(at.said.length).toBe(1);
    await at.store.delete("x");
    expect([at.store.trouble(), at.said.length]).toEqual([undefined, 2]);
  });

  it("counts anything but an answer as a failure: keys that cannot be read, faults of ours", async () => {
    const at = world();
    at.error = new DatabaseError("server.misconfigured", { message: "the credentials file cannot be used" });
    await code(at.store.get("x"));
    expect(at.store.trouble()).toContain("the credentials file cannot be used");
  });

  it("counts calls, bytes and durations", async () => {
    const at = world();
    await at.store.put("x", new Uint8Array(10));
    await code(at.store.put("x", new Uint8Array(10), { ifAbsent: true }));
    await at.store.get("x");
    at.error = down();
    await code(at.store.get("x"));
    const { ops, bytesRead, bytesWritten } = at.store.statistics();
    expect([bytesRead, bytesWritten]).toEqual([10, 10]);
    expect(ops.map(({ op, result, count, classes }) => [op, result, count, classes[0]])).toEqual([["put", "success", 2, 2], ["get", "success", 1, 1], ["get", "error", 1, 1]]);
  });
});
