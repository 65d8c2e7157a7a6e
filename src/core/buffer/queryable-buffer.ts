/**
 * The queryable buffer: committed table batches in WAL order, by table and by database, in memory of their own. Room is
 * reserved before a write is accepted, so a committed batch is never refused; the bytes counted are those held plus
 * those promised. Batches never change while a reader has them pinned.
 */
import { TABLE_BATCH_HEADER_BYTES, type TableBatchView } from "../columns/table-batch.ts";
import { assert } from "../errors/assert.ts";
import { DatabaseError } from "../errors/database-error.ts";
import { BatchMemory } from "./batch-memory.ts";
import { COPIES_KEPT_SHARE, MEMORY_KEPT_SHARE, SERIES_INDEX_SHARE } from "./limits.ts";
import { SeriesHasher } from "./series-hash.ts";
import type { Repeated } from "./repeated-times.ts";
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
  /** Times at which a point may stand twice. */
  readonly repeated: Repeated;
}

/** What an encoded batch costs; the series index comes on top. */
export function batchCost(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, TABLE_BATCH_HEADER_BYTES);
  return bufferedBytes(bytes.length, view.getUint32(8, true), view.getUint32(12, true));
}

export class QueryableBuffer {
  readonly limitBytes: number;
  readonly #tables = new Map<number, TableBuffer>();
  readonly #hasher = new SeriesHasher();
  readonly #memory: BatchMemory;
  /** That of copies, which go to another thread and come back: a batch's own memory is never moved away under a reader. */
  readonly #copyMemory: BatchMemory;
  readonly #byDatabase = new Map<number, CommittedBatch[]>();
  /** Positions of readers of the feed, by database: what they have not read stays. */
  readonly #readers = new Map<number, Set<() => number>>();
  #held = 0;
  /** Of `#held`: what no snapshot has taken. */
  #unpersisted = 0;
  #persistedSequence = 0;
  #startedAfter = 0;
  #readerBytesMax = Number.POSITIVE_INFINITY;
  /** By database: what was let go of, so that `since` is complete only after it. */
  readonly #droppedThrough = new Map<number, number>();
  #working = 0;
  #keptFree = 0;
  #reserved = 0;
  #indexBytes = 0;
  #rowCount = 0;
  #freed: () => void = () => undefined;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
    this.#memory = new BatchMemory(limitBytes * MEMORY_KEPT_SHARE);
    this.#copyMemory = new BatchMemory(limitBytes * COPIES_KEPT_SHARE);
  }

  /** Held and promised bytes, what snapshots work with, and memory that is kept for reuse. */
  get bytes(): number {
    return this.#taken + this.#working + this.keptBytes;
  }

  /** Of `bytes`: memory that holds no rows and is kept for the next ones. */
  get keptBytes(): number {
    return this.#memory.keptBytes + this.#copyMemory.keptBytes;
  }

  /** Bytes of batches that no snapshot has taken. */
  get unpersistedBytes(): number {
    return this.#unpersisted;
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

  /** Promises room for a write that is not accepted yet; false: there is none. */
  tryReserve(bytes: number): boolean {
    if (this.#taken + bytes > this.#roomBytes) return false;
    this.#reserved += bytes;
    this.#fitKept();
    return true;
  }

  /** Held and promised. */
  get #taken(): number {
    return this.#held + this.#reserved + this.#indexBytes;
  }

  /** What rows may take. */
  get #roomBytes(): number {
    return this.limitBytes - Math.max(this.#keptFree, this.#working);
  }

  /** Leaves so much of the limit to snapshots: rows may take the rest. */
  keepFree(bytes: number): void {
    this.#keptFree = bytes;
  }

  /** What a writer is told who finds no room. */
  fullError(): DatabaseError {
    return new DatabaseError("buffer.full", {
      message: `The queryable buffer is full (${this.#taken} of ${this.#roomBytes} bytes)`,
      hint: "write again in a moment: rows leave it when they are persisted; if it lasts, look at /health, or raise --memory-limit or --buffer-size",
      details: { used: this.#taken, limit: this.#roomBytes },
    });
  }

  /** Takes a promise back. */
  release(bytes: number): void {
    this.#keepPromise(bytes);
    this.#freed();
  }

  #keepPromise(bytes: number): void {
    assert(bytes <= this.#reserved, "no more is released than was reserved");
    this.#reserved -= bytes;
  }

  /** Called when there may be more room than before. */
  onFreed(listener: () => void): void {
    this.#freed = listener;
  }

  /**
   * Batches that are in the buffer now stay as they are until the returned function is called; without it their memory may
   * hold others once they are persisted. A reader of the feed need not pin.
   */
  pin(): () => void {
    return this.#memory.pin();
  }

  /** Memory for copies of batches; whoever makes them counts them. */
  readonly copies = {
    copy: (bytes: Uint8Array): Uint8Array => this.#copyMemory.copy(bytes),
    giveBack: (copy: Uint8Array): void => {
      this.#copyMemory.giveBack(copy);
      this.#fitKept();
    },
  };

  /** Takes a copy in, with its room reserved before or (on replay) without; the batch with the buffer's own bytes. */
  append(batch: CommittedBatch, options: { readonly reserved: boolean }): CommittedBatch {
    const own: CommittedBatch = { ...batch, bytes: this.#memory.copy(batch.bytes) };
    const cost = batchCost(own.bytes);
    if (options.reserved) this.#keepPromise(cost);
    this.#held += cost;
    this.#unpersisted += cost;
    this.#rowCount += own.rowCount;
    let table = this.#tables.get(own.tableId);
    if (table === undefined) {
      this.#tables.set(own.tableId, (table = new TableBuffer(this.#hasher)));
      this.#indexBytes += table.indexBytes;
    }
    const before = table.indexBytes;
    table.append(own.bytes, own.sequence);
    this.#indexBytes += table.indexBytes - before;
    this.#fitKept();
    if (this.#indexBytes > this.limitBytes * SERIES_INDEX_SHARE || this.#taken + this.#working > this.limitBytes) this.#giveUpIndex(table);
    const all = this.#byDatabase.get(own.databaseId);
    if (all === undefined) this.#byDatabase.set(own.databaseId, [own]);
    else all.push(own);
    return own;
  }

  /** What is kept for reuse goes where it would exceed the limit. */
  #fitKept(): void {
    for (const memory of [this.#copyMemory, this.#memory]) {
      const surplus = this.bytes - this.limitBytes;
      if (surplus > 0) memory.release(surplus);
    }
  }

  #giveUpIndex(table: TableBuffer): void {
    this.#indexBytes -= table.indexBytes;
    table.giveUpIndex();
  }

  /** The table's batches as they are now; undefined when there are none. */
  table(tableId: number): BufferedTable | undefined {
    const table = this.#tables.get(tableId);
    return table === undefined ? undefined : { batches: table.views(), rowCount: table.rowCount, repeated: table.repeated };
  }

  /** Batches of the database with a greater sequence, in WAL order; those that come while iterating are included. */
  *since(databaseId: number, sequence: number): Generator<CommittedBatch> {
    const all = this.#byDatabase.get(databaseId) ?? [];
    for (let index = firstAfter(all, sequence); index < all.length; index++) yield all[index] as CommittedBatch;
  }

  /** Counts memory that a snapshot works with (or, negative, gives back): writers see less room meanwhile. */
  charge(bytes: number): void {
    this.#working += bytes;
    if (bytes < 0) this.#freed();
    else this.#fitKept();
  }

  /**
   * The longest prefix of the WAL in the buffer that ends at or before `sequence` and takes about `bytesMax`; at least
   * one record. Undefined: there is nothing.
   */
  prefix(sequence: number, bytesMax: number): number | undefined {
    const costs = new Map<number, number>();
    let cut = false;
    for (const all of this.#byDatabase.values()) {
      let sum = 0;
      for (let index = firstAfter(all, this.#persistedSequence); index < all.length; index++) {
        const batch = all[index] as CommittedBatch;
        cut ||= sum > bytesMax;
        if (sum > bytesMax || batch.sequence > sequence) break;
        const cost = batchCost(batch.bytes);
        sum += cost;
        costs.set(batch.sequence, (costs.get(batch.sequence) ?? 0) + cost);
      }
    }
    let [sum, end] = [0, undefined as number | undefined];
    for (const candidate of [...costs.keys()].sort((left, right) => left - right)) {
      sum += costs.get(candidate) as number;
      if (end !== undefined && sum > bytesMax) return end;
      end = candidate;
    }
    // Records of deleted tables at the end hold nothing to persist, so they are covered too.
    return end === undefined || cut ? end : sequence;
  }

  /** Batches of each table up to a sequence. */
  *through(sequence: number): Generator<readonly [tableId: number, batches: readonly TableBatchView[]]> {
    for (const [tableId, table] of this.#tables) {
      const batches = table.viewsThrough(sequence);
      if (batches.length > 0) yield [tableId, batches];
    }
  }

  /** Lets go of what a snapshot has persisted. Rows that a reader of the feed has not read stay for it alone. */
  dropThrough(sequence: number): void {
    for (const [tableId, table] of [...this.#tables]) {
      const rest = table.after(sequence);
      this.#indexBytes += (rest?.indexBytes ?? 0) - table.indexBytes;
      this.#rowCount += (rest?.rowCount ?? 0) - table.rowCount;
      if (rest === undefined) this.#tables.delete(tableId);
      else this.#tables.set(tableId, rest);
    }
    for (const all of this.#byDatabase.values()) {
      const end = firstAfter(all, sequence);
      for (let index = firstAfter(all, this.#persistedSequence); index < end; index++) this.#unpersisted -= batchCost((all[index] as CommittedBatch).bytes);
    }
    this.#persistedSequence = Math.max(this.#persistedSequence, sequence);
    this.trim();
  }

  /** Bytes of persisted rows that readers of the feed keep. */
  get readerBytes(): number {
    return this.#held - this.#unpersisted;
  }

  /** Readers together keep about this much of what is persisted; older rows go whoever needs them. */
  setReaderBytesMax(bytes: number): void {
    this.#readerBytesMax = bytes;
  }

  /** Rows up to this sequence were persisted before the buffer saw them. */
  startAfter(sequence: number): void {
    this.#persistedSequence = sequence;
    this.#startedAfter = sequence;
  }

  /** `since` knows all rows of the database after this sequence, and not all before. */
  completeAfter(databaseId: number): number {
    return this.#droppedThrough.get(databaseId) ?? this.#startedAfter;
  }

  /** Keeps rows of the database after `position()` until the returned function is called. */
  hold(databaseId: number, position: () => number): () => void {
    const readers = this.#readers.get(databaseId) ?? new Set();
    this.#readers.set(databaseId, readers.add(position));
    return () => void readers.delete(position);
  }

  /** Lets go of persisted rows that all readers have passed, and of the oldest that readers keep beyond their limit. */
  trim(): void {
    for (const [databaseId, all] of this.#byDatabase) {
      let through = this.#persistedSequence;
      const readers = this.#readers.get(databaseId);
      for (const position of readers ?? []) through = Math.min(through, position());
      // A run may still work with rows that its trigger has passed.
      this.#letGo(databaseId, all, { through, reuse: (readers?.size ?? 0) === 0 });
    }
    if (this.readerBytes > this.#readerBytesMax) {
      const through = this.#readerCut();
      for (const [databaseId, all] of this.#byDatabase) this.#letGo(databaseId, all, { through, reuse: false });
    }
    this.#fitKept();
    this.#freed();
  }

  /** Memory without rows that was not needed since the last call goes back to the system. */
  releaseUnused(): void {
    this.#memory.releaseUnused();
    this.#copyMemory.releaseUnused();
  }

  /** The sequence up to which persisted rows must go, so that what readers keep is within its limit. */
  #readerCut(): number {
    const kept = [...this.#byDatabase.values()].flatMap((all) => all.slice(0, firstAfter(all, this.#persistedSequence)));
    let surplus = this.readerBytes - this.#readerBytesMax;
    for (const batch of kept.sort((left, right) => left.sequence - right.sequence)) {
      surplus -= batchCost(batch.bytes);
      if (surplus <= 0) return batch.sequence;
    }
    return this.#persistedSequence;
  }

  #letGo(databaseId: number, all: readonly CommittedBatch[], { through, reuse }: { readonly through: number; readonly reuse: boolean }): void {
    const end = firstAfter(all, through);
    this.#droppedThrough.set(databaseId, Math.max(this.completeAfter(databaseId), through));
    if (end === 0) return;
    for (let index = 0; index < end; index++) {
      const { bytes } = all[index] as CommittedBatch;
      this.#held -= batchCost(bytes);
      if (!reuse) continue;
      this.#hasher.forget(bytes);
      this.#memory.giveBack(bytes);
    }
    this.#byDatabase.set(databaseId, all.slice(end));
  }

  /** Forgets a table's batches and gives their bytes back. Must not run while `since` is iterated. */
  dropTable(databaseId: number, tableId: number): void {
    const all = this.#byDatabase.get(databaseId) ?? [];
    for (const batch of all) {
      if (batch.tableId !== tableId) continue;
      this.#held -= batchCost(batch.bytes);
      if (batch.sequence > this.#persistedSequence) this.#unpersisted -= batchCost(batch.bytes);
    }
    this.#byDatabase.set(databaseId, all.filter((batch) => batch.tableId !== tableId));
    const table = this.#tables.get(tableId);
    this.#indexBytes -= table?.indexBytes ?? 0;
    this.#rowCount -= table?.rowCount ?? 0;
    this.#tables.delete(tableId);
    this.#freed();
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
