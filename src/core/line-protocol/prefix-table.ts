/**
 * Raw `measurement,tags` prefixes and the series they mean: an open-addressing table over an arena of bytes, plus, for
 * each prefix, the one that followed it last time. Clients send the same series in the same order again and again, so
 * one comparison usually finds the next series.
 */
import type { ParsedTable } from "./parsed-table.ts";
import type { Series } from "./series.ts";

const SLOTS_FIRST = 256;
const ENTRIES_FIRST = 64;
const ARENA_FIRST = 4_096;

export class PrefixTable {
  count = 0;
  arenaSize = 0;
  arena = new Uint8Array(ARENA_FIRST);
  arenaView = new DataView(this.arena.buffer);
  offsets = new Uint32Array(ENTRIES_FIRST);
  sizes = new Uint32Array(ENTRIES_FIRST);
  /** The prefix that followed this one last, or -1. */
  next = new Int32Array(ENTRIES_FIRST).fill(-1);
  readonly tables: ParsedTable[] = [];
  readonly series: Series[] = [];
  private hashes = new Int32Array(ENTRIES_FIRST);
  private slots = new Int32Array(SLOTS_FIRST).fill(-1);
  private mask = SLOTS_FIRST - 1;

  /** True when `bytes` hold prefix `index` at `start` and a space after it. */
  matches(index: number, bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const size = this.sizes[index] as number;
    if (start + size >= end || bytes[start + size] !== 32) return false;
    const arenaView = this.arenaView;
    let at = start;
    let from = this.offsets[index] as number;
    const words = start + (size & ~3);
    while (at < words) {
      if (view.getInt32(at, true) !== arenaView.getInt32(from, true)) return false;
      at += 4;
      from += 4;
    }
    const stop = start + size;
    while (at < stop) if (bytes[at++] !== this.arena[from++]) return false;
    return true;
  }

  /** Index of the prefix from `start` to `end`, or -1. */
  find(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const hash = hashOf(bytes, view, start, end);
    const size = end - start;
    for (let slot = hash & this.mask; ; slot = (slot + 1) & this.mask) {
      const index = this.slots[slot] as number;
      if (index < 0) return -1;
      if (this.hashes[index] === hash && this.sizes[index] === size && this.equals(index, bytes, start)) return index;
    }
  }

  private equals(index: number, bytes: Uint8Array, start: number): boolean {
    const offset = this.offsets[index] as number;
    const size = this.sizes[index] as number;
    for (let at = 0; at < size; at++) if (bytes[start + at] !== this.arena[offset + at]) return false;
    return true;
  }

  /** Adds a prefix that is not there yet. */
  add(bytes: Uint8Array, view: DataView, start: number, end: number, table: ParsedTable, series: Series): number {
    const size = end - start;
    this.makeRoom(size);
    const index = this.count++;
    this.arena.set(bytes.subarray(start, end), this.arenaSize);
    this.offsets[index] = this.arenaSize;
    this.sizes[index] = size;
    this.arenaSize += size;
    this.hashes[index] = hashOf(bytes, view, start, end);
    this.tables.push(table);
    this.series.push(series);
    this.place(index);
    return index;
  }

  private place(index: number): void {
    let slot = (this.hashes[index] as number) & this.mask;
    while ((this.slots[slot] as number) >= 0) slot = (slot + 1) & this.mask;
    this.slots[slot] = index;
  }

  private makeRoom(size: number): void {
    if (this.arenaSize + size > this.arena.length) {
      const larger = new Uint8Array(Math.max(this.arena.length * 2, this.arenaSize + size));
      larger.set(this.arena);
      this.arena = larger;
      this.arenaView = new DataView(larger.buffer);
    }
    if (this.count === this.offsets.length) {
      const enlarge = <T extends Int32Array | Uint32Array>(target: T, source: T): T => (target.set(source), target);
      const capacity = this.count * 2;
      this.offsets = enlarge(new Uint32Array(capacity), this.offsets);
      this.sizes = enlarge(new Uint32Array(capacity), this.sizes);
      this.hashes = enlarge(new Int32Array(capacity), this.hashes);
      this.next = enlarge(new Int32Array(capacity).fill(-1), this.next);
    }
    if (this.count * 2 >= this.slots.length) {
      this.slots = new Int32Array(this.slots.length * 2).fill(-1);
      this.mask = this.slots.length - 1;
      for (let index = 0; index < this.count; index++) this.place(index);
    }
  }
}

function hashOf(bytes: Uint8Array, view: DataView, start: number, end: number): number {
  let hash = (end - start) | 0;
  let at = start;
  const words = start + ((end - start) & ~3);
  while (at < words) {
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1);
    hash ^= hash >>> 15;
    at += 4;
  }
  while (at < end) hash = Math.imul(hash ^ (bytes[at++] as number), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
