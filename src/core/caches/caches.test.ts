// Goal: both caches hold exactly what storage §10 and §11 say, whatever the order of rows, and give all memory back.
// Method: random rows in random batches against plain models; the marked quirks of the reference by example.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DistinctCacheDefinition, LastCacheDefinition } from "../catalog/cache-definitions.ts";
import type { CellValue } from "../columns/cells.ts";
import { type ColumnValues, decodeTableBatch, encodeTableBatch, type TableBatchView } from "../columns/table-batch.ts";
import { encodeCells } from "../query/rows-to-batch.ts";
import { CacheBudget } from "./cache-budget.ts";
import type { ColumnTest } from "./column-tests.ts";
import { DistinctCache } from "./distinct-cache.ts";
import { LastCache } from "./last-cache.ts";

interface Row {
  readonly host: string | null;
  readonly port: bigint | null;
  readonly value: number | null;
  readonly time: bigint;
}

/** `host` as a tag with a dictionary, as the write path makes it. */
function tagColumn(name: string, cells: readonly (string | null)[]): ColumnValues {
  const words = [...new Set(cells.filter((cell) => cell !== null))];
  const texts = (words.length === 0 ? [""] : words).map((word) => new TextEncoder().encode(word));
  const offsets = new Uint32Array(texts.length + 1);
  texts.forEach((text, index) => (offsets[index + 1] = (offsets[index] as number) + text.length));
  return {
    name, type: "tag", offsets, bytes: Uint8Array.from(texts.flatMap((text) => [...text])),
    indexes: Uint32Array.from(cells, (cell) => (cell === null ? 0 : words.indexOf(cell))), valid: Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1)),
  };
}

function batchOf(rows: readonly Row[]): TableBatchView {
  return decodeTableBatch(encodeTableBatch({
    databaseId: 1, tableId: 1, rowCount: rows.length, timeMin: 0n, timeMax: 0n,
    columns: [
      tagColumn("host", rows.map((row) => row.host)),
      encodeCells("port", "int64", rows.map((row) => row.port)),
      encodeCells("value", "float64", rows.map((row) => row.value)),
      { name: "time", type: "time", values: BigInt64Array.from(rows, (row) => row.time) },
    ],
  }));
}

function drain<T>(work: Generator<undefined, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

const row: fc.Arbitrary<Row> = fc.record({
  host: fc.option(fc.constantFrom("a", "b", "ä", "\u{1f600}", "\uff5e"), { freq: 6 }),
  port: fc.option(fc.bigInt({ min: 0n, max: 2n }), { freq: 6 }),
  value: fc.option(fc.double({ noNaN: true }), { freq: 4 }),
  time: fc.bigInt({ min: -4n, max: 12n }),
});
const batches = fc.array(fc.array(row, { minLength: 1, maxLength: 6 }), { maxLength: 10 });
const test = (column: string, negated: boolean, ...values: CellValue[]): ColumnTest => ({ column, values: new Set(values), negated });
const last = (more: Partial<LastCacheDefinition> = {}): LastCacheDefinition => ({ kind: "last", id: 1, name: "c", keyColumns: ["host", "port"], valueColumns: undefined, count: 1, ttlSeconds: 3600, ...more });
const distinct = (more: Partial<DistinctCacheDefinition> = {}): DistinctCacheDefinition => ({ kind: "distinct", id: 1, name: "c", columns: ["host"], cardinalityMax: 1000, ageSecondsMax: 3600, ...more });
const sortRows = (rows: readonly (readonly CellValue[])[]): string[] => rows.map((cells) => cells.map(String).join("|")).sort();
const COLUMNS = ["host", "port", "value", "time"];

describe("LastCache", () => {
  it("keeps the newest rows of each key, row by row, and never a late one", () => {
    fc.assert(
      fc.property(batches, fc.integer({ min: 1, max: 3 }), fc.constantFrom<readonly string[]>(["host"], ["host", "port"], ["port"], []), (writes, count, keyColumns) => {
        const cache = new LastCache(last({ count, keyColumns }), new CacheBudget(1e9));
        const model = new Map<string, Row[]>();
        for (const rows of writes) {
          cache.apply(batchOf(rows), 0);
          for (const one of rows) {
            const key = keyColumns.map((name) => one[name as "host" | "port"]);
            if (key.includes(null)) continue;
            const kept = model.get(key.join("|")) ?? [];
            if (kept.length > 0 && one.time <= (kept.at(-1) as Row).time) continue;
            model.set(key.join("|"), [...kept, one].slice(-count));
          }
        }
        const expected = [...model.values()].flat();
        expect(sortRows(drain(cache.rows(COLUMNS, [], 1)))).toEqual(sortRows(expected.map((one) => [one.host, one.port, one.value, one.time])));
        const ofHostA = drain(cache.rows(COLUMNS, [test("host", false, "a"), test("port", true, 1n)], 1));
        const has = (name: string): boolean => keyColumns.includes(name);
        const passing = expected.filter((one) => (!has("host") || one.host === "a") && (!has("port") || one.port !== 1n));
        expect(sortRows(ofHostA)).toEqual(sortRows(passing.map((one) => [one.host, one.port, one.value, one.time])));
      }),
    );
  });

  it("filled with the older rows afterwards holds what it would have held from the beginning", () => {
    fc.assert(
      fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 3 }), (writes, cut, count) => {
        // Each key's times are distinct and ascend, as a fill reads them: one row a point.
        const ascending = writes.map((rows, batch) => rows.map((one, index) => ({ ...one, time: BigInt(batch * 10 + index) })));
        const at = ascending.length === 0 ? 0 : cut % (ascending.length + 1);
        const whole = new LastCache(last({ count }), new CacheBudget(1e9));
        const late = new LastCache(last({ count }), new CacheBudget(1e9));
        ascending.forEach((rows, index) => {
          whole.apply(batchOf(rows), 0);
          if (index >= at) late.apply(batchOf(rows), 0);
        });
        const before = ascending.slice(0, at).flat().map((one) => ({ key: [one.host, one.port], time: one.time, putMs: 0, values: new Map<string, CellValue>([["value", one.value]]) }));
        late.fill([...before].reverse());
        expect(sortRows(drain(late.rows(COLUMNS, [], 1)))).toEqual(sortRows(drain(whole.rows(COLUMNS, [], 1))));
      }),
    );
  });

  it("takes rows of 1970 and before, and knows its newest time after everything expired (quirk of the reference)", () => {
    const cache = new LastCache(last({ keyColumns: ["host"], ttlSeconds: 10 }), new CacheBudget(1e9));
    const at = (time: bigint): TableBatchView => batchOf([{ host: "a", port: null, value: 1, time }]);
    cache.apply(at(-5n), 0);
    expect(drain(cache.rows(["time"], [], 9_999))).toEqual([[-5n]]);
    expect(drain(cache.rows(["time"], [], 10_000))).toEqual([]);
    drain(cache.evict(10_000));
    cache.apply(at(-6n), 20_000);
    expect(drain(cache.rows(["time"], [], 20_000))).toEqual([]);
    cache.apply(at(-4n), 20_000);
    expect(drain(cache.rows(["time"], [], 20_000))).toEqual([[-4n]]);
  });

  it("shows a field that came later as NULL in older rows, and one that a row lacks as NULL (row-wise)", () => {
    const cache = new LastCache(last({ keyColumns: ["host"], count: 2 }), new CacheBudget(1e9));
    cache.apply(batchOf([{ host: "a", port: 1n, value: null, time: 1n }]), 0);
    cache.apply(batchOf([{ host: "a", port: null, value: 2, time: 2n }]), 0);
    expect(drain(cache.rows(["port", "value"], [], 1))).toEqual([[1n, null], [null, 2]]);
  });

  it("refuses what its memory cannot hold and counts it, and gives everything back", () => {
    const budget = new CacheBudget(2_000);
    const cache = new LastCache(last({ keyColumns: ["port"] }), budget);
    cache.apply(batchOf(Array.from({ length: 50 }, (_, index) => ({ host: "a", port: BigInt(index), value: 1, time: 1n }))), 0);
    expect(budget.used).toBeLessThanOrEqual(2_000);
    expect(budget.refused).toBe(50 - cache.keyCount);
    expect(cache.keyCount).toBeGreaterThan(3);
    cache.close();
    expect(budget.used).toBe(0);
  });
});

describe("DistinctCache", () => {
  it("holds each combination as a tree in order, NULL first, by the code points of the texts", () => {
    fc.assert(
      fc.property(batches, (writes) => {
        const cache = new DistinctCache(distinct({ columns: ["host"] }), new CacheBudget(1e9));
        for (const rows of writes) cache.apply(batchOf(rows), 0);
        const bytes = (text: CellValue): string => Buffer.from(String(text)).toString("hex");
        const expected = [...new Set(writes.flat().map((one) => one.host))].sort((a, b) => (a === null ? -1 : b === null ? 1 : bytes(a) < bytes(b) ? -1 : 1));
        expect(drain(cache.rows(["host"], [], 0))).toEqual(expected.map((host) => [host]));
        expect(drain(cache.rows(["host"], [test("host", true, "a")], 0))).toEqual(expected.filter((host) => host !== null && host !== "a").map((host) => [host]));
      }),
    );
  });

  it("hides and removes what is older than its age, by the rows' times", () => {
    const cache = new DistinctCache(distinct({ ageSecondsMax: 10 }), new CacheBudget(1e9));
    cache.add(["old"], 0, 5_000);
    cache.add(["new"], 9e9, 9_000);
    cache.add(["expired already"], 0, 20_000);
    expect(drain(cache.rows(["host"], [], 10_000))).toEqual([["new"], ["old"]]);
    expect(drain(cache.rows(["host"], [], 10_001))).toEqual([["new"]]);
    cache.evict(10_001);
    expect(cache.cardinality).toBe(1);
  });

  it("lets the oldest go beyond its cardinality, and gives all memory back", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 5 })), { maxLength: 60 }), (adds) => {
        const budget = new CacheBudget(1e9);
        const cache = new DistinctCache(distinct({ cardinalityMax: 8, columns: ["host", "port"] }), budget);
        for (const [value, time] of adds) cache.add([String(value % 3), String(value)], time * 1e9, 0);
        cache.evict(0);
        const distinctCount = new Set(adds.map(([value]) => value)).size;
        expect(cache.cardinality).toBeLessThanOrEqual(8);
        // Between two evictions the cache may drop what comes back later, so only a small set is surely whole.
        if (distinctCount <= 8) expect(cache.cardinality).toBe(distinctCount);
        expect(drain(cache.rows(["host", "port"], [], 0)).length).toBe(cache.cardinality);
        cache.close();
        expect(budget.used).toBe(0);
      }),
    );
    const exact = new DistinctCache(distinct({ cardinalityMax: 2 }), new CacheBudget(1e9));
    for (const [text, time] of [["a", 3], ["b", 1], ["c", 2]] as const) exact.add([text], time, 0);
    exact.evict(0);
    expect(drain(exact.rows(["host"], [], 0))).toEqual([["a"], ["c"]]);
  });
});
