/**
 * What stays between test runs of one cache name (spec: processing-engine §13, §16): an instance, whose memory holds the
 * private cache, and a global cache of its own. Runs of one name follow one another. Few are kept, not for long, and
 * none that has grown large.
 */
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { InstanceLimits, PluginInstance, PluginRuntime } from "../../ports/plugin-runtime.ts";
import { GlobalCache } from "./global-cache.ts";
import { GLOBAL_CACHE_BYTES_MAX, TEST_CACHES_MAX, TEST_CACHE_MS_MAX, TEST_CACHE_TTL_SECONDS, TEST_INSTANCE_BYTES_MAX, TEST_QUEUE_MAX } from "./limits.ts";

export interface TestPlace {
  readonly instance: PluginInstance;
  readonly global: Pick<GlobalCache, "put" | "get" | "delete">;
}

interface Entry {
  readonly key: string;
  readonly instance: PluginInstance;
  readonly global: GlobalCache;
  last: Promise<unknown>;
  waiting: number;
  cancelExpiry: () => void;
}

export class TestCaches {
  readonly #runtime: PluginRuntime;
  readonly #clock: Clock;
  /** The one used last stands last. */
  readonly #entries = new Map<string, Entry>();

  constructor(runtime: PluginRuntime, clock: Clock) {
    this.#runtime = runtime;
    this.#clock = clock;
  }

  /**
   * Calls `run` when the earlier runs of this name are over. `tell` hears when the memory was too large to be kept.
   * Throws `trigger.queue_full` when too many wait.
   */
  async use<T>(name: string, limits: InstanceLimits, run: (place: TestPlace) => Promise<T>, tell: (text: string, result: T) => T): Promise<T> {
    const entry = this.#entry(name, limits);
    if (entry.waiting >= TEST_QUEUE_MAX) {
      throw new DatabaseError("trigger.queue_full", { message: `${TEST_QUEUE_MAX} test runs wait for the cache '${name}'`, hint: "try again later, or give your test a --cache-name of its own" });
    }
    entry.waiting += 1;
    const turn = entry.last
      .then(() => run({ instance: entry.instance, global: withDefaultTtl(entry.global) }))
      .then((result) => this.#settle(entry, result, tell))
      .finally(() => (entry.waiting -= 1));
    entry.last = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => this.#drop(entry)));
  }

  /** Other limits or grants need another instance. */
  #entry(name: string, limits: InstanceLimits): Entry {
    const key = JSON.stringify([name, limits]);
    const known = this.#entries.get(key);
    this.#entries.delete(key);
    known?.cancelExpiry();
    const entry: Entry = known ?? {
      key,
      instance: this.#runtime.createInstance(`test with cache ${name}`, limits),
      global: new GlobalCache(this.#clock, GLOBAL_CACHE_BYTES_MAX / TEST_CACHES_MAX),
      last: Promise.resolve(),
      waiting: 0,
      cancelExpiry: () => undefined,
    };
    this.#entries.set(key, entry);
    entry.cancelExpiry = this.#clock.after(TEST_CACHE_MS_MAX, () => void this.#drop(entry));
    for (const old of this.#entries.values()) {
      if (this.#entries.size <= TEST_CACHES_MAX) break;
      if (old !== entry) void this.#drop(old);
    }
    return entry;
  }

  #settle<T>(entry: Entry, result: T, tell: (text: string, result: T) => T): T {
    const size = entry.instance.memoryBytes();
    if (size <= TEST_INSTANCE_BYTES_MAX) return result;
    void this.#drop(entry);
    return tell(`the test cache is emptied: the plugin's memory grew to ${size} bytes, more than the ${TEST_INSTANCE_BYTES_MAX} that are kept between tests`, result);
  }

  /** After the runs that wait for it. */
  async #drop(entry: Entry): Promise<void> {
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    entry.cancelExpiry();
    await entry.last;
    await entry.instance.close();
  }
}

/** In tests what has no time to live of its own has one (spec §13). */
function withDefaultTtl(cache: GlobalCache): TestPlace["global"] {
  return {
    put: (key, value, ttlSeconds) => cache.put(key, value, ttlSeconds ?? TEST_CACHE_TTL_SECONDS),
    get: (key) => cache.get(key),
    delete: (key) => cache.delete(key),
  };
}
