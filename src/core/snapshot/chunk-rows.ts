/**
 * Splits a table's batches by time chunk. A chunk's rows stay in WAL order: batch by batch, line by line, which is the
 * order in which later values win.
 */
import { ENCODED } from "../columns/column-type.ts";
import type { TableBatchView } from "../columns/table-batch.ts";
import { assert } from "../errors/assert.ts";

/** Rows of one batch that lie in the chunk. */
export interface ChunkPiece {
  readonly batch: TableBatchView;
  /** Ascending; undefined: all of the batch. */
  readonly rows: Uint32Array | undefined;
  readonly rowCount: number;
}

export interface ChunkRows {
  /** Nanoseconds; a multiple of the chunk's length. */
  readonly start: bigint;
  readonly pieces: readonly ChunkPiece[];
  readonly rowCount: number;
}

interface GrowingChunk {
  readonly start: bigint;
  readonly pieces: ChunkPiece[];
  rowCount: number;
}

/** Start of the chunk that holds `time`; also before 1970. */
export function chunkStart(time: bigint, lengthNs: bigint): bigint {
  const rest = time % lengthNs;
  return time - (rest < 0n ? rest + lengthNs : rest);
}

/** Chunks by start, ascending. Pauses after each batch. */
export function* splitByChunk(batches: readonly TableBatchView[], lengthNs: bigint): Generator<undefined, ChunkRows[]> {
  const chunks = new Map<bigint, GrowingChunk>();
  const add = (start: bigint, piece: ChunkPiece): void => {
    let chunk = chunks.get(start);
    if (chunk === undefined) chunks.set(start, (chunk = { start, pieces: [], rowCount: 0 }));
    chunk.pieces.push(piece);
    chunk.rowCount += piece.rowCount;
  };
  for (const batch of batches) {
    if (batch.rowCount === 0) continue;
    const start = chunkStart(batch.timeMin, lengthNs);
    if (start === chunkStart(batch.timeMax, lengthNs)) add(start, { batch, rows: undefined, rowCount: batch.rowCount });
    else for (const [at, rows] of rowsByChunk(batch, lengthNs)) add(at, { batch, rows: Uint32Array.from(rows), rowCount: rows.length });
    yield;
  }
  return [...chunks.values()].sort((left, right) => (left.start < right.start ? -1 : 1));
}

function rowsByChunk(batch: TableBatchView, lengthNs: bigint): Map<bigint, number[]> {
  const chunks = new Map<bigint, number[]>();
  const times = timesOf(batch);
  let current: number[] = [];
  let start = 0n;
  for (let row = 0; row < batch.rowCount; row++) {
    const time = times[row] as bigint;
    if (row === 0 || time < start || time >= start + lengthNs) {
      start = chunkStart(time, lengthNs);
      const known = chunks.get(start);
      if (known === undefined) chunks.set(start, (current = []));
      else current = known;
    }
    current.push(row);
  }
  return chunks;
}

/** The batch's times; its parts are 8-byte aligned, so nothing is copied. */
export function timesOf(batch: TableBatchView): BigInt64Array {
  const time = batch.columns.find((column) => column.type === ENCODED.time);
  assert(time !== undefined, "every batch has a time column");
  return new BigInt64Array(time.body.buffer, time.body.byteOffset, batch.rowCount);
}
