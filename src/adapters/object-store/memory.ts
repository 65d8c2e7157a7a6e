/** Objects that end with the process. */
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { ObjectStore } from "../../ports/object-store.ts";

export function createMemoryObjectStore(objects: Map<string, Uint8Array> = new Map()): ObjectStore {
  return {
    get: async (path) => objects.get(path)?.slice(),
    async put(path, bytes, options) {
      if (options?.ifAbsent === true && objects.has(path)) throw new DatabaseError("object_store.exists", { message: `Object '${path}' exists already` });
      objects.set(path, bytes.slice());
    },
    list: async (prefix) => [...objects.keys()].filter((path) => path.startsWith(prefix)).sort(),
    async delete(path) {
      objects.delete(path);
    },
  };
}
