/**
 * The global plugin cache: values of any trigger for all triggers, as opaque encoded bytes (design §8.9), bounded in
 * total. Test runs get one of their own (spec: processing-engine §13).
 */
import type { Clock } from "../../ports/clock.ts";
import { HostCallError } from "../../ports/plugin-runtime.ts";

interface Entry {
  readonly value: Uint8Array;
  readonly expiresAtMs: number | undefined;
}

export class GlobalCache {
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(clock: Clock, bytesMax: number) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
  }

  /** Replaces value and time to live. Throws `HostCallError` kind `limit` when the cache is full. */
  put(key: string, value: Uint8Array, ttlSeconds: number | undefined): void {
    this.delete(key);
    const size = key.length + value.length;
    if (this.#bytes + size > this.#bytesMax) this.#dropExpired();
    if (this.#bytes + size > this.#bytesMax) {
      throw new HostCallError("limit", `the global cache is full (${this.#bytes} of ${this.#bytesMax} bytes)`);
    }
    const expiresAtMs = ttlSeconds === undefined ? undefined : this.#clock.monotonicMs() + ttlSeconds * 1000;
    this.#entries.set(key, { value, expiresAtMs });
    this.#bytes += size;
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
    this.#bytes -= key.length + entry.value.length;
    return true;
  }

  get bytes(): number {
    return this.#bytes;
  }

  #expired(entry: Entry): boolean {
    return entry.expiresAtMs !== undefined && entry.expiresAtMs <= this.#clock.monotonicMs();
  }

  #dropExpired(): void {
    for (const [key, entry] of this.#entries) if (this.#expired(entry)) this.delete(key);
  }
}
