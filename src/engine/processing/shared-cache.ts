/**
 * The private cache of a trigger whose runs overlap (design §8.10): what its instances put there as plain data, by key,
 * last writer wins. Each instance is told before a run what the others changed since its last one. What is no plain data
 * stays with the instance that put it.
 */
import { type CacheChange, decodeCacheChanges, encodeCacheChanges } from "../../core/trigger/cache-changes.ts";
import type { Clock } from "../../ports/clock.ts";
import { CACHE_ENTRY_BYTES, SHARED_CACHE_KEYS_TOLD_MAX } from "./limits.ts";

interface Entry {
  readonly key: Uint8Array;
  readonly kind: CacheChange["kind"];
  readonly value: Uint8Array;
  readonly expiresAtMs: number | undefined;
  readonly version: number;
  /** Who put it knows it. */
  readonly member: CacheMember;
}

/** One instance's part in it. */
export interface CacheMember {
  /** Version up to which it was told everything. */
  seen: number;
}

export interface SharedCacheOptions {
  readonly clock: Clock;
  readonly bytesMax: number;
  /** Once per key: why other instances do not have it. */
  readonly onNotShared: (key: string, reason: string) => void;
}

const decoder = new TextDecoder();

export class SharedCache {
  readonly #options: SharedCacheOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #members = new Set<CacheMember>();
  readonly #told = new Set<string>();
  #version = 0;
  #bytes = 0;

  constructor(options: SharedCacheOptions) {
    this.#options = options;
  }

  join(): CacheMember {
    const member: CacheMember = { seen: 0 };
    this.#members.add(member);
    return member;
  }

  leave(member: CacheMember): void {
    this.#members.delete(member);
    this.#forgetDeleted();
  }

  /** What the member is to be told before its next run; empty: nothing. It counts as told. */
  updatesFor(member: CacheMember): Uint8Array {
    const nowMs = this.#options.clock.monotonicMs();
    const news = [...this.#entries.values()].filter((entry) => entry.version > member.seen && entry.member !== member);
    member.seen = this.#version;
    const changes = news.map(({ key, kind, value, expiresAtMs }): CacheChange => {
      const secondsLeft = expiresAtMs === undefined ? undefined : (expiresAtMs - nowMs) / 1000;
      return secondsLeft !== undefined && secondsLeft <= 0 ? { key, kind: "deleted", secondsLeft: undefined, value: NOTHING } : { key, kind, secondsLeft, value };
    });
    this.#forgetDeleted();
    return encodeCacheChanges(changes);
  }

  /** The member's instance was reset: it knows nothing any more. */
  reset(member: CacheMember): void {
    member.seen = 0;
    for (const [name, entry] of this.#entries) if (entry.member === member) this.#set(name, { ...entry, kind: entry.kind === "not-data" ? "deleted" : entry.kind, member: NOBODY });
  }

  /** What a run of the member changed. Throws `plugin.message_invalid` for damaged bytes. */
  merge(member: CacheMember, bytes: Uint8Array): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const { key, kind, secondsLeft, value } of decodeCacheChanges(bytes)) {
      const name = decoder.decode(key);
      this.#version += 1;
      const expiresAtMs = secondsLeft === undefined ? undefined : nowMs + secondsLeft * 1000;
      this.#set(name, { key, kind, value, expiresAtMs, version: this.#version, member });
      if (kind === "not-data") this.#tell(name, "its value is no plain data");
      else if (this.#bytes > this.#options.bytesMax) {
        this.#set(name, { key, kind: "not-data", value: NOTHING, expiresAtMs, version: this.#version, member });
        this.#tell(name, `together they would take more than ${this.#options.bytesMax} bytes`);
      }
    }
    this.#forgetDeleted();
  }

  get bytes(): number {
    return this.#bytes;
  }

  #set(name: string, entry: Entry | undefined): void {
    const before = this.#entries.get(name);
    if (before !== undefined) this.#bytes -= sizeOf(before);
    if (entry === undefined) {
      this.#entries.delete(name);
      return;
    }
    this.#bytes += sizeOf(entry);
    this.#entries.set(name, entry);
  }

  /** A deletion is kept until everybody was told. */
  #forgetDeleted(): void {
    for (const [name, entry] of this.#entries) {
      if (entry.kind !== "deleted") continue;
      const isKnown = [...this.#members].every((member) => member === entry.member || member.seen >= entry.version);
      if (isKnown) this.#set(name, undefined);
    }
  }

  #tell(name: string, reason: string): void {
    if (this.#told.has(name) || this.#told.size >= SHARED_CACHE_KEYS_TOLD_MAX) return;
    this.#told.add(name);
    this.#options.onNotShared(name, reason);
  }
}

const NOTHING = new Uint8Array(0);
const NOBODY: CacheMember = { seen: 0 };

const sizeOf = ({ key, value }: Entry): number => CACHE_ENTRY_BYTES + key.length + value.length;
