/**
 * The queryable buffer: committed table batches in WAL order, by table and by database, in memory of their own. Room is
 * reserved before a write is accepted, so a committed batch is never refused; the bytes counted are those held plus
 * those promised. Batches never change.
 */
import { TABLE_BATCH_HEADER_BYTES, type TableBatchView } from "../columns/table-batch.ts";
import { assert } from "../errors/assert.ts";
import { DatabaseError } from "../errors/database-error.ts";
import { SERIES_INDEX_SHARE } from "./limits.ts";
import { bufferedBytes, TableBuffer } from "./table-buffer.ts";

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

export interface BufferedTable {
  /** In WAL order. */
  readonly batches: readonly TableBatchView[];
  readonly rowCount: number;
  /** False: the times of every series ascend strictly, so no point stands there twice. */
  readonly mayHaveDuplicates: boolean;
}

/** What an encoded batch costs; the series index comes on top. */
export function batchCost(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, TABLE_BATCH_HEADER_BYTES);
  return bufferedBytes(bytes.length, view.getUint32(8, true), view.getUint32(12, true));
}

export class QueryableBuffer {
  readonly limitBytes: number;
  readonly #tables = new Map<number, TableBuffer>();
  readonly #byDatabase = new Map<number, CommittedBatch[]>();
  #held = 0;
  #reserved = 0;
  #indexBytes = 0;
  #rowCount = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Held and promised bytes. */
  get bytes(): number {
    return this.#held + this.#reserved + this.#indexBytes;
  }

  get indexBytes(): number {
    return this.#indexBytes;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  get tableCount(): number {
    return this.#tables.size;
  }

  /** Promises room for a write that is not accepted yet. Throws `buffer.full`. */
  reserve(bytes: number): void {
    if (this.bytes + bytes > this.limitBytes) {
      throw new DatabaseError("buffer.full", {
        message: `The queryable buffer is full (${this.bytes} of ${this.limitBytes} bytes)`,
        hint: "raise the buffer's memory limit; rows leave it only when they are persisted",
        details: { used: this.bytes, limit: this.limitBytes },
      });
    }
    this.#reserved += bytes;
  }

  /** Takes a promise back. */
  release(bytes: number): void {
    assert(bytes <= this.#reserved, "no more is released than was reserved");
    this.#reserved -= bytes;
  }

  /** Takes a copy in, with its room reserved before or (on replay) without; the batch with the buffer's own bytes. */
  append(batch: CommittedBatch, options: { readonly reserved: boolean }): CommittedBatch {
    const own: CommittedBatch = { ...batch, bytes: batch.bytes.slice() };
    const cost = batchCost(own.bytes);
    if (options.reserved) this.release(cost);
    this.#held += cost;
    this.#rowCount += own.rowCount;
    let table = this.#tables.get(own.tableId);
    if (table === undefined) {
      this.#tables.set(own.tableId, (table = new TableBuffer()));
      this.#indexBytes += table.indexBytes;
    }
    const before = table.indexBytes;
    table.append(own.bytes);
    this.#indexBytes += table.indexBytes - before;
    if (this.#indexBytes > this.limitBytes * SERIES_INDEX_SHARE || this.bytes > this.limitBytes) this.#giveUpIndex(table);
    const all = this.#byDatabase.get(own.databaseId);
    if (all === undefined) this.#byDatabase.set(own.databaseId, [own]);
    else all.push(own);
    return own;
  }

  #giveUpIndex(table: TableBuffer): void {
    this.#indexBytes -= table.indexBytes;
    table.giveUpIndex();
  }

  /** The table's batches as they are now; undefined when there are none. */
  table(tableId: number): BufferedTable | undefined {
    const table = this.#tables.get(tableId);
    return table === undefined ? undefined : { batches: table.views(), rowCount: table.rowCount, mayHaveDuplicates: table.mayHaveDuplicates };
  }

  /** Batches of the database with a greater sequence, in WAL order; those that come while iterating are included. */
  *since(databaseId: number, sequence: number): Generator<CommittedBatch> {
    const all = this.#byDatabase.get(databaseId) ?? [];
    for (let index = firstAfter(all, sequence); index < all.length; index++) yield all[index] as CommittedBatch;
  }

  /** Forgets a table's batches and gives their bytes back. Must not run while `since` is iterated. */
  dropTable(databaseId: number, tableId: number): void {
    const table = this.#tables.get(tableId);
    if (table === undefined) return;
    const all = this.#byDatabase.get(databaseId) ?? [];
    for (const batch of all) if (batch.tableId === tableId) this.#held -= batchCost(batch.bytes);
    this.#byDatabase.set(databaseId, all.filter((batch) => batch.tableId !== tableId));
    this.#indexBytes -= table.indexBytes;
    this.#rowCount -= table.rowCount;
    this.#tables.delete(tableId);
  }
}

/** Index of the first batch after `sequence`: sequences ascend. */
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
