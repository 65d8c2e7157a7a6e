/** What every object store must do; an adapter's test runs these cases (spec of the port: `src/ports/object-store.ts`). */
import { isDatabaseError } from "../core/errors/database-error.ts";
import type { ObjectStore } from "../ports/object-store.ts";

export interface ContractCase<T> {
  readonly name: string;
  /** Throws when the subject breaks the contract. */
  readonly check: (subject: T) => Promise<void>;
}

export class ContractError extends Error {
  override readonly name = "ContractError";
}

export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new ContractError(`${what}: expected ${right}, got ${left}`);
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const listed = (value: Uint8Array | undefined): number[] | undefined => (value === undefined ? undefined : [...value]);

async function codeOf(action: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    if (isDatabaseError(error)) return error.code;
    throw error;
  }
}

export const OBJECT_STORE_CONTRACT: readonly ContractCase<ObjectStore>[] = [
  {
    name: "gives back what was put, and undefined for what was not",
    async check(store) {
      await store.put("a/b/c", bytes(1, 2, 3));
      expectEqual(listed(await store.get("a/b/c")), [1, 2, 3], "get");
      expectEqual(await store.get("a/b/d"), undefined, "absent");
      const got = (await store.get("a/b/c")) as Uint8Array;
      const copy = got.slice();
      got[0] = 99;
      expectEqual(copy[0], 1, "slice() is a copy");
      expectEqual(await store.get("a/b/c/d"), undefined, "below an object");
    },
  },
  {
    name: "replaces an object, unless it was told not to",
    async check(store) {
      await store.put("x", bytes(1));
      await store.put("x", bytes(2, 2));
      expectEqual(await codeOf(() => store.put("x", bytes(3), { ifAbsent: true })), "object_store.exists", "second put");
      expectEqual(listed(await store.get("x")), [2, 2], "kept");
      await store.put("y", bytes(4), { ifAbsent: true });
      expectEqual(listed(await store.get("y")), [4], "created");
    },
  },
  {
    name: "lets exactly one of many concurrent conditional puts win",
    async check(store) {
      const codes = await Promise.all(Array.from({ length: 8 }, (_, index) => codeOf(() => store.put("race", bytes(index), { ifAbsent: true }))));
      expectEqual(codes.filter((code) => code === undefined).length, 1, "winners");
    },
  },
  {
    name: "lists by prefix, sorted, and nothing half-written",
    async check(store) {
      for (const path of ["n/wal/2", "n/wal/10", "n/cat/1", "m/1"]) await store.put(path, bytes(0));
      expectEqual(await store.list("n/"), ["n/cat/1", "n/wal/10", "n/wal/2"], "folder");
      expectEqual(await store.list("n/wal/1"), ["n/wal/10"], "part of a name");
      expectEqual(await store.list("none/"), [], "none");
    },
  },
  {
    name: "deletes, also what is not there",
    async check(store) {
      await store.put("gone", bytes(1));
      await store.delete("gone");
      await store.delete("gone");
      expectEqual(await store.get("gone"), undefined, "deleted");
    },
  },
  {
    name: "keeps its own copy of the bytes",
    async check(store) {
      const mine = bytes(1, 2);
      await store.put("copy", mine);
      mine[0] = 9;
      expectEqual(listed(await store.get("copy")), [1, 2], "after the caller changed its bytes");
    },
  },
];
