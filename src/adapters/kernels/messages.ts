/** What the ingest thread and the encoding thread tell each other. A chunk's pieces come first, then the order to encode. */
import type { TableDefinition } from "../../core/catalog/definitions.ts";
import type { EncodedChunk } from "../../core/snapshot/encode-chunk.ts";

export type ToEncoder =
  | { readonly kind: "piece"; /** A table batch. */ readonly bytes: Uint8Array; readonly rows: Uint32Array | undefined; readonly rowCount: number }
  | { readonly kind: "encode"; readonly table: TableDefinition; readonly start: bigint };

export type FromEncoder =
  | { readonly kind: "encoded"; readonly chunk: EncodedChunk }
  | { readonly kind: "failed"; readonly message: string }
  /** Something to be logged. */
  | { readonly kind: "warning"; readonly message: string };

export interface EncoderStart {
  /** URL of the folder with the kernels. */
  readonly kernels: string;
}
