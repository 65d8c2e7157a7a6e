/** The encoding thread: makes Parquet files of copies of table batches, while the ingest thread goes on. */
import { parentPort, workerData } from "node:worker_threads";
import { viewTableBatch } from "../../core/columns/table-batch.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import { kernelPages } from "../../core/parquet/kernel-pages.ts";
import { type PageEncoder, scriptPages } from "../../core/parquet/page-encoder.ts";
import type { ChunkPiece, ChunkRows } from "../../core/snapshot/chunk-rows.ts";
import { encodeChunk, type EncodedChunk } from "../../core/snapshot/encode-chunk.ts";
import type { TableDefinition } from "../../core/catalog/definitions.ts";
import { loadParquetKernel } from "./load.ts";
import type { EncoderStart, FromEncoder, ToEncoder } from "./messages.ts";

const reply = (message: FromEncoder, transfer: ArrayBuffer[] = []): void => parentPort?.postMessage(message, transfer);

let pieces: ChunkPiece[] = [];
let loading: Promise<PageEncoder> | undefined;

async function pages(): Promise<PageEncoder> {
  const { kernels } = workerData as EncoderStart;
  const make = await loadParquetKernel(new URL(kernels), { log: (_level, message) => reply({ kind: "warning", message }) });
  const kernel = make?.();
  return kernel === undefined ? scriptPages : kernelPages(kernel);
}

function encode(table: TableDefinition, chunk: ChunkRows, encoder: PageEncoder): EncodedChunk {
  const work = encodeChunk(table, chunk, encoder);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

async function receive(message: ToEncoder): Promise<void> {
  if (message.kind === "piece") {
    pieces.push({ batch: viewTableBatch(message.bytes), rows: message.rows, rowCount: message.rowCount });
    return;
  }
  const taken = pieces;
  pieces = [];
  try {
    const encoder = await (loading ??= pages());
    const rowCount = taken.reduce((sum, piece) => sum + piece.rowCount, 0);
    const chunk = encode(message.table, { start: message.start, pieces: taken, rowCount }, encoder);
    reply({ kind: "encoded", chunk }, [chunk.bytes.buffer as ArrayBuffer]);
  } catch (error) {
    reply({ kind: "failed", message: messageOf(error) });
  }
}

parentPort?.on("message", (message: ToEncoder) => void receive(message));
