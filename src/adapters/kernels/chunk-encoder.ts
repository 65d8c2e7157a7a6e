/** Encodes chunks and merges files on a thread of its own (`encode-worker.ts`), which is started with the first one. */
import { Worker } from "node:worker_threads";
import type { TableDefinition } from "../../core/catalog/definitions.ts";
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import type { ChunkRows } from "../../core/snapshot/chunk-rows.ts";
import type { EncodedChunk } from "../../core/snapshot/encode-chunk.ts";
import type { ChunkEncoder, CopyMemory, MergeInput } from "../../ports/chunk-encoder.ts";
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
  /** That of the task's copies. */
  readonly memory: CopyMemory | undefined;
}

class WorkerEncoder implements ChunkEncoder {
  readonly #options: WorkerEncoderOptions;
  #worker: Worker | undefined;
  /** By task. */
  readonly #waiting = new Map<number, Waiting>();
  #lastTask = 0;
  #closed = false;

  constructor(options: WorkerEncoderOptions) {
    this.#options = options;
  }

  encode(table: TableDefinition, chunk: ChunkRows, memory: CopyMemory): Promise<EncodedChunk> | undefined {
    return this.#closed || copiesTooMuch(chunk) ? undefined : this.#encode(table, chunk, memory);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  async #encode(table: TableDefinition, chunk: ChunkRows, memory: CopyMemory): Promise<EncodedChunk> {
    const { task, answer } = this.#begin(memory);
    let copied = 0;
    for (const { batch, rows, rowCount } of chunk.pieces) {
      const bytes = memory.copy(batch.bytes);
      this.#send({ task, kind: "piece", bytes, rows: rows?.slice(), rowCount }, [bytes.buffer as ArrayBuffer]);
      copied += batch.bytes.length;
      if (copied < COPY_SLICE_BYTES) continue;
      copied = 0;
      await this.#options.yieldToEventLoop();
    }
    this.#send({ task, kind: "encode", table, start: chunk.start }, []);
    return answer;
  }

  async merge({ table, windowStart, files }: MergeInput): Promise<EncodedChunk> {
    if (this.#closed) throw failure("the server is stopping");
    const { task, answer } = this.#begin();
    try {
      for await (const layout of files) {
        // Not all stores give bytes away for good.
        const bytes = new Uint8Array(layout.bytes);
        this.#send({ task, kind: "file", layout: { ...layout, bytes } }, [bytes.buffer]);
      }
    } catch (error) {
      this.#waiting.delete(task);
      this.#send({ task, kind: "forget" }, []);
      throw error;
    }
    this.#send({ task, kind: "merge", table, windowStart }, []);
    return answer;
  }

  #begin(memory?: CopyMemory): { readonly task: number; readonly answer: Promise<EncodedChunk> } {
    const task = ++this.#lastTask;
    const answer = new Promise<EncodedChunk>((resolve, reject) => this.#waiting.set(task, { resolve, reject, memory }));
    // Its failure is the caller's, also when it comes while pieces are sent.
    answer.catch(() => undefined);
    this.#worker ??= this.#start();
    return { task, answer };
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
    if (message.kind === "warning") {
      this.#options.log.log("warn", message.message);
      return;
    }
    const waiting = this.#waiting.get(message.task);
    this.#waiting.delete(message.task);
    if (message.kind === "encoded") {
      for (const copy of message.copies) waiting?.memory?.giveBack(copy);
      waiting?.resolve(message.chunk);
    } else waiting?.reject(failure(message.message, message.code));
  }

  /** The next task gets a new thread, without the pieces of this one's. */
  #ended(worker: Worker, reason: string): void {
    if (this.#worker === worker) this.#worker = undefined;
    for (const waiting of this.#waiting.values()) waiting.reject(failure(reason));
    this.#waiting.clear();
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

function failure(reason: string, code?: string): DatabaseError {
  if (code === "parquet.corrupt" || code === "parquet.too_large") return new DatabaseError(code, { message: reason });
  return new DatabaseError("snapshot.encoder_failed", { message: `Encoding a Parquet file failed: ${reason}`, hint: "nothing is lost, the rows stay where they were; it is tried again" });
}
