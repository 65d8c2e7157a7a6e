/** Reads a table batch back as plain rows, for tests: absent values are left out, 64-bit numbers are bigint. */
import { ENCODED } from "../core/columns/column-type.ts";
import type { ColumnView, TableBatchView } from "../core/columns/table-batch.ts";

export type Cell = string | number | bigint | boolean;
export type Row = Readonly<Record<string, Cell>>;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function rowsOf(view: TableBatchView): Row[] {
  const columns = view.columns.map((column) => cellReader(column, view.rowCount));
  return Array.from({ length: view.rowCount }, (_, row) => {
    const cells: [string, Cell][] = [];
    view.columns.forEach((column, index) => {
      const cell = columns[index]?.(row);
      if (cell !== undefined) cells.push([column.name, cell]);
    });
    return Object.fromEntries(cells);
  });
}

/** Reads cells of a column by row; undefined: absent. */
export function cellReader(column: ColumnView, rowCount: number): (row: number) => Cell | undefined {
  const body = column.body.slice();
  const view = new DataView(body.buffer);
  const text = (offsetsAt: number, count: number, index: number): string => {
    const start = offsetsAt + (count + 1) * 4;
    return decoder.decode(body.subarray(start + view.getUint32(offsetsAt + index * 4, true), start + view.getUint32(offsetsAt + index * 4 + 4, true)));
  };
  const read = (row: number): Cell | undefined => {
    switch (column.type) {
      case ENCODED.null:
        return undefined;
      case ENCODED.int64:
      case ENCODED.time:
        return view.getBigInt64(row * 8, true);
      case ENCODED.uint64:
        return view.getBigUint64(row * 8, true);
      case ENCODED.float64:
        return view.getFloat64(row * 8, true);
      case ENCODED.bool:
        return body[row] === 1;
      case ENCODED.utf8:
        return text(0, rowCount, row);
      case ENCODED.tag:
        return text(4 + rowCount * 4, view.getUint32(0, true), view.getUint32(4 + row * 4, true));
    }
  };
  const valid = (row: number): boolean => column.validity === undefined || (((column.validity[row >> 3] as number) >> (row & 7)) & 1) === 1;
  return (row) => (valid(row) ? read(row) : undefined);
}
