/** A store that answers as slowly as a far one, for trying out what that does (spec: storage §7). */
import type { Clock } from "../../ports/clock.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import { THROTTLED_BYTES_PER_MS, THROTTLED_CALL_MS } from "./limits.ts";

export function createThrottledObjectStore(inner: ObjectStore, clock: Clock): ObjectStore {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
  return {
    async get(path) {
      await pause(THROTTLED_CALL_MS);
      const bytes = await inner.get(path);
      if (bytes !== undefined) await pause(bytes.length / THROTTLED_BYTES_PER_MS);
      return bytes;
    },
    async put(path, bytes, options) {
      await pause(THROTTLED_CALL_MS);
      await inner.put(path, bytes, options);
    },
    async list(prefix) {
      await pause(THROTTLED_CALL_MS);
      return inner.list(prefix);
    },
    async delete(path) {
      await pause(THROTTLED_CALL_MS);
      await inner.delete(path);
    },
  };
}
