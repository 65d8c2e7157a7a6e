/**
 * The global plugin cache: values of any trigger for all triggers, as opaque encoded bytes (design §8.9), bounded in
 * total and per trigger. Test runs get one of their own (spec: processing-engine §13).
 */
import type { Clock } from "../../ports/clock.ts";
import { HostCallError } from "../../ports/plugin-runtime.ts";
import { CACHE_ENTRY_BYTES, GLOBAL_CACHE_SHARE_MAX } from "./limits.ts";

interface Entry {
  readonly value: Uint8Array;
  readonly expiresAtMs: number | undefined;
  readonly owner: string;
  readonly size: number;
}

/** The trigger whose part of the cache an entry counts against, and how large that may be. */
export interface CacheOwner {
  readonly key: string;
  readonly bytesMax: number;
}

const EVERYBODY: CacheOwner = { key: "", bytesMax: Number.POSITIVE_INFINITY };

export class GlobalCache {
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #entries = new Map<string, Entry>();
  readonly #bytesByOwner = new Map<string, number>();
  #bytes = 0;

  constructor(clock: Clock, bytesMax: number) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
  }

  /**
   * Replaces value, time to live and owner (the trigger whose share it counts against). Throws `HostCallError` kind
   * `limit` when the cache or the owner's share is full; what was there before stays then.
   */
  put(key: string, value: Uint8Array, ttlSeconds: number | undefined, { key: owner, bytesMax }: CacheOwner = EVERYBODY): void {
    const size = CACHE_ENTRY_BYTES + 2 * key.length + value.length;
    const part = Math.min(bytesMax, this.#bytesMax * GLOBAL_CACHE_SHARE_MAX);
    if (!this.#fits(key, size, owner, part)) this.#dropExpired();
    if (!this.#fits(key, size, owner, part)) {
      throw new HostCallError("limit", `the global cache is full (${this.#bytes} of ${this.#bytesMax} bytes; ${this.#bytesByOwner.get(owner) ?? 0} of the ${part} that this trigger may have)`);
    }
    this.delete(key);
    const expiresAtMs = ttlSeconds === undefined ? undefined : this.#clock.monotonicMs() + ttlSeconds * 1000;
    this.#entries.set(key, { value, expiresAtMs, owner, size });
    this.#count(owner, size);
  }

  get(key: string): Uint8Array | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (!this.#expired(entry)) return entry.value;
    this.delete(key);
    return undefined;
  }

  /** True when the key was there; one that expired and was not yet swept counts (spec §13). */
  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#count(entry.owner, -entry.size);
    return true;
  }

  get bytes(): number {
    return this.#bytes;
  }

  #fits(key: string, size: number, owner: string, part: number): boolean {
    const replaced = this.#entries.get(key);
    const total = this.#bytes - (replaced?.size ?? 0) + size;
    const own = (this.#bytesByOwner.get(owner) ?? 0) - (replaced?.owner === owner ? replaced.size : 0) + size;
    return total <= this.#bytesMax && own <= part;
  }

  #count(owner: string, bytes: number): void {
    this.#bytes += bytes;
    const own = (this.#bytesByOwner.get(owner) ?? 0) + bytes;
    if (own === 0) this.#bytesByOwner.delete(owner);
    else this.#bytesByOwner.set(owner, own);
  }

  #expired(entry: Entry): boolean {
    return entry.expiresAtMs !== undefined && entry.expiresAtMs <= this.#clock.monotonicMs();
  }

  #dropExpired(): void {
    for (const [key, entry] of this.#entries) if (this.#expired(entry)) this.delete(key);
  }
}
