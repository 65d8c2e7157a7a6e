/**
 * How the committed batches of one flush become calls of `process_writes`: normally one, and consecutive ones when the
 * decoded rows would not fit into half of the instance's memory (design §8.11). Tables come in the order of their
 * first write, rows in WAL order (spec: processing-engine §6).
 */
import { decodeTableBatch } from "../columns/table-batch.ts";
import { sliceTableBatch } from "../columns/slice.ts";

export interface PendingBatch {
  readonly tableName: string;
  /** All columns of the table in creation order, `time` last. */
  readonly columns: readonly string[];
  readonly bytes: Uint8Array;
  readonly rowCount: number;
}

export interface CallTable {
  readonly tableName: string;
  readonly columns: readonly string[];
  readonly batches: Uint8Array[];
}

/** CPython's dict of a row and one value; generous, since the limit guards against a MemoryError. */
const ROW_BYTES = 232;
const CELL_BYTES = 64;

const rowBytes = (batch: PendingBatch): number => ROW_BYTES + CELL_BYTES * batch.columns.length;

/** Each call decodes to at most `decodedBytesMax`, or holds a single row. */
export function planCalls(batches: readonly PendingBatch[], decodedBytesMax: number): CallTable[][] {
  const calls: CallTable[][] = [];
  let tables = new Map<string, CallTable>();
  let decodedBytes = 0;
  const next = (): void => {
    if (tables.size > 0) calls.push([...tables.values()]);
    tables = new Map();
    decodedBytes = 0;
  };
  for (const batch of byTable(batches)) {
    for (const [bytes, rows] of pieces(batch, Math.max(1, Math.floor(decodedBytesMax / rowBytes(batch))))) {
      const size = rows * rowBytes(batch) + bytes.length;
      if (decodedBytes > 0 && decodedBytes + size > decodedBytesMax) next();
      let table = tables.get(batch.tableName);
      if (table === undefined) tables.set(batch.tableName, (table = { tableName: batch.tableName, columns: batch.columns, batches: [] }));
      table.batches.push(bytes);
      decodedBytes += size;
    }
  }
  next();
  return calls;
}

function byTable(batches: readonly PendingBatch[]): PendingBatch[] {
  const order = new Map<string, PendingBatch[]>();
  for (const batch of batches) {
    const list = order.get(batch.tableName);
    if (list === undefined) order.set(batch.tableName, [batch]);
    else list.push(batch);
  }
  return [...order.values()].flat();
}

function* pieces(batch: PendingBatch, rowsMax: number): Generator<readonly [bytes: Uint8Array, rows: number]> {
  if (batch.rowCount <= rowsMax) {
    yield [batch.bytes, batch.rowCount];
    return;
  }
  const view = decodeTableBatch(batch.bytes);
  for (let from = 0; from < view.rowCount; from += rowsMax) {
    const to = Math.min(view.rowCount, from + rowsMax);
    yield [sliceTableBatch(view, from, to), to - from];
  }
}
