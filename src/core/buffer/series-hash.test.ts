// Goal: hashes do not depend on what was hashed before, though a batch like the one before is only compared.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeTableBatch, type ColumnValues, type TableBatchView, viewTableBatch } from "../columns/table-batch.ts";
import { COMPARED_ROWS_MIN } from "./limits.ts";
import { SeriesHasher } from "./series-hash.ts";

const encoder = new TextEncoder();

/** Values by row; empty: absent. */
function tag(name: string, cells: readonly string[]): ColumnValues {
  const words = [...new Set(cells)];
  const offsets = Uint32Array.from([0, ...words], (_, index) => encoder.encode(words.slice(0, index).join("")).length);
  const valid = cells.includes("") ? Uint8Array.from(cells, (cell) => (cell === "" ? 0 : 1)) : undefined;
  return { name, type: "tag", valid, indexes: Uint32Array.from(cells, (cell) => words.indexOf(cell)), offsets, bytes: encoder.encode(words.join("")) };
}

function batch(tableId: number, columns: readonly ColumnValues[], rowCount: number): TableBatchView {
  return viewTableBatch(encodeTableBatch({ databaseId: 1, tableId, rowCount, timeMin: 0n, timeMax: 0n, columns }));
}

const rows = fc.constantFrom(COMPARED_ROWS_MIN - 1, COMPARED_ROWS_MIN, COMPARED_ROWS_MIN + 3);
/** Few kinds, so that neighbours are often the same or nearly so. */
const anyBatch = fc.record({ tableId: fc.constantFrom(1, 2), rowCount: rows, names: fc.constantFrom(["a", "b"], ["b", "a"], ["a"]), odd: fc.constantFrom(-1, 0, 40, 62), oddCell: fc.constantFrom("y", "") });

describe("SeriesHasher", () => {
  it("gives each batch the hashes that a new one gives it", () => {
    let same = 0;
    fc.assert(
      fc.property(fc.array(anyBatch, { minLength: 2, maxLength: 6 }), (specs) => {
        const hasher = new SeriesHasher();
        specs.forEach(({ tableId, rowCount, names, odd, oddCell }, index) => {
          const cells = Array.from({ length: rowCount }, (_, row) => (row === odd ? oddCell : `x${row % 3}`));
          const view = batch(tableId, names.map((name) => tag(name, cells)), rowCount);
          const { low, high } = hasher.hash(view);
          const fresh = new SeriesHasher().hash(view);
          expect([...low]).toEqual([...fresh.low]);
          expect([...high]).toEqual([...fresh.high]);
          if (index > 0 && JSON.stringify(specs[index - 1]) === JSON.stringify(specs[index])) same++;
        });
      }),
      { numRuns: 300 },
    );
    expect(same).toBeGreaterThan(0);
  });
});
