/** Encodes chunks on a thread of its own (`encode-worker.ts`), which is started with the first one. */
import { Worker } from "node:worker_threads";
import type { TableDefinition } from "../../core/catalog/definitions.ts";
import { assert } from "../../core/errors/assert.ts";
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import type { ChunkRows } from "../../core/snapshot/chunk-rows.ts";
import type { EncodedChunk } from "../../core/snapshot/encode-chunk.ts";
import type { ChunkEncoder } from "../../ports/chunk-encoder.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import { COPY_FACTOR_MAX, COPY_SLICE_BYTES } from "./limits.ts";
import type { EncoderStart, FromEncoder, ToEncoder } from "./messages.ts";

export interface WorkerEncoderOptions {
  /** The built `encode-worker`. */
  readonly workerUrl: URL;
  /** Folder with the kernels; its URL ends with "/". */
  readonly kernels: URL;
  readonly log: LogSink;
  readonly yieldToEventLoop: () => Promise<void>;
}

export function createWorkerEncoder(options: WorkerEncoderOptions): ChunkEncoder {
  return new WorkerEncoder(options);
}

interface Waiting {
  readonly resolve: (chunk: EncodedChunk) => void;
  readonly reject: (error: DatabaseError) => void;
}

class WorkerEncoder implements ChunkEncoder {
  readonly #options: WorkerEncoderOptions;
  #worker: Worker | undefined;
  #waiting: Waiting | undefined;
  #closed = false;

  constructor(options: WorkerEncoderOptions) {
    this.#options = options;
  }

  encode(table: TableDefinition, chunk: ChunkRows): Promise<EncodedChunk> | undefined {
    return this.#closed || copiesTooMuch(chunk) ? undefined : this.#encode(table, chunk);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  async #encode(table: TableDefinition, chunk: ChunkRows): Promise<EncodedChunk> {
    assert(this.#waiting === undefined, "one chunk is encoded at a time");
    const answer = new Promise<EncodedChunk>((resolve, reject) => (this.#waiting = { resolve, reject }));
    // Its failure is the caller's, also when it comes while pieces are sent.
    answer.catch(() => undefined);
    this.#worker ??= this.#start();
    let copied = 0;
    for (const { batch, rows, rowCount } of chunk.pieces) {
      const bytes = new Uint8Array(batch.bytes);
      this.#send({ kind: "piece", bytes, rows: rows?.slice(), rowCount }, [bytes.buffer]);
      copied += bytes.length;
      if (copied < COPY_SLICE_BYTES) continue;
      copied = 0;
      await this.#options.yieldToEventLoop();
    }
    this.#send({ kind: "encode", table, start: chunk.start }, []);
    return answer;
  }

  #send(message: ToEncoder, transfer: ArrayBuffer[]): void {
    this.#worker?.postMessage(message, transfer);
  }

  #start(): Worker {
    const start: EncoderStart = { kernels: this.#options.kernels.href };
    const worker = new Worker(this.#options.workerUrl, { workerData: start });
    worker.on("message", (message: FromEncoder) => this.#receive(message));
    worker.on("error", (error) => this.#ended(worker, messageOf(error)));
    worker.on("exit", () => this.#ended(worker, "the encoding thread has ended"));
    // It never keeps the process alive by itself.
    worker.unref();
    return worker;
  }

  #receive(message: FromEncoder): void {
    if (message.kind === "warning") this.#options.log.log("warn", message.message);
    else if (message.kind === "encoded") this.#settle()?.resolve(message.chunk);
    else this.#settle()?.reject(failure(message.message));
  }

  /** The next chunk gets a new thread, without the pieces of this one. */
  #ended(worker: Worker, reason: string): void {
    if (this.#worker === worker) this.#worker = undefined;
    this.#settle()?.reject(failure(reason));
  }

  #settle(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }
}

function copiesTooMuch({ pieces }: ChunkRows): boolean {
  let [bytes, share] = [0, 0];
  for (const { batch, rowCount } of pieces) {
    bytes += batch.bytes.length;
    share += (batch.bytes.length * rowCount) / batch.rowCount;
  }
  return bytes > share * COPY_FACTOR_MAX;
}

function failure(reason: string): DatabaseError {
  return new DatabaseError("snapshot.encoder_failed", { message: `Encoding a Parquet file failed: ${reason}`, hint: "the rows stay in the WAL; the snapshot is tried again" });
}
