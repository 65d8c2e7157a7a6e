/**
 * The queryable buffer: committed table batches in WAL order, whole and by table, in memory of their own. Counted bytes
 * stay under the limit because a write asks for room before it is accepted. Batches are never changed.
 */
import { decodeTableBatch, type TableBatchView } from "../columns/table-batch.ts";
import { BATCH_OVERHEAD_BYTES, SERIES_INDEX_SHARE } from "./limits.ts";
import { SeriesIndex } from "./series-index.ts";

export interface CommittedBatch {
  /** That of its record: batches of one write request share it. */
  readonly sequence: number;
  readonly databaseId: number;
  readonly tableId: number;
  /** The encoded table batch. */
  readonly bytes: Uint8Array;
  readonly rowCount: number;
  /** Key of the trigger whose run wrote it. */
  readonly origin: string | undefined;
}

interface TableBuffer {
  readonly batches: CommittedBatch[];
  /** Decoded once asked for; as long as `batches` or shorter. */
  readonly views: TableBatchView[];
  rows: number;
  mayHaveDuplicates: boolean;
  /** Undefined once it cannot say more: a duplicate was seen, or its memory was needed. */
  index: SeriesIndex | undefined;
}

export interface BufferedTable {
  readonly batches: readonly TableBatchView[];
  readonly rows: number;
  /** False: every series' times ascend strictly, so no point was written twice. */
  readonly mayHaveDuplicates: boolean;
}

export class QueryableBuffer {
  readonly limitBytes: number;
  private readonly tables = new Map<number, TableBuffer>();
  private readonly byDatabase = new Map<number, CommittedBatch[]>();
  private batchBytes = 0;
  private rows = 0;
  private indexBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.batchBytes + this.indexBytes;
  }

  get seriesIndexBytes(): number {
    return this.indexBytes;
  }

  get rowCount(): number {
    return this.rows;
  }

  /** What a batch of `size` bytes will count. */
  static cost(size: number): number {
    return size + BATCH_OVERHEAD_BYTES;
  }

  /** Takes in a committed batch, whose bytes must be the buffer's own from now on. */
  append(batch: CommittedBatch): void {
    let table = this.tables.get(batch.tableId);
    if (table === undefined) this.tables.set(batch.tableId, (table = { batches: [], views: [], rows: 0, mayHaveDuplicates: false, index: new SeriesIndex() }));
    const all = this.byDatabase.get(batch.databaseId);
    if (all === undefined) this.byDatabase.set(batch.databaseId, [batch]);
    else all.push(batch);
    table.batches.push(batch);
    table.rows += batch.rowCount;
    this.rows += batch.rowCount;
    this.batchBytes += QueryableBuffer.cost(batch.bytes.length);
    if (table.index !== undefined) this.follow(table, table.index);
  }

  private follow(table: TableBuffer, index: SeriesIndex): void {
    const before = index.bytes;
    const repeated = index.add(this.view(table, table.batches.length - 1));
    this.indexBytes += index.bytes - before;
    const tooMuch = this.indexBytes > this.limitBytes * SERIES_INDEX_SHARE || this.usedBytes > this.limitBytes;
    if (!repeated && !tooMuch) return;
    this.indexBytes -= index.bytes;
    table.index = undefined;
    table.mayHaveDuplicates = true;
  }

  private view(table: TableBuffer, position: number): TableBatchView {
    while (table.views.length <= position) table.views.push(decodeTableBatch((table.batches[table.views.length] as CommittedBatch).bytes));
    return table.views[position] as TableBatchView;
  }

  /** The table's batches in WAL order as they are now; undefined when none came. */
  table(tableId: number): BufferedTable | undefined {
    const table = this.tables.get(tableId);
    if (table === undefined) return undefined;
    this.view(table, table.batches.length - 1);
    return { batches: table.views.slice(), rows: table.rows, mayHaveDuplicates: table.mayHaveDuplicates };
  }

  /** Batches of the database with a greater sequence, in WAL order; those that come while iterating are included. */
  *since(databaseId: number, sequence: number): Generator<CommittedBatch> {
    const all = this.byDatabase.get(databaseId);
    if (all === undefined) return;
    for (let index = firstAfter(all, sequence); index < all.length; index++) yield all[index] as CommittedBatch;
  }

  statistics(): { readonly tables: number; readonly rows: number; readonly usedBytes: number; readonly limitBytes: number; readonly seriesIndexBytes: number; readonly series: number } {
    let series = 0;
    for (const table of this.tables.values()) series += table.index?.seriesCount ?? 0;
    return { tables: this.tables.size, rows: this.rows, usedBytes: this.usedBytes, limitBytes: this.limitBytes, seriesIndexBytes: this.indexBytes, series };
  }
}

function firstAfter(batches: readonly CommittedBatch[], sequence: number): number {
  let low = 0;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((batches[middle] as CommittedBatch).sequence <= sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}
