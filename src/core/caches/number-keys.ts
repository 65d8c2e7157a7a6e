/**
 * Numbers the combinations of some columns' values in a batch, so that a cache does its work once for each combination
 * and not once for each row. Tags cost an array look-up a row, other types a map look-up.
 */
import { type CellValue, cellAt, columnOf, hasValue, tagAt } from "../columns/cells.ts";
import { ENCODED } from "../columns/column-type.ts";
import type { ColumnView, TableBatchView } from "../columns/table-batch.ts";

export interface NumberedKeys {
  /** By row, below `keys.length`. */
  readonly ids: Uint32Array;
  /** The values of each combination; of a single column also such that no row has. */
  readonly keys: readonly (readonly CellValue[])[];
}

export function numberKeys(batch: TableBatchView, columns: readonly string[]): NumberedKeys {
  let ids: Uint32Array = new Uint32Array(batch.rowCount);
  let keys: (readonly CellValue[])[] = [[]];
  for (const [index, name] of columns.entries()) {
    const { codes, values } = codesOf(batch, columnOf(batch, name));
    if (index === 0) {
      // Its codes are the ids, also those that no row has.
      keys = values.map((value) => [value]);
      ids = codes;
      continue;
    }
    const known = new Map<number, number>();
    const next = new Uint32Array(batch.rowCount);
    const nextKeys: (readonly CellValue[])[] = [];
    for (let row = 0; row < batch.rowCount; row++) {
      const pair = (ids[row] as number) * values.length + (codes[row] as number);
      let id = known.get(pair);
      if (id === undefined) {
        id = nextKeys.push([...(keys[ids[row] as number] as readonly CellValue[]), values[codes[row] as number] as CellValue]) - 1;
        known.set(pair, id);
      }
      next[row] = id;
    }
    ids = next;
    keys = nextKeys;
  }
  return { ids, keys };
}

/** Code 0 is NULL. */
function codesOf(batch: TableBatchView, column: ColumnView | undefined): { readonly codes: Uint32Array; readonly values: readonly CellValue[] } {
  const { rowCount } = batch;
  const codes = new Uint32Array(rowCount);
  if (column === undefined) return { codes, values: [null] };
  if (column.type === ENCODED.tag) {
    const view = new DataView(column.body.buffer, column.body.byteOffset, column.body.byteLength);
    for (let row = 0; row < rowCount; row++) codes[row] = hasValue(column.validity, row) ? view.getUint32(4 + row * 4, true) + 1 : 0;
    const entries = view.getUint32(0, true);
    return { codes, values: [null, ...Array.from({ length: entries }, (_, entry) => tagAt(column, rowCount, entry))] };
  }
  const known = new Map<CellValue, number>([[null, 0]]);
  for (let row = 0; row < rowCount; row++) {
    const value = cellAt(column, rowCount, row);
    let code = known.get(value);
    if (code === undefined) known.set(value, (code = known.size));
    codes[row] = code;
  }
  return { codes, values: [...known.keys()] };
}
