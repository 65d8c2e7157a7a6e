// Goal: a snapshot's file holds exactly the newest value of each column of each point, sorted, and two readers that are not
// ours read it so: DuckDB and hyparquet. Method: random writes in batches against a plain model.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import fc from "fast-check";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TableDefinition } from "../../../src/core/catalog/definitions.ts";
import type { ColumnType } from "../../../src/core/columns/column-type.ts";
import { isDatabaseError } from "../../../src/core/errors/database-error.ts";
import { readParquetColumn } from "../../../src/core/parquet/read-column.ts";
import { readParquetLayout } from "../../../src/core/parquet/read-footer.ts";
import { encodeMerged } from "../../../src/core/snapshot/encode-merged.ts";
import { encodeParquet } from "../../../src/core/parquet/encode-file.ts";
import { splitByChunk, chunkStart } from "../../../src/core/snapshot/chunk-rows.ts";
import { encodeChunk, type EncodedChunk } from "../../../src/core/snapshot/encode-chunk.ts";
import { batchOf } from "../sql/harness.ts";

const COLUMNS: Readonly<Record<string, ColumnType>> = {
  host: "tag", f: "float64", Room: "tag", time: "time", i: "int64", room: "tag", u: "uint64", b: "bool", s: "utf8", never: "float64",
};
const columns = Object.entries(COLUMNS).map(([name, type], index) => ({ id: index + 3, name, type }));
const TABLE: TableDefinition = {
  id: 1, databaseId: 1, name: "t", columns, columnsByName: new Map(columns.map((column) => [column.name, column])), seriesKey: ["host", "Room", "room"], deleted: false,
};
const GEN1 = 600_000_000_000n;

type Row = Readonly<Record<string, unknown>>;

function run<T>(work: Generator<undefined, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

const filesOf = (batches: readonly (readonly Row[])[]): { start: bigint; file: EncodedChunk }[] =>
  run(splitByChunk(batches.map((rows) => batchOf(1, COLUMNS, rows)), GEN1)).map((chunk) => ({ start: chunk.start, file: run(encodeChunk(TABLE, chunk)) }));

const bytesOrder = (left: unknown, right: unknown): number => {
  if (left === right) return 0;
  if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
  return typeof left === "string" ? Buffer.compare(Buffer.from(left), Buffer.from(right as string)) : (left as bigint) < (right as bigint) ? -1 : 1;
};

/** Newest value of each column by point, in the order of the file, by time window. */
function model(batches: readonly (readonly Row[])[], windowNs = GEN1): Map<bigint, Row[]> {
  const points = new Map<string, Record<string, unknown>>();
  for (const row of batches.flat()) {
    const key = JSON.stringify([row["host"], row["Room"], row["room"], String(row["time"])].map((cell) => cell ?? null));
    const point = points.get(key) ?? {};
    points.set(key, point);
    for (const [name, cell] of Object.entries(row)) if (cell !== undefined) point[name] = cell;
  }
  const chunks = new Map<bigint, Row[]>();
  for (const point of points.values()) {
    const start = chunkStart(point["time"] as bigint, windowNs);
    chunks.set(start, [...(chunks.get(start) ?? []), point]);
  }
  for (const rows of chunks.values()) rows.sort((a, b) => ["host", "Room", "room", "time"].map((name) => bytesOrder(a[name], b[name])).find((order) => order !== 0) ?? 0);
  return chunks;
}

const NAMES = columns.map((column) => column.name);
const shown = (rows: readonly Row[]): unknown[][] => rows.map((row) => NAMES.map((name) => row[name] ?? null));

let folder: string;
let connection: DuckDBConnection;
let count = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "parquet-"));
  connection = await (await DuckDBInstance.create(":memory:")).connect();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function readWithDuckdb(bytes: Uint8Array, where = ""): Promise<unknown[][]> {
  const path = join(folder, `${count++}.parquet`);
  writeFileSync(path, bytes);
  const types = { tag: "VARCHAR", utf8: "VARCHAR", float64: "DOUBLE", int64: "BIGINT", uint64: "UBIGINT", bool: "BOOLEAN", time: "TIMESTAMP_NS" };
  const schema = columns.map(({ id, type }) => `${id}: {name: 'c${id}', type: '${types[type]}', default_value: NULL}`).join(", ");
  const items = columns.map(({ id, type }) => (type === "time" ? `epoch_ns(c${id})` : `c${id}`)).join(", ");
  return (await connection.runAndReadAll(`SELECT ${items} FROM read_parquet('${path}', schema=MAP {${schema}}) ${where}`)).getRows();
}

/** As its users get it, but whole nanoseconds: by default it gives Date objects. */
async function readWithHyparquet(bytes: Uint8Array): Promise<unknown[][]> {
  const same = (value: bigint): bigint => value;
  const parsers = { timestampFromNanoseconds: same } as unknown as NonNullable<Parameters<typeof parquetReadObjects>[0]["parsers"]>;
  const rows = await parquetReadObjects({ file: bytes.slice().buffer as ArrayBuffer, parsers });
  return rows.map((row) => NAMES.map((name) => row[name] ?? null));
}

const text = fc.oneof(fc.constantFrom("a", "é", "", "\uFEFFbom", "z\u{1F600}", "\uFFFF"), fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }));
const START = 1_641_024_000_000_000_000n;
const time = fc.oneof(
  fc.constantFrom(START, START + 1n, START + GEN1 - 1n, START + GEN1, -1n, -(2n ** 63n) + 1_000_000_000_000n, 2n ** 63n - 1n),
  fc.bigInt({ min: START, max: START + 20n }),
);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const row: fc.Arbitrary<Row> = fc.record({
  host: maybe(fc.constantFrom("h1", "h2")), Room: maybe(text.filter((value) => value !== "")), room: maybe(fc.constantFrom("r")), time,
  f: maybe(fc.double({ noNaN: true }).map((value) => (value === 0 ? 0 : value))), i: maybe(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  u: maybe(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), b: maybe(fc.boolean()), s: maybe(text),
});

describe("a snapshot's file", () => {
  it("is read alike by two readers: every type, NULL, nanoseconds, far times, unicode", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(row, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 }), async (batches) => {
        const expected = model(batches);
        const files = filesOf(batches);
        expect(files.map(({ start }) => start)).toEqual([...expected.keys()].sort((a, b) => (a < b ? -1 : 1)));
        for (const { start, file } of files) {
          const rows = shown(expected.get(start) as Row[]);
          // Both readers drop a byte order mark at the start of a text; that the two texts stay two rows is what counts here.
          const read = rows.map((cells) => cells.map((cell) => (typeof cell === "string" ? cell.replace(/^\uFEFF/, "") : cell)));
          expect(await readWithHyparquet(file.bytes)).toEqual(read);
          expect(await readWithDuckdb(file.bytes)).toEqual(read);
          expect(file.rowCount).toBe(rows.length);
          const times = (expected.get(start) as Row[]).map((point) => point["time"] as bigint);
          expect([file.timeMin, file.timeMax]).toEqual([times.reduce((a, b) => (a < b ? a : b)), times.reduce((a, b) => (a > b ? a : b))]);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("with many rows: dictionaries, plain values, several row groups, and statistics that let readers skip", async () => {
    const rowCount = 150_000;
    const values = columns.map(({ id, type, name }) => {
      const cell = (index: number): bigint => (type === "time" ? START + BigInt(index) * 7919n : BigInt(index % 40 === 0 ? 5 : index) * 1_000_003n);
      if (type === "float64") return { fieldId: id, type, values: { name, type, values: Float64Array.from({ length: rowCount }, (_, index) => index / 7) } };
      if (type === "int64" || type === "time") return { fieldId: id, type, values: { name, type, values: BigInt64Array.from({ length: rowCount }, (_, index) => cell(index)) } };
      if (type === "uint64") return { fieldId: id, type, values: { name, type, values: BigUint64Array.from({ length: rowCount }, (_, index) => BigInt(index % 300)) } };
      if (type === "bool") return { fieldId: id, type, values: { name, type, values: Uint8Array.from({ length: rowCount }, (_, index) => index & 1), valid: Uint8Array.from({ length: rowCount }, (_, index) => (index % 3 === 0 ? 0 : 1)) } };
      return { fieldId: id, type, values: { name, type: "null" as const } };
    });
    const bytes = run(encodeParquet(values, rowCount));
    const [duckdb, hyparquet] = [await readWithDuckdb(bytes), await readWithHyparquet(bytes)];
    expect(hyparquet.length).toBe(rowCount);
    expect(duckdb.every((cells, index) => cells.every((cell, at) => cell === (hyparquet[index] as unknown[])[at]))).toBe(true);
    expect(duckdb[140_001]).toEqual([null, 140_001 / 7, null, START + 140_001n * 7919n, 140_001n * 1_000_003n, null, BigInt(140_001 % 300), null, null, 140_001 / 7]);
    const metadata = parquetMetadata(bytes.slice().buffer as ArrayBuffer);
    expect(metadata.row_groups.map((group) => Number(group.num_rows))).toEqual([65_536, 65_536, 18_928]);
    const statistics = metadata.row_groups[1]?.columns[1]?.meta_data?.statistics;
    expect([statistics?.min_value, statistics?.max_value]).toEqual([65_536 / 7, 131_071 / 7]);
    expect((await readWithDuckdb(bytes, `WHERE c4 > ${131_071 / 7}`)).length).toBe(rowCount - 131_072);
  });
});

const MONTH = 30n * 86_400_000_000_000n;
/** The table before it got some of its columns, a tag among them. */
const EARLIER: TableDefinition = { ...TABLE, columns: columns.filter(({ name }) => name !== "Room" && name !== "s"), seriesKey: ["host", "room"] };

describe("a merged file", () => {
  it("holds what one snapshot of all its rows would hold, also after new columns and tags", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(row, { minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 5 }), fc.nat(5), async (drawn, evolveAt) => {
        const batches = drawn.map((rows, index) => (index < evolveAt ? rows.map(({ Room: _, s: _s, ...rest }) => rest) : rows));
        const windows = new Map<bigint, Uint8Array[]>();
        batches.forEach((rows, index) => {
          const table = index < evolveAt ? EARLIER : TABLE;
          for (const chunk of run(splitByChunk([batchOf(1, COLUMNS, rows)], GEN1))) {
            const start = chunkStart(chunk.start, MONTH);
            windows.set(start, [...(windows.get(start) ?? []), run(encodeChunk(table, chunk)).bytes]);
          }
        });
        const expected = model(batches, MONTH);
        expect(windows.size).toBe(expected.size);
        for (const [start, files] of windows) {
          const merged = run(encodeMerged({ table: TABLE, windowStart: start, files: files.map((bytes) => readParquetLayout(bytes)) }));
          const points = expected.get(start) as Row[];
          const read = shown(points).map((cells) => cells.map((cell) => (typeof cell === "string" ? cell.replace(/^\uFEFF/, "") : cell)));
          expect(await readWithHyparquet(merged.bytes)).toEqual(read);
          expect(merged.rowCount).toBe(points.length);
          const times = points.map((point) => point["time"] as bigint);
          expect([merged.timeMin, merged.timeMax]).toEqual([times.reduce((a, b) => (a < b ? a : b)), times.reduce((a, b) => (a > b ? a : b))]);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("our reader", () => {
  const file = (): Uint8Array => {
    const rows = Array.from({ length: 300 }, (_, index): Row => ({ host: `h${index % 3}`, time: START + BigInt(index), f: index % 7 === 0 ? undefined : index / 3, i: BigInt(index % 5), b: index % 2 === 0, s: index % 11 === 0 ? undefined : `text ${index % 4}` }));
    return (filesOf([rows])[0] as { file: EncodedChunk }).file.bytes;
  };
  const readAll = (bytes: Uint8Array): void => {
    const layout = readParquetLayout(bytes);
    for (const column of columns) readParquetColumn(layout, column);
  };

  it("takes damaged bytes as a value or a typed error, nothing else", () => {
    const whole = file();
    readAll(whole);
    let refused = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.option(fc.nat(whole.length), { nil: undefined }), (changes, size) => {
        const bytes = whole.slice(0, size);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          readAll(bytes);
        } catch (error) {
          if (!isDatabaseError(error) || error.code === "internal.invariant") throw error;
          refused++;
        }
      }),
      { numRuns: Number(process.env["FUZZ_RUNS"] ?? 3_000) },
    );
    expect(refused).toBeGreaterThan(100);
  });
});
