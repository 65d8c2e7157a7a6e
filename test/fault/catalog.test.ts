// Goal: whatever call to the object store fails, before or after its effect, the catalog is afterwards the old one or the
// new one, never anything else; a change that was answered is there; and the server itself agrees with a fresh start.
// Method: fail call N for N = 1, 2, … until a run sees no fault.
import { describe, expect, it } from "vitest";
import { createMemoryObjectStore } from "../../src/adapters/object-store/memory.ts";
import { DatabaseError, isDatabaseError } from "../../src/core/errors/database-error.ts";
import { CatalogService } from "../../src/engine/catalog-service.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

interface Fault {
  readonly call: number;
  readonly after: boolean;
}

/** Fails one call; `seen` counts them. */
function faulty(store: ObjectStore, fault: Fault, seen: { calls: number }): ObjectStore {
  const guard = async <T>(action: () => Promise<T>): Promise<T> => {
    const hit = ++seen.calls === fault.call;
    const broken = (): DatabaseError => new DatabaseError("object_store.unavailable", { message: "the store is down" });
    if (hit && !fault.after) throw broken();
    const result = await action();
    if (hit) throw broken();
    return result;
  };
  return {
    get: (path) => guard(() => store.get(path)),
    put: (path, bytes, options) => guard(() => store.put(path, bytes, options)),
    list: (prefix) => guard(() => store.list(prefix)),
    delete: (path) => guard(() => store.delete(path)),
  };
}

let counter = 0;
const open = (store: ObjectStore): Promise<CatalogService> =>
  CatalogService.open({ store, prefix: "n0/catalog", random16: () => Uint8Array.from({ length: 16 }, () => ++counter & 255), clock: new VirtualClock(), limits: { databasesMax: 1_000 } });

/** 130 changes: enough for a checkpoint and what follows it. */
const CHANGES = 130;

async function run(fault: Fault): Promise<number> {
  const objects = new Map<string, Uint8Array>();
  const store = createMemoryObjectStore(objects);
  const seen = { calls: 0 };
  const broken = faulty(store, fault, seen);
  const acknowledged = new Set<string>();
  let catalog: CatalogService | undefined;
  for (let index = 0; index < CHANGES; index++) {
    try {
      catalog ??= await open(broken);
      await catalog.createDatabase(`d${index}`);
      acknowledged.add(`d${index}`);
    } catch (error) {
      if (!isDatabaseError(error)) throw error;
    }
    // A crash now: what a fresh start sees holds all that was acknowledged, and only what was asked for.
    if (seen.calls === fault.call || (index % 20 === 0 && seen.calls > 0)) {
      const fresh = await open(createMemoryObjectStore(new Map(objects)));
      const names = [...fresh.state.databases.keys()].filter((name) => name !== "_internal");
      for (const name of acknowledged) expect(names).toContain(name);
      expect(names.length - acknowledged.size).toBeLessThanOrEqual(1);
    }
  }
  const live = catalog as CatalogService;
  // The fault itself may hit this one; the next must go through.
  await live.createDatabase("last").catch(() => live.createDatabase("last")).catch((error: unknown) => expect(error).toMatchObject({ code: "resource.exists" }));
  expect((await open(store)).state).toEqual(live.state);
  return seen.calls;
}

describe("a failing object store", () => {
  it.each([["before", false], ["after", true]] as const)("%s the effect leaves the old catalog or the new one", { timeout: 120_000 }, async (_name, after) => {
    const calls = await run({ call: 0, after });
    // Every call around the start, the checkpoint and its cleaning; the changes between are all alike.
    const interesting = Array.from({ length: calls }, (_, index) => index + 1).filter((call) => call <= 8 || call > calls - 36 || call % 12 === 0 || (call > 95 && call < 120));
    for (const call of interesting) await run({ call, after });
  });
});
