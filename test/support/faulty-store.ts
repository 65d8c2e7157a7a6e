/** An object store whose calls fail at a chosen place, before or after their effect, once or from then on. */
import { createMemoryObjectStore } from "../../src/adapters/object-store/memory.ts";
import { DatabaseError } from "../../src/core/errors/database-error.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";

/** Counts the calls and fails them from `failAt` on, or only that one. */
export class Faults {
  readonly #failAt: number;
  readonly #afterEffect: boolean;
  readonly #forGood: boolean;
  calls = 0;

  constructor(failAt: number, afterEffect: boolean, forGood: boolean) {
    this.#failAt = failAt;
    this.#afterEffect = afterEffect;
    this.#forGood = forGood;
  }

  async run<T>(effect: () => Promise<T>): Promise<T> {
    const call = ++this.calls;
    const fails = call === this.#failAt || (this.#forGood && call > this.#failAt);
    if (!fails) return effect();
    if (this.#afterEffect && call === this.#failAt) await effect();
    throw new DatabaseError("object_store.unavailable", { message: "Input/output error" });
  }
}

export function faultyStore(objects: Map<string, Uint8Array>, faults: Faults): ObjectStore {
  const inner = createMemoryObjectStore(objects);
  return {
    get: (path) => faults.run(() => inner.get(path)),
    put: (path, bytes, options) => faults.run(() => inner.put(path, bytes, options)),
    list: (prefix) => faults.run(() => inner.list(prefix)),
    delete: (path) => faults.run(() => inner.delete(path)),
  };
}
