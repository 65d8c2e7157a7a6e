/**
 * A distinct value cache: the combinations of values that some columns have had lately, as a tree with one level a column
 * (spec: storage §11). NULL is a value. A combination is as old as its newest row, by the row's own time.
 */
import { compareTexts } from "../bytes/compare-texts.ts";
import type { DistinctCacheDefinition } from "../catalog/cache-definitions.ts";
import type { CellValue } from "../columns/cells.ts";
import type { TableBatchView } from "../columns/table-batch.ts";
import { timesOf } from "../snapshot/chunk-rows.ts";
import { type CacheBudget, valueBytes } from "./cache-budget.ts";
import { type ColumnTest, passes } from "./column-tests.ts";
import { CACHE_ENTRY_BYTES, CACHE_SLICE_ENTRIES, CARDINALITY_SLACK } from "./limits.ts";
import { numberKeys } from "./number-keys.ts";

type Text = string | null;

interface Node {
  /** In order, NULL first. */
  readonly values: Text[];
  /** Children, or at the last level the newest time in nanoseconds (a float: ages need no more). */
  readonly children: Map<Text, Node | number>;
}

const newNode = (): Node => ({ values: [], children: new Map() });
const MS_NS = 1e6;

export class DistinctCache {
  readonly definition: DistinctCacheDefinition;
  readonly #budget: CacheBudget;
  #root = newNode();
  #count = 0;

  constructor(definition: DistinctCacheDefinition, budget: CacheBudget) {
    this.definition = definition;
    this.#budget = budget;
  }

  /** Combinations held, also those that are too old and not taken out yet. */
  get cardinality(): number {
    return this.#count;
  }

  apply(batch: TableBatchView, nowMs: number): void {
    const { ids, keys } = numberKeys(batch, this.definition.columns);
    const newest = new Float64Array(keys.length).fill(Number.NEGATIVE_INFINITY);
    const times = timesOf(batch);
    for (let row = 0; row < batch.rowCount; row++) {
      const id = ids[row] as number;
      const time = Number(times[row] as bigint);
      if (time > (newest[id] as number)) newest[id] = time;
    }
    keys.forEach((key, id) => {
      // No row has the key: only its column knows the value.
      if (newest[id] !== Number.NEGATIVE_INFINITY) this.add(key, newest[id] as number, nowMs);
    });
  }

  /** Notes a combination seen at a time in nanoseconds; one that is too old already is left out. */
  add(key: readonly CellValue[], timeNs: number, nowMs: number): void {
    if (timeNs < this.#oldest(nowMs)) return;
    let node = this.#root;
    const last = this.definition.columns.length - 1;
    for (let level = 0; level <= last; level++) {
      const value = key[level] as Text;
      const known = node.children.get(value);
      if (known === undefined && !this.#budget.take(nodeBytes(value))) {
        this.#budget.countRefused();
        return;
      }
      if (known === undefined) node.values.splice(placeOf(node.values, value), 0, value);
      if (level === last) {
        node.children.set(value, Math.max(timeNs, (known as number | undefined) ?? timeNs));
        if (known === undefined) this.#count++;
      } else {
        const child = (known as Node | undefined) ?? newNode();
        if (known === undefined) node.children.set(value, child);
        node = child;
      }
    }
    if (this.#count > this.definition.cardinalityMax * (1 + CARDINALITY_SLACK)) this.#keepNewest();
  }

  #oldest(nowMs: number): number {
    return (nowMs - this.definition.ageSecondsMax * 1000) * MS_NS;
  }

  /** Takes out what is too old, then the oldest beyond the cardinality. */
  evict(nowMs: number): void {
    this.#remove(this.#root, { before: this.#oldest(nowMs), alsoAt: 0 });
    if (this.#count > this.definition.cardinalityMax) this.#keepNewest();
  }

  #keepNewest(): void {
    const excess = this.#count - this.definition.cardinalityMax;
    const times = Float64Array.from(leafTimes(this.#root)).sort();
    const before = times[excess] as number;
    // Of those that are as old as the oldest one kept, some must go as well.
    let alsoAt = 0;
    while (alsoAt < excess && times[excess - 1 - alsoAt] === before) alsoAt++;
    this.#remove(this.#root, { before, alsoAt });
  }

  /** Removes the leaves older than `before`, and `alsoAt` of those that are exactly so old. */
  #remove(node: Node, what: { readonly before: number; alsoAt: number }): void {
    const gone = new Set<Text>();
    for (const value of node.values) {
      const child = node.children.get(value) as Node | number;
      if (typeof child === "number") {
        if (child > what.before || (child === what.before && what.alsoAt-- <= 0)) continue;
        this.#count--;
      } else {
        this.#remove(child, what);
        if (child.values.length > 0) continue;
      }
      gone.add(value);
    }
    if (gone.size === 0) return;
    const kept = node.values.filter((value) => !gone.has(value));
    node.values.splice(0, node.values.length);
    for (const value of kept) node.values.push(value);
    for (const value of gone) {
      node.children.delete(value);
      this.#budget.give(nodeBytes(value));
    }
  }

  /** Combinations in the order of the tree that pass the tests, each as cells of `columns`. Pauses. */
  *rows(columns: readonly string[], tests: readonly ColumnTest[], nowMs: number): Generator<undefined, CellValue[][]> {
    const own = this.definition.columns;
    const byLevel = own.map((name) => tests.filter((test) => test.column === name));
    const places = columns.map((name) => own.indexOf(name));
    const found: CellValue[][] = [];
    let looked = 0;
    for (const leaf of walk(this.#root, byLevel, [], this.#oldest(nowMs))) {
      if (leaf !== undefined) found.push(places.map((place) => leaf[place] ?? null));
      if (++looked % CACHE_SLICE_ENTRIES === 0) yield;
    }
    return found;
  }

  /** Gives all memory back. */
  close(): void {
    this.#remove(this.#root, { before: Number.POSITIVE_INFINITY, alsoAt: 0 });
  }
}

const nodeBytes = (value: Text): number => CACHE_ENTRY_BYTES + valueBytes([value]);

function* leafTimes(node: Node): Generator<number> {
  for (const child of node.children.values()) {
    if (typeof child === "number") yield child;
    else yield* leafTimes(child);
  }
}

/** Undefined for each leaf that is passed over, so that the caller can count. The tree may change between two steps. */
function* walk(node: Node, tests: readonly (readonly ColumnTest[])[], prefix: readonly Text[], oldest: number): Generator<readonly Text[] | undefined> {
  const own = tests[prefix.length] as readonly ColumnTest[];
  const only = own.find((test) => !test.negated);
  const values = only !== undefined && only.values.size === 1 ? [...only.values].filter((value) => node.children.has(value as Text)) : [...node.values];
  for (const value of values as Text[]) {
    const child = node.children.get(value);
    if (child === undefined || !own.every((test) => passes(value, test))) yield undefined;
    else if (typeof child === "number") yield child >= oldest ? [...prefix, value] : undefined;
    else yield* walk(child, tests, [...prefix, value], oldest);
  }
}

function placeOf(values: readonly Text[], value: Text): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareNullable(values[middle] as Text, value) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** NULL first. */
function compareNullable(left: Text, right: Text): number {
  if (left === null || right === null) return left === right ? 0 : left === null ? -1 : 1;
  return compareTexts(left, right);
}
