/**
 * A last value cache: the newest rows of each combination of key values (spec: storage §10). A row enters only when it is
 * newer than every row of its key before, so what arrives late never does. Unlike the reference a key without any row yet
 * takes every time, also those before 1970, and a key whose rows have expired still knows its newest time.
 */
import type { LastCacheDefinition } from "../catalog/cache-definitions.ts";
import { type CellValue, cellReader, columnOf } from "../columns/cells.ts";
import type { TableBatchView } from "../columns/table-batch.ts";
import { timesOf } from "../snapshot/chunk-rows.ts";
import { type CacheBudget, valueBytes } from "./cache-budget.ts";
import { type ColumnTest, passes } from "./column-tests.ts";
import { CACHE_ENTRY_BYTES, CACHE_ROW_BYTES, CACHE_SLICE_ENTRIES } from "./limits.ts";
import { numberKeys } from "./number-keys.ts";

export interface CachedRow {
  readonly time: bigint;
  /** When it was put in: its age counts from there. */
  readonly putMs: number;
  /** By the cache's slots; a shorter array lacks the columns that came later. */
  readonly values: readonly CellValue[];
}

interface Entry {
  readonly key: readonly CellValue[];
  newest: bigint;
  /** Ascending in time; empty: they have expired. */
  rows: CachedRow[];
}

/** A row from elsewhere: values by column name. */
export interface FilledRow {
  readonly key: readonly CellValue[];
  readonly time: bigint;
  readonly putMs: number;
  readonly values: ReadonlyMap<string, CellValue>;
}

export class LastCache {
  readonly definition: LastCacheDefinition;
  readonly #budget: CacheBudget;
  readonly #entries = new Map<string, Entry>();
  /** Places of the value columns (without `time`) in the rows. */
  readonly #slots = new Map<string, number>();

  constructor(definition: LastCacheDefinition, budget: CacheBudget) {
    this.definition = definition;
    this.#budget = budget;
    for (const name of definition.valueColumns ?? []) if (name !== "time") this.#slots.set(name, this.#slots.size);
  }

  get keyCount(): number {
    return this.#entries.size;
  }

  apply(batch: TableBatchView, nowMs: number): void {
    const { ids, keys } = numberKeys(batch, this.definition.keyColumns);
    const texts = keys.map((key) => (key.includes(null) ? undefined : keyText(key)));
    const chosen = this.#newestRows(batch, ids, texts);
    const times = timesOf(batch);
    const readers = this.#valueColumns(batch).map((column) => cellReader(column, batch.rowCount));
    keys.forEach((key, id) => {
      for (const row of chosen[id] ?? []) {
        if (row >= 0) this.#put(texts[id] as string, key, { time: times[row] as bigint, putMs: nowMs, values: readers.map((read) => read(row)) });
      }
    });
  }

  /** By key: the rows that enter, oldest first. Times are compared as two words, because BigInt allocates. */
  #newestRows(batch: TableBatchView, ids: Uint32Array, texts: readonly (string | undefined)[]): readonly (readonly number[] | Int32Array)[] {
    const { count } = this.definition;
    const times = timesOf(batch);
    const words = new Int32Array(times.buffer, times.byteOffset, times.length * 2);
    const highs = new Int32Array(texts.length);
    const lows = new Uint32Array(texts.length);
    // 0: takes no row, 1: takes any, 2: takes newer ones.
    const states = new Uint8Array(texts.length);
    texts.forEach((text, id) => {
      if (text === undefined) return;
      const newest = this.#entries.get(text)?.newest;
      states[id] = newest === undefined ? 1 : 2;
      if (newest === undefined) return;
      highs[id] = Number(newest >> 32n);
      lows[id] = Number(newest & 0xffff_ffffn);
    });
    const last = new Int32Array(texts.length).fill(-1);
    const kept: number[][] = count === 1 ? [] : texts.map(() => []);
    for (let row = 0; row < batch.rowCount; row++) {
      const id = ids[row] as number;
      const state = states[id] as number;
      if (state === 0) continue;
      const high = words[row * 2 + 1] as number;
      const low = (words[row * 2] as number) >>> 0;
      if (state === 2 && (high < (highs[id] as number) || (high === highs[id] && low <= (lows[id] as number)))) continue;
      states[id] = 2;
      highs[id] = high;
      lows[id] = low;
      last[id] = row;
      if (count === 1) continue;
      const rows = kept[id] as number[];
      rows.push(row);
      if (rows.length > count) rows.shift();
    }
    return count === 1 ? texts.map((_, id) => last.subarray(id, id + 1)) : kept;
  }

  /** Rows that were there before, in any order. What the cache took in meanwhile stays. */
  fill(rows: Iterable<FilledRow>): void {
    for (const { key, time, putMs, values } of rows) {
      if (key.includes(null)) continue;
      for (const name of values.keys()) if (this.#keeps(name)) this.#slotOf(name);
      const own = [...this.#slots.keys()].map((name) => values.get(name) ?? null);
      const text = keyText(key);
      const entry = this.#entries.get(text);
      if (entry === undefined || time > entry.newest) this.#put(text, key, { time, putMs, values: own });
      else this.#insert(entry, { time, putMs, values: own });
    }
  }

  #insert(entry: Entry, row: CachedRow): void {
    const at = entry.rows.findIndex((other) => other.time >= row.time);
    const place = at < 0 ? entry.rows.length : at;
    if (entry.rows[place]?.time === row.time || (place === 0 && entry.rows.length >= this.definition.count) || !this.#take(rowBytes(row))) return;
    entry.rows.splice(place, 0, row);
    this.#cut(entry);
  }

  #put(text: string, key: readonly CellValue[], row: CachedRow): void {
    let entry = this.#entries.get(text);
    if (!this.#take(rowBytes(row) + (entry === undefined ? CACHE_ENTRY_BYTES + valueBytes(key) : 0))) {
      this.#budget.countRefused();
      return;
    }
    if (entry === undefined) this.#entries.set(text, (entry = { key, newest: row.time, rows: [] }));
    entry.newest = row.time;
    entry.rows.push(row);
    this.#cut(entry);
  }

  #cut(entry: Entry): void {
    while (entry.rows.length > this.definition.count) this.#budget.give(rowBytes(entry.rows.shift() as CachedRow));
  }

  /** Before a row is refused the keys go that hold nothing but their newest time. */
  #take(bytes: number): boolean {
    if (this.#budget.take(bytes)) return true;
    for (const [text, entry] of this.#entries) if (entry.rows.length === 0) this.#forget(text, entry);
    return this.#budget.take(bytes);
  }

  #forget(text: string, entry: Entry): void {
    this.#budget.give(CACHE_ENTRY_BYTES + valueBytes(entry.key) + entry.rows.reduce((sum, row) => sum + rowBytes(row), 0));
    this.#entries.delete(text);
  }

  #keeps(name: string): boolean {
    const { keyColumns, valueColumns } = this.definition;
    return name !== "time" && (valueColumns === undefined ? !keyColumns.includes(name) : valueColumns.includes(name));
  }

  #slotOf(name: string): number {
    let slot = this.#slots.get(name);
    if (slot === undefined) this.#slots.set(name, (slot = this.#slots.size));
    return slot;
  }

  #valueColumns(batch: TableBatchView): ReturnType<typeof columnOf>[] {
    for (const { name } of batch.columns) if (this.#keeps(name)) this.#slotOf(name);
    return [...this.#slots.keys()].map((name) => columnOf(batch, name));
  }

  /** Takes out what is older than the time to live. Pauses. */
  *evict(nowMs: number): Generator<undefined> {
    const oldest = nowMs - this.definition.ttlSeconds * 1000;
    let looked = 0;
    for (const entry of this.#entries.values()) {
      while (entry.rows.length > 0 && (entry.rows[0] as CachedRow).putMs <= oldest) this.#budget.give(rowBytes(entry.rows.shift() as CachedRow));
      if (++looked % CACHE_SLICE_ENTRIES === 0) yield;
    }
  }

  /** Rows that pass the tests on key columns, each as cells of `columns`. Tests on other columns are not looked at. Pauses. */
  *rows(columns: readonly string[], tests: readonly ColumnTest[], nowMs: number): Generator<undefined, CellValue[][]> {
    const { keyColumns, ttlSeconds } = this.definition;
    const oldest = nowMs - ttlSeconds * 1000;
    const own = tests.flatMap((test) => (keyColumns.includes(test.column) ? [{ ...test, at: keyColumns.indexOf(test.column) }] : []));
    const readers = columns.map((name): ((entry: Entry, row: CachedRow) => CellValue) => {
      const at = keyColumns.indexOf(name);
      if (at >= 0) return (entry) => entry.key[at] as CellValue;
      const slot = this.#slots.get(name);
      return name === "time" ? (_, row) => row.time : (_, row) => (slot === undefined ? null : (row.values[slot] ?? null));
    });
    const found: CellValue[][] = [];
    let looked = 0;
    for (const entry of this.#candidates(own)) {
      if (own.every((test) => passes(entry.key[test.at] as CellValue, test))) {
        for (const row of entry.rows) if (row.putMs > oldest) found.push(readers.map((read) => read(entry, row)));
      }
      if (++looked % CACHE_SLICE_ENTRIES === 0) yield;
    }
    return found;
  }

  /** One entry when every key column is given one value. */
  #candidates(tests: readonly (ColumnTest & { readonly at: number })[]): Iterable<Entry> {
    const { keyColumns } = this.definition;
    if (keyColumns.length === 0) return this.#entries.values();
    const key: CellValue[] = [];
    for (const { at, values, negated } of tests) if (!negated && values.size === 1) key[at] = values.values().next().value as CellValue;
    for (let at = 0; at < keyColumns.length; at++) if (key[at] === undefined) return this.#entries.values();
    const entry = this.#entries.get(keyText(key));
    return entry === undefined ? [] : [entry];
  }

  /** Gives all memory back. */
  close(): void {
    for (const [text, entry] of this.#entries) this.#forget(text, entry);
  }
}

const rowBytes = (row: CachedRow): number => CACHE_ROW_BYTES + valueBytes(row.values);

/** Different for different keys: a column has one type, and lengths stand before the texts. */
const keyText = (key: readonly CellValue[]): string => (key.length === 1 ? String(key[0]) : key.map((value) => `${String(value).length}:${String(value)}`).join(""));
