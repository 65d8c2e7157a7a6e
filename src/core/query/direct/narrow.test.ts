// Goal: the engine gets exactly the rows of the named series, in order, or everything. Method: batches of many hosts,
// compared with a filter over their rows.
import { describe, expect, it } from "vitest";
import { rowsOf } from "../../../testing/table-rows.ts";
import { decodeTableBatch, encodeTableBatch, type TableBatchView } from "../../columns/table-batch.ts";
import type { Scan } from "../bind-context.ts";
import { encodeTags } from "../rows-to-batch.ts";
import { narrowBatches } from "./narrow.ts";
import { TagRegistry } from "./tag-codes.ts";

const ROWS = 5_000;

/** Every host once in 500 rows, its tag absent now and then; the texts of even batches stand in another order. */
function batch(index: number): TableBatchView {
  const hosts = Array.from({ length: ROWS }, (_, row) => (row % 7 === 3 ? null : `host_${(index % 2 === 0 ? row : ROWS - row) % 500}`));
  return decodeTableBatch(encodeTableBatch({
    databaseId: 1, tableId: 1, rowCount: ROWS, timeMin: BigInt(index * ROWS), timeMax: BigInt(index * ROWS + ROWS - 1),
    columns: [
      encodeTags("host", hosts),
      { name: "f", type: "float64", values: Float64Array.from({ length: ROWS }, (_, row) => row / 4), valid: Uint8Array.from({ length: ROWS }, (_, row) => (row % 3 === 0 ? 0 : 1)) },
      { name: "time", type: "time", values: BigInt64Array.from({ length: ROWS }, (_, row) => BigInt(index * ROWS + row)) },
    ],
  }));
}

const batches = Array.from({ length: 6 }, (_, index) => batch(index));
const scan = (negated: boolean, ...hosts: string[]): Scan => ({
  id: 1, schema: "iox", name: "t", table: { columns: [{ name: "host", type: "tag" }, { name: "f", type: "float64" }, { name: "time", type: "time" }], deduplicate: false },
  timeMinNs: undefined, timeMaxNs: undefined, tests: [{ column: "host", values: new Set(hosts), negated }],
});

function narrowed(views: readonly TableBatchView[], what: Scan): readonly TableBatchView[] {
  const work = narrowBatches(views, what, 1, new TagRegistry());
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

describe("narrowBatches()", () => {
  it("keeps the rows of the named series with all their columns, in order", () => {
    const got = narrowed(batches, scan(false, "host_5", "host_123", "nowhere"));
    expect(got.flatMap(rowsOf)).toEqual(batches.flatMap(rowsOf).filter((row) => row["host"] === "host_5" || row["host"] === "host_123"));
    expect(got.flatMap(rowsOf).length).toBeGreaterThan(50);
    expect(narrowed(batches, scan(false, "nowhere"))).toEqual([]);
  });

  it("leaves the batches as they are where it would not pay", () => {
    expect(narrowed(batches, scan(true, "host_5"))).toBe(batches);
    expect(narrowed(batches, scan(false, ...Array.from({ length: 300 }, (_, index) => `host_${index}`)))).toBe(batches);
    const few = batches.slice(0, 2);
    expect(narrowed(few, scan(false, "host_5"))).toBe(few);
  });
});
