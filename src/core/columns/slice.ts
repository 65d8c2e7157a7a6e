/** Cuts rows out of a table batch: big flushes reach a plugin in consecutive calls (design §8.11). */
import { assert } from "../errors/assert.ts";
import { ENCODED } from "./column-type.ts";
import { encodeTableBatch, type ColumnValues, type ColumnView, type TableBatchView } from "./table-batch.ts";

/** Rows `from` to `to` (exclusive) as an encoded batch of their own; the time bounds stay those of the whole. */
export function sliceTableBatch(view: TableBatchView, from: number, to: number): Uint8Array<ArrayBuffer> {
  assert(from >= 0 && from < to && to <= view.rowCount, "a slice lies inside its batch");
  return encodeTableBatch({
    databaseId: view.databaseId,
    tableId: view.tableId,
    rowCount: to - from,
    timeMin: view.timeMin,
    timeMax: view.timeMax,
    columns: view.columns.map((column) => sliceColumn(column, view.rowCount, from, to)),
  });
}

function sliceColumn(column: ColumnView, rowCount: number, from: number, to: number): ColumnValues {
  const valid = column.validity === undefined ? undefined : unpack(column.validity, from, to);
  const base = { name: column.name, valid };
  const body = column.body;
  switch (column.type) {
    case ENCODED.null:
      return { name: column.name, type: "null" };
    case ENCODED.int64:
    case ENCODED.time:
      return { ...base, type: column.type === ENCODED.time ? "time" : "int64", values: new BigInt64Array(copy(body, from * 8, to * 8)) };
    case ENCODED.uint64:
      return { ...base, type: "uint64", values: new BigUint64Array(copy(body, from * 8, to * 8)) };
    case ENCODED.float64:
      return { ...base, type: "float64", values: new Float64Array(copy(body, from * 8, to * 8)) };
    case ENCODED.bool:
      return { ...base, type: "bool", values: body.slice(from, to) };
    case ENCODED.utf8: {
      const offsets = new Uint32Array(copy(body, from * 4, (to + 1) * 4));
      const first = offsets[0] as number;
      const textStart = (rowCount + 1) * 4 + first;
      const bytes = body.subarray(textStart, textStart + ((offsets[to - from] as number) - first));
      return { ...base, type: "utf8", offsets: offsets.map((offset) => offset - first), bytes };
    }
    case ENCODED.tag: {
      const offsetsAt = 4 + rowCount * 4;
      const entries = new DataView(body.buffer, body.byteOffset, 4).getUint32(0, true);
      const textAt = offsetsAt + (entries + 1) * 4;
      return {
        ...base,
        type: "tag",
        indexes: new Uint32Array(copy(body, 4 + from * 4, 4 + to * 4)),
        offsets: new Uint32Array(copy(body, offsetsAt, textAt)),
        bytes: body.subarray(textAt),
      };
    }
  }
}

/** A copy in memory of its own, so that typed arrays need no alignment. */
function copy(body: Uint8Array, from: number, to: number): ArrayBuffer {
  const out = new Uint8Array(to - from);
  out.set(body.subarray(from, to));
  return out.buffer;
}

function unpack(bits: Uint8Array, from: number, to: number): Uint8Array {
  const valid = new Uint8Array(to - from);
  for (let row = from; row < to; row++) valid[row - from] = ((bits[row >> 3] as number) >> (row & 7)) & 1;
  return valid;
}
