/** Encodes Parquet files outside of the ingest thread (design §8.6). */
import type { TableDefinition } from "../core/catalog/definitions.ts";
import type { ParquetLayout } from "../core/parquet/read-footer.ts";
import type { ChunkRows } from "../core/snapshot/chunk-rows.ts";
import type { EncodedChunk } from "../core/snapshot/encode-chunk.ts";

/** Files of one table that become one. */
export interface MergeInput {
  readonly table: TableDefinition;
  /** Start of the time window that holds all rows. */
  readonly windowStart: bigint;
  /** Oldest first; asked for one after another, and each is let go of before the next. */
  readonly files: AsyncIterable<ParquetLayout>;
}

/** Where copies take their memory from. */
export interface CopyMemory {
  /** A copy at the start of an array buffer that holds nothing else. */
  copy(bytes: Uint8Array): Uint8Array;
  /** Nobody looks at the copy any more. */
  giveBack(copy: Uint8Array): void;
}

export interface ChunkEncoder {
  /**
   * The file of a table's rows of one time chunk. Ring and buffer stay where they are: what leaves the thread is a copy,
   * which `encodeCost` counts. One call at a time. Undefined: the caller does it better itself. Throws `snapshot.encoder_failed`.
   */
  encode(table: TableDefinition, chunk: ChunkRows, memory: CopyMemory): Promise<EncodedChunk> | undefined;
  /**
   * One file of several, in memory that `mergeCost` counts. One call at a time; chunks that come meanwhile go first. Throws
   * `parquet.corrupt`, `parquet.too_large`, `snapshot.encoder_failed`, and what `files` throw.
   */
  merge(input: MergeInput): Promise<EncodedChunk>;
  close(): Promise<void>;
}
