/** Reads single cells of a table batch. For loops over whole columns read the bodies as typed arrays instead. */
import { ENCODED } from "./column-type.ts";
import type { ColumnView, TableBatchView } from "./table-batch.ts";

/** bigint for 64-bit integers and time; null: the row has no value. */
export type CellValue = null | boolean | number | bigint | string;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Whether a row has a value. */
export const hasValue = (validity: Uint8Array | undefined, row: number): boolean => validity === undefined || (((validity[row >> 3] as number) >> (row & 7)) & 1) === 1;

/** The batch's column of that name; undefined also for a column without values. */
export function columnOf(batch: TableBatchView, name: string): ColumnView | undefined {
  const column = batch.columns.find((candidate) => candidate.name === name);
  return column?.type === ENCODED.null ? undefined : column;
}

export function cellAt(column: ColumnView | undefined, rowCount: number, row: number): CellValue {
  if (column === undefined || !hasValue(column.validity, row)) return null;
  const { body } = column;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  switch (column.type) {
    case ENCODED.int64:
    case ENCODED.time:
      return view.getBigInt64(row * 8, true);
    case ENCODED.uint64:
      return view.getBigUint64(row * 8, true);
    case ENCODED.float64:
      return view.getFloat64(row * 8, true);
    case ENCODED.bool:
      return body[row] !== 0;
    case ENCODED.utf8:
      return textAt(body, view, 0, rowCount, row);
    case ENCODED.tag:
      return tagAt(column, rowCount, view.getUint32(4 + row * 4, true));
    default:
      return null;
  }
}

/** Reads many cells of a column: what can be prepared is, and each text of a dictionary is decoded once. */
export function cellReader(column: ColumnView | undefined, rowCount: number): (row: number) => CellValue {
  if (column === undefined) return () => null;
  const { validity } = column;
  const view = new DataView(column.body.buffer, column.body.byteOffset, column.body.byteLength);
  switch (column.type) {
    case ENCODED.float64:
      return (row) => (hasValue(validity, row) ? view.getFloat64(row * 8, true) : null);
    case ENCODED.tag: {
      const texts: (string | undefined)[] = [];
      return (row) => {
        if (!hasValue(validity, row)) return null;
        const entry = view.getUint32(4 + row * 4, true);
        return (texts[entry] ??= tagAt(column, rowCount, entry));
      };
    }
    default:
      return (row) => cellAt(column, rowCount, row);
  }
}

/** An entry of a tag column's dictionary. */
export function tagAt({ body }: ColumnView, rowCount: number, entry: number): string {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return textAt(body, view, 4 + rowCount * 4, view.getUint32(0, true), entry);
}

function textAt(body: Uint8Array, view: DataView, offsetsAt: number, count: number, index: number): string {
  const start = offsetsAt + (count + 1) * 4;
  return decoder.decode(body.subarray(start + view.getUint32(offsetsAt + index * 4, true), start + view.getUint32(offsetsAt + index * 4 + 4, true)));
}
