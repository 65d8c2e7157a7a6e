// Goal: encode and decode agree on every value, and hostile bytes give a value or a DatabaseError, nothing else.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDatabaseError } from "../errors/database-error.ts";
import { cellReader } from "../../testing/table-rows.ts";
import { sliceTableBatch } from "./slice.ts";
import { decodeTableBatch, encodeTableBatch, encodeTableBatchInto, tableBatchSize, type ColumnValues, type ColumnView, type TableBatchInput } from "./table-batch.ts";

type Cell = bigint | number | boolean | string | undefined;

interface ModelColumn {
  readonly name: string;
  readonly type: Exclude<ColumnValues["type"], "null">;
  readonly cells: readonly Cell[];
}

const encoder = new TextEncoder();

function textColumn(texts: readonly string[]): { offsets: Uint32Array; bytes: Uint8Array } {
  const parts = texts.map((text) => encoder.encode(text));
  const offsets = new Uint32Array(texts.length + 1);
  parts.forEach((part, index) => (offsets[index + 1] = (offsets[index] as number) + part.length));
  const bytes = new Uint8Array(offsets[texts.length] as number);
  parts.forEach((part, index) => bytes.set(part, offsets[index]));
  return { offsets, bytes };
}

function toValues(column: ModelColumn): ColumnValues {
  const { name, cells } = column;
  const valid = Uint8Array.from(cells, (cell) => (cell === undefined ? 0 : 1));
  switch (column.type) {
    case "int64":
    case "time":
      return { name, valid, type: column.type, values: BigInt64Array.from(cells, (cell) => (cell ?? 0n) as bigint) };
    case "uint64":
      return { name, valid, type: "uint64", values: BigUint64Array.from(cells, (cell) => (cell ?? 0n) as bigint) };
    case "float64":
      return { name, valid, type: "float64", values: Float64Array.from(cells, (cell) => (cell ?? 0) as number) };
    case "bool":
      return { name, valid, type: "bool", values: Uint8Array.from(cells, (cell) => (cell === true ? 1 : 0)) };
    case "utf8":
      return { name, valid, type: "utf8", ...textColumn(cells.map((cell) => (cell ?? "") as string)) };
    case "tag": {
      const words = [...new Set(cells.filter((cell) => cell !== undefined))] as string[];
      return { name, valid, type: "tag", indexes: Uint32Array.from(cells, (cell) => (cell === undefined ? 0 : words.indexOf(cell as string))), ...textColumn(words) };
    }
  }
}

const cellOf = {
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  time: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  float64: fc.double({ noNaN: true }),
  bool: fc.boolean(),
  utf8: fc.string({ unit: "grapheme" }),
  tag: fc.string({ unit: "grapheme", minLength: 1 }),
} satisfies Record<ModelColumn["type"], fc.Arbitrary<Cell>>;

const columnOf = (rows: number, name: string): fc.Arbitrary<ModelColumn> =>
  fc.constantFrom(...(Object.keys(cellOf) as ModelColumn["type"][])).chain((type) =>
    fc.array(fc.option(cellOf[type] as fc.Arbitrary<Cell>, { nil: undefined }), { minLength: rows, maxLength: rows }).map((cells) => ({ name, type, cells })),
  );

const model = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 })).chain(([rows, names]) =>
  fc.tuple(...names.map((name) => columnOf(rows, name))).map((columns): { rows: number; columns: ModelColumn[] } => ({ rows, columns: [...columns] })),
);

const toInput = (rows: number, columns: readonly ModelColumn[]): TableBatchInput => ({
  databaseId: 3, tableId: 7, rowCount: rows, timeMin: -5n, timeMax: 9n, columns: columns.map(toValues),
});

describe("table batch", () => {
  it("gives back every value, and its size is known before", () => {
    fc.assert(
      fc.property(model, ({ rows, columns }) => {
        const input = toInput(rows, columns);
        const bytes = encodeTableBatch(input);
        expect(bytes.length).toBe(tableBatchSize(input));
        const view = decodeTableBatch(bytes);
        expect([view.databaseId, view.tableId, view.rowCount, view.timeMin, view.timeMax]).toEqual([3, 7, rows, -5n, 9n]);
        for (const [index, column] of columns.entries()) {
          const decoded = view.columns[index] as ColumnView;
          expect(decoded.name).toBe(column.name);
          expect(column.cells.map((_, row) => cellReader(decoded, rows)(row))).toEqual(column.cells);
        }
      }),
    );
  });

  it("slices to the same values", () => {
    fc.assert(
      fc.property(model, fc.nat(), fc.nat(), ({ rows, columns }, a, b) => {
        const from = a % rows;
        const to = from + 1 + (b % (rows - from));
        const sliced = decodeTableBatch(sliceTableBatch(decodeTableBatch(encodeTableBatch(toInput(rows, columns))), from, to));
        for (const [index, column] of columns.entries()) {
          const cells = Array.from({ length: to - from }, (_, row) => cellReader(sliced.columns[index] as ColumnView, to - from)(row));
          expect(cells).toEqual(column.cells.slice(from, to));
        }
      }),
    );
  });

  it("writes every byte, whatever the memory held before", () => {
    fc.assert(
      fc.property(model, ({ rows, columns }) => {
        const input = toInput(rows, columns);
        const fresh = encodeTableBatch(input);
        const used = new Uint8Array(fresh.length + 16).fill(0xa5);
        expect(encodeTableBatchInto(input, used, 8)).toBe(fresh.length);
        expect(Buffer.compare(used.subarray(8, 8 + fresh.length), fresh)).toBe(0);
        expect([...used.subarray(0, 8), ...used.subarray(8 + fresh.length)]).toEqual(Array.from({ length: 16 }, () => 0xa5));
      }),
    );
  });

  it("answers damaged bytes with a DatabaseError or a batch, and nothing else", () => {
    fc.assert(
      fc.property(model, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }), fc.nat(), ({ rows, columns }, damage, cut) => {
        const bytes = encodeTableBatch(toInput(rows, columns));
        for (const [at, value] of damage) bytes[at % bytes.length] = value;
        try {
          const view = decodeTableBatch(bytes.subarray(0, cut % 3 === 0 ? cut % bytes.length : bytes.length));
          for (const column of view.columns) for (let row = 0; row < Math.min(view.rowCount, 40); row++) cellReader(column, view.rowCount)(row);
        } catch (error) {
          if (!isDatabaseError(error)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
