/** Encodes snapshots' files outside of the ingest thread (design §8.6). */
import type { TableDefinition } from "../core/catalog/definitions.ts";
import type { ChunkRows } from "../core/snapshot/chunk-rows.ts";
import type { EncodedChunk } from "../core/snapshot/encode-chunk.ts";

export interface ChunkEncoder {
  /**
   * The file of a table's rows of one time chunk. Ring and buffer stay where they are: what leaves the thread is a copy,
   * which `encodeCost` counts. One call at a time. Undefined: the caller does it better itself. Throws `snapshot.encoder_failed`.
   */
  encode(table: TableDefinition, chunk: ChunkRows): Promise<EncodedChunk> | undefined;
  close(): Promise<void>;
}
