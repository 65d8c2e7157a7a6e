/** What the ingest thread and the encoding thread tell each other. A task's pieces or files come first, then the order. */
import type { TableDefinition } from "../../core/catalog/definitions.ts";
import type { ParquetLayout } from "../../core/parquet/read-footer.ts";
import type { EncodedChunk } from "../../core/snapshot/encode-chunk.ts";

export type ToEncoder = { readonly task: number } & (
  | { readonly kind: "piece"; /** A table batch. */ readonly bytes: Uint8Array; readonly rows: Uint32Array | undefined; readonly rowCount: number }
  | { readonly kind: "encode"; readonly table: TableDefinition; readonly start: bigint }
  | { readonly kind: "file"; readonly layout: ParquetLayout }
  | { readonly kind: "merge"; readonly table: TableDefinition; readonly windowStart: bigint }
  /** No order will come. */
  | { readonly kind: "forget" }
);

export type FromEncoder =
  /** `copies`: large ones of the task's pieces, given back. */
  | { readonly kind: "encoded"; readonly task: number; readonly chunk: EncodedChunk; readonly copies: readonly Uint8Array[] }
  | { readonly kind: "failed"; readonly task: number; /** Of our own errors. */ readonly code: string | undefined; readonly message: string }
  /** Something to be logged. */
  | { readonly kind: "warning"; readonly message: string };

export interface EncoderStart {
  /** URL of the folder with the kernels. */
  readonly kernels: string;
}
