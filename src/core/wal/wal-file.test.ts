// Goal: what was written is read back; a torn end costs only the unfinished group commit; damage in the middle is told.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinBytes } from "../bytes/join.ts";
import type { TableBatchInput } from "../columns/table-batch.ts";
import { readWalFile, type BadEnd, type WalRecord } from "./reader.ts";
import { encodeFileHeader, encodeRecord, FILE_HEADER_BYTES, recordSize, sealRecord, type TriggerPosition } from "./record.ts";

const batch = (tableId: number, values: readonly bigint[]): TableBatchInput => ({
  databaseId: 4, tableId, rowCount: values.length, timeMin: 0n, timeMax: 9n, columns: [{ name: "time", type: "time", values: BigInt64Array.from(values) }],
});

const SALT = 0x0123_4567_89ab_cdefn;

function record(sequence: number, place: number, batches: readonly TableBatchInput[], salt = SALT): Uint8Array {
  const bytes = new Uint8Array(recordSize(batches));
  encodeRecord({ sequence, databaseId: 4, batches }, bytes);
  sealRecord(bytes, { placeInGroup: place, salt });
  return bytes;
}

function read(bytes: Uint8Array, file = 1): { records: WalRecord[]; end: BadEnd | undefined } {
  const reader = readWalFile(bytes, file);
  const records: WalRecord[] = [];
  for (;;) {
    const next = reader.next();
    if (next.done === true) return { records, end: next.value };
    records.push(next.value);
  }
}

// Groups: {1, 2}, {3}, {4, 5}.
const RECORDS = [record(1, 0, [batch(1, [1n])]), record(2, 1, [batch(1, [2n]), batch(2, [3n, 4n])]), record(3, 0, [batch(1, [5n])]), record(4, 0, [batch(1, [6n])]), record(5, 1, [batch(3, [7n])])];
const FILE = joinBytes([encodeFileHeader(1, SALT), ...RECORDS]);
const ends = RECORDS.reduce<number[]>((list, bytes) => [...list, (list.at(-1) ?? FILE_HEADER_BYTES) + bytes.length], []);

describe("a trigger's position in a record", () => {
  function positioned(sequence: number, batches: readonly TableBatchInput[], position: TriggerPosition): Uint8Array {
    const bytes = new Uint8Array(recordSize(batches, position));
    encodeRecord({ sequence, databaseId: 4, batches, position }, bytes);
    sealRecord(bytes, { placeInGroup: 0, salt: SALT });
    return bytes;
  }
  const far = { triggerId: 4_000_000_000, sequence: 2 ** 52 };
  const pieces = [record(1, 0, [batch(1, [1n])]), positioned(2, [batch(2, [2n, 3n])], { triggerId: 7, sequence: 1 }), positioned(3, [], far)];
  const file = joinBytes([encodeFileHeader(1, SALT), ...pieces]);

  it("is read back with its rows, and alone", () => {
    const { records, end } = read(file);
    expect(end).toBeUndefined();
    expect(records.map(({ position }) => position)).toEqual([undefined, { triggerId: 7, sequence: 1 }, far]);
    expect(records.map(({ batches }) => batches.reduce((sum, { rowCount }) => sum + rowCount, 0))).toEqual([1, 2, 0]);
  });

  it("is there whole or not at all, wherever the file is torn", () => {
    const sizes = pieces.map((_, index) => FILE_HEADER_BYTES + pieces.slice(0, index + 1).reduce((sum, { length }) => sum + length, 0));
    for (let size = FILE_HEADER_BYTES; size <= file.length; size += 4) {
      const { records, end } = read(file.slice(0, size));
      expect(records).toHaveLength(sizes.filter((each) => each <= size).length);
      expect(end?.middle ?? false).toBe(false);
    }
  });

  it("alone proves that what is bad before it had been synced", () => {
    const damaged = file.slice();
    damaged[FILE_HEADER_BYTES + 40] = (damaged[FILE_HEADER_BYTES + 40] as number) ^ 1;
    expect(read(damaged).end).toMatchObject({ offset: FILE_HEADER_BYTES, middle: true });
  });
});

describe("readWalFile()", () => {
  it("judges a torn record of numbers that look like record headers at once", () => {
    // Each is a plausible payload size; a checksum for each would read gigabytes.
    const column = Array.from({ length: 200_000 }, () => 800_000n);
    const torn = joinBytes([encodeFileHeader(1, SALT), record(1, 0, [batch(1, column)])]).slice(0, -8);
    const started = performance.now();
    expect(read(torn).end).toMatchObject({ offset: FILE_HEADER_BYTES, middle: false });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it("takes bytes that a client chose for what they are, however much they look like later records", () => {
    // A torn group whose rows hold what the file would look like: true checksums, later sequences, any salt but the file's.
    for (const salt of [0n, SALT + 1n, SALT << 8n]) {
      const posing = joinBytes([encodeFileHeader(1, salt), record(7, 0, [batch(1, [1n])], salt), record(8, 0, [batch(1, [2n])], salt)]);
      const column = new BigInt64Array(posing.buffer, posing.byteOffset, posing.length / 8);
      const torn = joinBytes([FILE, record(6, 0, [batch(1, [...column, 0n, 0n])])]).slice(0, -8);
      expect(read(torn).end).toMatchObject({ offset: FILE.length, reason: "a record is cut off", middle: false });
    }
  });

  it("refuses records of another file", () => {
    const moved = joinBytes([FILE, record(6, 0, [batch(1, [1n])], SALT + 1n)]);
    expect(read(moved).end).toMatchObject({ offset: FILE.length, reason: "a record is not of this file", middle: false });
  });

  it("gives back every record", () => {
    const { records, end } = read(FILE);
    expect(end).toBeUndefined();
    expect(records.map((entry) => [entry.sequence, entry.groupStart, entry.databaseId, entry.batches.map((view) => [view.tableId, view.rowCount])])).toEqual([
      [1, 1, 4, [[1, 1]]], [2, 1, 4, [[1, 1], [2, 2]]], [3, 3, 4, [[1, 1]]], [4, 4, 4, [[1, 1]]], [5, 4, 4, [[3, 1]]],
    ]);
    expect(records.map((entry) => entry.end)).toEqual(ends);
  });

  it("at every cut keeps the whole records and calls the rest a torn end", () => {
    for (let size = 0; size < FILE.length; size++) {
      const { records, end } = read(FILE.subarray(0, size));
      const whole = ends.filter((offset) => offset <= size).length;
      expect(records.length).toBe(whole);
      if (size >= FILE_HEADER_BYTES && (size === FILE_HEADER_BYTES || ends.includes(size))) expect(end).toBeUndefined();
      else expect(end).toMatchObject({ offset: size < FILE_HEADER_BYTES ? 0 : (ends[whole - 1] ?? FILE_HEADER_BYTES), middle: false });
    }
  });

  it("tells damage before a later group from damage in the last one", () => {
    for (let at = 0; at < FILE.length; at++) {
      const damaged = FILE.slice();
      damaged[at] = (damaged[at] as number) ^ 0xff;
      const { records, end } = read(damaged);
      const hit = ends.findIndex((offset) => at < offset);
      const inHeader = at < FILE_HEADER_BYTES;
      expect(records.length).toBe(inHeader ? 0 : hit);
      // Records 4 and 5 are the last group: never acknowledged if one of them is bad.
      expect(end?.middle).toBe(inHeader || hit < 3);
    }
  });

  it("refuses another file's header", () => expect(read(FILE, 2).end).toMatchObject({ offset: 0, middle: true }));

  it("answers any bytes with records or a reason, and nothing else", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(FILE.length - 1), fc.nat(255)), { maxLength: 12 }), fc.nat(FILE.length), (damage, size) => {
        const bytes = FILE.slice();
        for (const [at, value] of damage) bytes[at] = value;
        expect(read(bytes.subarray(0, size)).records.length).toBeLessThanOrEqual(5);
      }),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void expect(read(bytes).records).toEqual([])));
  });
});
