import { describe, expect, it } from "vitest";
import { decodeTableBatch, encodeTableBatch } from "../columns/table-batch.ts";
import { planCalls, type PendingBatch } from "./plan-calls.ts";

function batch(tableName: string, values: number[]): PendingBatch {
  const bytes = encodeTableBatch({
    databaseId: 0, tableId: 1, rowCount: values.length, timeMin: 0n, timeMax: 0n,
    columns: [{ name: "time", type: "time", values: BigInt64Array.from(values, BigInt) }],
  });
  return { tableName, columns: ["time"], bytes, rowCount: values.length };
}

const shape = (calls: ReturnType<typeof planCalls>): [string, bigint[]][][] =>
  calls.map((call) =>
    call.map((table): [string, bigint[]] => [
      table.tableName,
      table.batches.flatMap((bytes) => {
        const body = decodeTableBatch(bytes).columns[0]?.body.slice() ?? new Uint8Array();
        return [...new BigInt64Array(body.buffer)];
      }),
    ]),
  );

describe("planCalls()", () => {
  it("gives one call with tables in the order of their first write (processing-engine §6)", () => {
    const calls = planCalls([batch("b", [1]), batch("a", [2]), batch("b", [3, 4])], 1e9);
    expect(shape(calls)).toEqual([[["b", [1n, 3n, 4n]], ["a", [2n]]]]);
  });

  it("splits by table, then by rows, and loses or doubles none", () => {
    const calls = planCalls([batch("a", [1, 2, 3, 4, 5]), batch("b", [6])], 2.6 * 296 + 200);
    expect(calls.length).toBeGreaterThan(2);
    const rows = shape(calls).flat();
    expect(rows.flatMap(([, values]) => values)).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
    expect(rows.at(-1)?.[0]).toBe("b");
  });

  it("still delivers a row that alone is larger than the limit", () => expect(shape(planCalls([batch("a", [1, 2])], 1))).toEqual([[["a", [1n]]], [["a", [2n]]]]));
  it("makes no call for nothing", () => expect(planCalls([], 100)).toEqual([]));
});
