/** Result files as a reader that is not ours sees them. */
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { expect, test } from "vitest";
import { formatParquet } from "./format-parquet.ts";
import type { QueryStream, ResultValue } from "./query-stream.ts";
import { arrowName, BOOLEAN, DATE, DURATION, FLOAT64, INT32, INT64, INTERVAL, TIMESTAMP, UINT64, UTF8, type SqlType } from "./types.ts";

function streamOf(columns: readonly (readonly [string, SqlType])[], batches: readonly (readonly (readonly ResultValue[])[])[]): QueryStream {
  return {
    columns: columns.map(([name, type]) => ({ name, type: arrowName(type), sqlType: type })),
    batches: (async function* () {
      for (const rows of batches) yield { rowCount: rows.length, columns: columns.map((_, index) => rows.map((row) => row[index] ?? null)) };
    })(),
    close: () => Promise.resolve(),
  };
}

async function fileOf(stream: QueryStream): Promise<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of formatParquet(stream)) pieces.push(piece.slice());
  return new Uint8Array(Buffer.concat(pieces)).buffer;
}

test("every type keeps its value, or its text; NULL stays NULL, also among times", async () => {
  const columns = [
    ["i", INT64], ["u", UINT64], ["n", INT32], ["f", FLOAT64], ["b", BOOLEAN], ["s", UTF8], ["t", TIMESTAMP], ["z", { kind: "timestamp", unit: "Nanosecond", zone: "Europe/Oslo" }],
    ["d", DATE], ["p", DURATION], ["v", INTERVAL], ["l", { kind: "list", element: INT64 }], ["o", { kind: "struct", fields: [{ name: "value", type: FLOAT64 }] }], ["tag", { kind: "tag" }],
  ] as const satisfies readonly (readonly [string, SqlType])[];
  const row: readonly ResultValue[] = [
    -(1n << 63n), (1n << 64n) - 1n, 7, 0.5, true, "é", 1_641_024_000_000_000_001n, 1_641_024_000_000_000_000n, 18_993, 5n, { months: 1, days: 0, nanos: 0n }, [1n, null], [1.5], "a",
  ];
  const file = await fileOf(streamOf(columns, [[row], [row.map(() => null)]]));
  const rows = (await parquetReadObjects({ file })) as Record<string, unknown>[];
  const { t, z, ...rest } = rows[0] as Record<string, unknown>;
  expect(rest).toEqual({ i: -(1n << 63n), u: (1n << 64n) - 1n, n: 7n, f: 0.5, b: true, s: "é", d: "2022-01-01", p: 5n, v: "1 mons", l: "[1,null]", o: '{"value":1.5}', tag: "a" });
  expect([t, z].map((time) => (time as Date).toISOString())).toEqual(["2022-01-01T08:00:00.000Z", "2022-01-01T08:00:00.000Z"]);
  expect(new Set(Object.values(rows[1] as object))).toEqual(new Set([null]));
  const schema = parquetMetadata(file).schema.slice(1);
  expect(schema.map(({ repetition_type: repetition }) => repetition)).toEqual(columns.map(() => "OPTIONAL"));
  expect(schema.filter(({ name }) => name === "t" || name === "z").map(({ logical_type: logical }) => logical)).toEqual([
    { type: "TIMESTAMP", isAdjustedToUTC: false, unit: "NANOS" }, { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "NANOS" },
  ]);
});

test("long results come in row groups, one after another", async () => {
  const batch = (from: number): ResultValue[][] => Array.from({ length: 10_000 }, (_, index) => [BigInt(from + index)]);
  const file = await fileOf(streamOf([["i", INT64]], [batch(0), batch(10_000), batch(20_000), batch(30_000), batch(40_000)]));
  const { row_groups: groups } = parquetMetadata(file);
  expect(groups.map((group) => Number(group.num_rows))).toEqual([20_000, 20_000, 10_000]);
  const rows = (await parquetReadObjects({ file })) as { i: bigint }[];
  expect(rows.map(({ i }) => i)).toEqual(Array.from({ length: 50_000 }, (_, index) => BigInt(index)));
});

test("no batch gives no byte; a batch without rows gives a file without rows", async () => {
  expect((await fileOf(streamOf([["i", INT64]], []))).byteLength).toBe(0);
  const empty = await fileOf(streamOf([["i", INT64]], [[]]));
  expect([parquetMetadata(empty).row_groups.length, (await parquetReadObjects({ file: empty })).length]).toEqual([0, 0]);
});
