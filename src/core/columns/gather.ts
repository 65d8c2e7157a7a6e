/** Keeps some rows of a column that is not encoded yet. */
import type { ColumnValues } from "./table-batch.ts";

/** The rows whose byte in `kept` is 1, in memory of its own; a column without any value becomes type `null`. */
export function gatherColumn(column: ColumnValues, kept: Uint8Array, rowCount: number): ColumnValues {
  if (column.type === "null") return column;
  const rows: number[] = [];
  for (let row = 0; row < rowCount; row++) if (kept[row] === 1) rows.push(row);
  const valid = column.valid === undefined ? undefined : Uint8Array.from(rows, (row) => column.valid?.[row] ?? 0);
  if (valid?.every((byte) => byte === 0) === true) return { name: column.name, type: "null" };
  const base = { name: column.name, valid };
  switch (column.type) {
    case "float64":
      return { ...base, type: "float64", values: Float64Array.from(rows, (row) => column.values[row] as number) };
    case "uint64":
      return { ...base, type: "uint64", values: BigUint64Array.from(rows, (row) => column.values[row] as bigint) };
    case "bool":
      return { ...base, type: "bool", values: Uint8Array.from(rows, (row) => column.values[row] as number) };
    case "tag":
      return { ...base, type: "tag", indexes: Uint32Array.from(rows, (row) => column.indexes[row] as number), offsets: column.offsets, bytes: column.bytes };
    case "utf8": {
      const offsets = new Uint32Array(rows.length + 1);
      rows.forEach((row, index) => (offsets[index + 1] = (offsets[index] as number) + (column.offsets[row + 1] as number) - (column.offsets[row] as number)));
      const bytes = new Uint8Array(offsets[rows.length] as number);
      rows.forEach((row, index) => bytes.set(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]), offsets[index]));
      return { ...base, type: "utf8", offsets, bytes };
    }
    default:
      return { ...base, type: column.type, values: BigInt64Array.from(rows, (row) => column.values[row] as bigint) };
  }
}
