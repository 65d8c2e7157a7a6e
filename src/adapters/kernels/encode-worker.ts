/** The encoding thread: makes Parquet files of copies of table batches, and one of several, while the ingest thread goes on. */
import { parentPort, workerData } from "node:worker_threads";
import { REUSED_BYTES_MIN } from "../../core/buffer/limits.ts";
import { viewTableBatch } from "../../core/columns/table-batch.ts";
import { isDatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { kernelPages } from "../../core/parquet/kernel-pages.ts";
import { type PageEncoder, scriptPages } from "../../core/parquet/page-encoder.ts";
import type { ParquetLayout } from "../../core/parquet/read-footer.ts";
import type { ChunkPiece } from "../../core/snapshot/chunk-rows.ts";
import { encodeChunk, type EncodedChunk } from "../../core/snapshot/encode-chunk.ts";
import { encodeMerged } from "../../core/snapshot/encode-merged.ts";
import { loadParquetKernel } from "./load.ts";
import type { EncoderStart, FromEncoder, ToEncoder } from "./messages.ts";

const reply = (message: FromEncoder, transfer: ArrayBuffer[] = []): void => parentPort?.postMessage(message, transfer);

/** What came for a task before its order. */
interface Task {
  readonly pieces: ChunkPiece[];
  readonly files: ParquetLayout[];
}

const tasks = new Map<number, Task>();
let loading: Promise<PageEncoder> | undefined;

async function pages(): Promise<PageEncoder> {
  const { kernels } = workerData as EncoderStart;
  const make = await loadParquetKernel(new URL(kernels), { log: (_level, message) => reply({ kind: "warning", message }) });
  const kernel = make?.();
  return kernel === undefined ? scriptPages : kernelPages(kernel);
}

function taskOf(id: number): Task {
  const known = tasks.get(id) ?? { pieces: [], files: [] };
  tasks.set(id, known);
  return known;
}

function taken(id: number): Task {
  const task = taskOf(id);
  tasks.delete(id);
  return task;
}

/** Without a pause: writers may be waiting for the room that a snapshot makes. */
function atOnce(work: Generator<undefined, EncodedChunk>): EncodedChunk {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Lets chunks go first: they use the same encoder, between two steps. */
async function inSteps(work: Generator<undefined, EncodedChunk>): Promise<EncodedChunk> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function perform(message: ToEncoder & { readonly kind: "encode" | "merge" }, { pieces, files }: Task): Promise<EncodedChunk> {
  const encoder = await (loading ??= pages());
  const { table } = message;
  if (message.kind === "merge") return inSteps(encodeMerged({ table, windowStart: message.windowStart, files }, encoder));
  const rowCount = pieces.reduce((sum, piece) => sum + piece.rowCount, 0);
  return atOnce(encodeChunk(table, { start: message.start, pieces, rowCount }, encoder));
}

async function receive(message: ToEncoder): Promise<void> {
  const { task } = message;
  if (message.kind === "piece") taskOf(task).pieces.push({ batch: viewTableBatch(message.bytes), rows: message.rows, rowCount: message.rowCount });
  else if (message.kind === "file") taskOf(task).files.push(message.layout);
  else if (message.kind === "forget") tasks.delete(task);
  else {
    const parts = taken(task);
    try {
      const chunk = await perform(message, parts);
      const copies = parts.pieces.map(({ batch }) => batch.bytes).filter(({ length }) => length >= REUSED_BYTES_MIN);
      reply({ kind: "encoded", task, chunk, copies }, [chunk.bytes, ...copies].map(({ buffer }) => buffer as ArrayBuffer));
    } catch (error) {
      reply({ kind: "failed", task, code: isDatabaseError(error) ? error.code : undefined, message: messageOf(error) });
    }
  }
}

parentPort?.on("message", (message: ToEncoder) => void receive(message));
