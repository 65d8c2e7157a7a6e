// Goal: the buffer answers exactly what was committed, counts its bytes, and never misses a duplicate. Method: random
// writes against a plain model.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rowsOf } from "../../testing/table-rows.ts";
import { encodeTableBatch, type TableBatchInput } from "../columns/table-batch.ts";
import type { Repeated } from "./repeated-times.ts";
import { batchCost, QueryableBuffer, type CommittedBatch } from "./queryable-buffer.ts";

const encoder = new TextEncoder();

interface Point {
  readonly host: string | undefined;
  readonly room: string | undefined;
  readonly time: bigint;
}

function tagColumn(name: string, cells: readonly (string | undefined)[]): TableBatchInput["columns"][number] {
  const words = [...new Set(cells.filter((cell) => cell !== undefined))];
  const encoded = words.map((word) => encoder.encode(word));
  const offsets = new Uint32Array(words.length + 1);
  encoded.forEach((bytes, index) => (offsets[index + 1] = (offsets[index] as number) + bytes.length));
  return {
    name, type: "tag", offsets, bytes: Uint8Array.from(encoded.flatMap((bytes) => [...bytes])),
    indexes: Uint32Array.from(cells, (cell) => (cell === undefined ? 0 : words.indexOf(cell))),
    valid: Uint8Array.from(cells, (cell) => (cell === undefined ? 0 : 1)),
  };
}

function batchOf(tableId: number, points: readonly Point[], tagsSwapped: boolean): Uint8Array {
  const tags = [tagColumn("host", points.map((point) => point.host)), tagColumn("room", points.map((point) => point.room))];
  return encodeTableBatch({
    databaseId: 1, tableId, rowCount: points.length,
    timeMin: points.reduce((min, point) => (point.time < min ? point.time : min), points[0]?.time ?? 0n),
    timeMax: points.reduce((max, point) => (point.time > max ? point.time : max), points[0]?.time ?? 0n),
    columns: [...(tagsSwapped ? tags.reverse() : tags), { name: "time", type: "time", values: BigInt64Array.from(points, (point) => point.time) }],
  });
}

const committed = (sequence: number, tableId: number, bytes: Uint8Array, rowCount: number): CommittedBatch => ({ sequence, databaseId: 1, tableId, bytes, rowCount, origin: undefined });

const point = fc.record({
  host: fc.option(fc.constantFrom("a", "b", "c"), { nil: undefined }),
  room: fc.option(fc.constantFrom("a", "x"), { nil: undefined }),
  time: fc.oneof(fc.bigInt({ min: -3n, max: 12n }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
});
const batches = fc.array(fc.tuple(fc.integer({ min: 1, max: 2 }), fc.array(point, { minLength: 1, maxLength: 5 }), fc.boolean()), { maxLength: 12 });

const covers = (repeated: Repeated | undefined, time: bigint): boolean =>
  repeated === "everywhere" || (repeated ?? []).some(({ timeMin, timeMax }) => time >= timeMin && time <= timeMax);

describe("QueryableBuffer", () => {
  it("never misses two points of one series and time, in any spelling of the tags", () => {
    fc.assert(
      fc.property(batches, (writes) => {
        const buffer = new QueryableBuffer(1e9);
        const seen = new Map<number, Set<string>>();
        const doubled: { readonly tableId: number; readonly time: bigint }[] = [];
        writes.forEach(([tableId, points, swapped], index) => {
          buffer.append(committed(index + 1, tableId, batchOf(tableId, points, swapped), points.length), { reserved: false });
          const keys = seen.get(tableId) ?? new Set();
          seen.set(tableId, keys);
          for (const { host, room, time } of points) {
            const key = JSON.stringify([host ?? null, room ?? null, String(time)]);
            if (keys.has(key)) doubled.push({ tableId, time });
            keys.add(key);
          }
        });
        for (const { tableId, time } of doubled) expect(covers(buffer.table(tableId)?.repeated, time)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it("does not deduplicate without need: series that only move forward", () => {
    const buffer = new QueryableBuffer(1e9);
    for (let step = 0; step < 1000; step++) {
      const points = Array.from({ length: 300 }, (_, host): Point => ({ host: `host_${host}`, room: undefined, time: BigInt(step) }));
      buffer.append(committed(step + 1, 1, batchOf(1, points, step % 2 === 0), 300), { reserved: false });
    }
    expect(buffer.table(1)?.repeated).toEqual([]);
    expect(buffer.rowCount).toBe(300_000);
  });

  it("does not deduplicate for late points that repeat none: several writers interleave", () => {
    const buffer = new QueryableBuffer(1e9);
    for (let step = 0; step < 400; step++) {
      // Two writers, the second ten batches behind the first, on other nanoseconds.
      const base = step % 2 === 0 ? step * 1000 : (step - 20) * 1000 + 500;
      const points = Array.from({ length: 50 }, (_, index): Point => ({ host: `host_${index % 7}`, room: undefined, time: BigInt(1_000_000 + base + index * 9) }));
      buffer.append(committed(step + 1, 1, batchOf(1, points, false), 50), { reserved: false });
    }
    expect(buffer.table(1)?.repeated).toEqual([]);
    const again: Point = { host: "host_3", room: undefined, time: BigInt(1_000_000 + 398 * 1000 + 3 * 9) };
    buffer.append(committed(401, 1, batchOf(1, [again], false), 1), { reserved: false });
    // That time alone, not the whole table.
    expect(buffer.table(1)?.repeated).toEqual([{ timeMin: again.time, timeMax: again.time }]);
  });

  it("still knows repeated times after most rows have been persisted, with many rows left", () => {
    const buffer = new QueryableBuffer(1e9);
    const points = (step: number): Point[] => Array.from({ length: 10_000 }, (_, host): Point => ({ host: `host_${host}`, room: undefined, time: BigInt(step) }));
    for (let step = 0; step < 10; step++) buffer.append(committed(step + 1, 1, batchOf(1, points(step), false), 10_000), { reserved: false });
    buffer.dropThrough(1);
    expect([buffer.rowCount, buffer.table(1)?.repeated]).toEqual([90_000, []]);
    const again = { host: "host_7", room: undefined, time: 5n };
    buffer.append(committed(11, 1, batchOf(1, [again], false), 1), { reserved: false });
    expect(buffer.table(1)?.repeated).toEqual([{ timeMin: 5n, timeMax: 5n }]);
    buffer.dropThrough(11);
    expect(buffer.bytes).toBe(buffer.keptBytes);
  });

  describe("memory used again", () => {
    const ROWS = 10_000;
    const large = (host: (row: number) => string, time: (row: number) => bigint): Uint8Array =>
      batchOf(1, Array.from({ length: ROWS }, (_, row): Point => ({ host: host(row), room: undefined, time: time(row) })), false);
    const name = (id: number): string => `host_${String(id).padStart(5, "0")}`;

    it("holds no other rows while somebody looks at it", () => {
      const buffer = new QueryableBuffer(1e9);
      const batch = (step: number): Uint8Array => large(name, () => BigInt(step));
      const append = (step: number): void => void buffer.append(committed(step, 1, batch(step), ROWS), { reserved: false });
      append(1);
      const unpin = buffer.pin();
      const views = buffer.table(1)?.batches ?? [];
      buffer.dropThrough(1);
      expect(buffer.keptBytes).toBeGreaterThan(0);
      append(2);
      expect(views.map(({ bytes }) => bytes)).toEqual([batch(1)]);
      unpin();
      append(3);
      // Now it was taken: nobody had a right to the old rows any more.
      expect(views.map(({ bytes }) => bytes)).toEqual([batch(3)]);
      expect(buffer.keptBytes).toBe(0);
    });

    it("holds no other rows while a trigger is fed from it, however far the trigger is", () => {
      const buffer = new QueryableBuffer(1e9);
      const bytes = large(name, () => 1n);
      const own = buffer.append(committed(1, 1, bytes, ROWS), { reserved: false });
      const release = buffer.hold(1, () => 1);
      buffer.dropThrough(1);
      release();
      buffer.append(committed(2, 1, large(name, () => 2n), ROWS), { reserved: false });
      expect(own.bytes).toEqual(bytes);
    });

    it("does not pass for the batch that it held before", () => {
      const buffer = new QueryableBuffer(1e9);
      // The same names, of which one stands at another row: as many bytes.
      buffer.append(committed(1, 1, large((row) => name(row === 1 ? 0 : row), (row) => BigInt(row === 1 ? 2 : 1)), ROWS), { reserved: false });
      buffer.dropThrough(1);
      buffer.append(committed(2, 1, large((row) => name([0, 2, 0][row] ?? row), (row) => BigInt(row === 1 ? 10 : 9)), ROWS), { reserved: false });
      expect(buffer.keptBytes).toBe(0);
      expect(covers(buffer.table(1)?.repeated, 9n)).toBe(true);
    });

    it("goes when rows need the room", () => {
      const bytes = large(name, () => 1n);
      const buffer = new QueryableBuffer(batchCost(bytes) * 10);
      buffer.append(committed(1, 1, bytes, ROWS), { reserved: false });
      buffer.dropThrough(1);
      expect([buffer.keptBytes > 0, buffer.bytes]).toEqual([true, buffer.keptBytes]);
      expect([buffer.tryReserve(buffer.limitBytes), buffer.keptBytes, buffer.bytes]).toEqual([true, 0, buffer.limitBytes]);
    });
  });

  it("shows many small batches as few, with the rows that were committed, also after a part has been persisted", () => {
    const sizes = fc.array(fc.tuple(fc.array(point, { minLength: 1, maxLength: 3 }), fc.boolean(), fc.constantFrom(1, 1, 1, 40, 300)), { minLength: 20, maxLength: 80 });
    fc.assert(
      fc.property(sizes, fc.nat(), (writes, cut) => {
        const buffer = new QueryableBuffer(1e9);
        const all = writes.map(([points, swapped, times], index) => {
          const repeated = Array.from({ length: times }, (_, at) => points[at % points.length] as Point);
          buffer.append(committed(index + 1, 1, batchOf(1, repeated, swapped), repeated.length), { reserved: false });
          return repeated.map(({ host, room, time }) => ({ ...(host === undefined ? {} : { host }), ...(room === undefined ? {} : { room }), time }));
        });
        expect((buffer.table(1)?.batches ?? []).flatMap(rowsOf)).toEqual(all.flat());
        const through = cut % writes.length;
        expect([...buffer.through(through)].flatMap(([, batches]) => batches.flatMap(rowsOf))).toEqual(all.slice(0, through).flat());
        buffer.dropThrough(through);
        expect((buffer.table(1)?.batches ?? []).flatMap(rowsOf)).toEqual(all.slice(through).flat());
        buffer.dropThrough(writes.length);
        expect(buffer.bytes).toBe(0);
      }),
      { numRuns: 60 },
    );
    const buffer = new QueryableBuffer(1e9);
    for (let index = 0; index < 10_000; index++) buffer.append(committed(index + 1, 1, batchOf(1, [{ host: `h${index % 9}`, room: undefined, time: BigInt(index) }], false), 1), { reserved: false });
    expect(buffer.table(1)?.batches.length).toBeLessThan(600);
    buffer.dropThrough(700);
    expect(buffer.table(1)?.batches.flatMap(rowsOf).map((row) => row["time"])).toEqual(Array.from({ length: 9_300 }, (_, index) => BigInt(index + 700)));
    buffer.dropThrough(10_000);
    expect(buffer.bytes).toBe(0);
  });

  it("counts what it holds, and gives everything back when the tables go", () => {
    fc.assert(
      fc.property(batches, (writes) => {
        const buffer = new QueryableBuffer(1e9);
        writes.forEach(([tableId, points], index) => {
          const bytes = batchOf(tableId, points, false);
          buffer.tryReserve(batchCost(bytes));
          const before = buffer.bytes;
          const index0 = buffer.table(tableId) === undefined;
          buffer.append(committed(index + 1, tableId, bytes, points.length), { reserved: true });
          if (!index0) expect(buffer.bytes).toBeLessThanOrEqual(before);
        });
        expect([...buffer.since(1, 0)].length).toBe(writes.length);
        for (const tableId of [1, 2]) buffer.dropTable(1, tableId);
        expect(buffer.bytes).toBe(0);
      }),
    );
  });

  it("refuses before it is full, and says by how much", () => {
    const buffer = new QueryableBuffer(1000);
    let freed = 0;
    buffer.onFreed(() => freed++);
    expect([buffer.tryReserve(900), buffer.tryReserve(200)]).toEqual([true, false]);
    expect(buffer.fullError()).toMatchObject({ code: "buffer.full", message: "The queryable buffer is full (900 of 1000 bytes)" });
    expect(freed).toBe(0);
    buffer.release(900);
    expect(freed).toBe(1);
    expect(buffer.tryReserve(1000)).toBe(true);
  });

  it("feeds from any sequence", () => {
    const buffer = new QueryableBuffer(1e9);
    const bytes = batchOf(1, [{ host: "a", room: undefined, time: 1n }], false);
    for (const sequence of [2, 3, 3, 7]) buffer.append(committed(sequence, 1, bytes, 1), { reserved: false });
    const from = (sequence: number): number[] => [...buffer.since(1, sequence)].map((batch) => batch.sequence);
    expect([from(0), from(2), from(3), from(6), from(7), [...buffer.since(9, 0)]]).toEqual([[2, 3, 3, 7], [3, 3, 7], [7], [7], [], []]);
  });

  it("keeps its own copy: ring space may be written again", () => {
    const buffer = new QueryableBuffer(1e9);
    const bytes = batchOf(1, [{ host: "a", room: undefined, time: 5n }], false);
    buffer.append(committed(1, 1, bytes, 1), { reserved: false });
    bytes.fill(0);
    expect(buffer.table(1)?.batches[0]?.rowCount).toBe(1);
  });
});
