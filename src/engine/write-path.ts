/**
 * One write request from bytes to a record in the ring: parse, plan against the catalog, make schema changes durable,
 * reserve room, encode. Each phase needs the result of the one before, so none can be skipped.
 */
import { bufferedBytes } from "../core/buffer/table-buffer.ts";
import { checkRequestDatabaseName } from "../core/catalog/names.ts";
import { checkedDatabase } from "../core/catalog/writable-database.ts";
import { PLAN_ROUNDS_MAX } from "../core/catalog/limits.ts";
import { type TableBatchInput, tableBatchSize } from "../core/columns/table-batch.ts";
import { DatabaseError } from "../core/errors/database-error.ts";
import type { LineProtocolKernel } from "../core/line-protocol/kernel.ts";
import { type LineError, lineErrorRecord } from "../core/line-protocol/line-error.ts";
import { LineProtocolParser, type ParsedWrite } from "../core/line-protocol/parser.ts";
import { planInSlices, type WritePlan } from "../core/line-protocol/plan-write.ts";
import type { Precision } from "../core/line-protocol/precision.ts";
import { tableBatches } from "../core/line-protocol/table-batches.ts";
import { recordSize, type TriggerPosition } from "../core/wal/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { CatalogService } from "./catalog-service.ts";
import { Gate } from "./gate.ts";
import { LONG_BODY_BYTES, RETRY_AFTER_SECONDS, type StorageLimits } from "./storage-limits.ts";

export interface WriteRequest {
  readonly database: string;
  /** Line protocol; not read after the answer. */
  readonly body: Uint8Array;
  readonly precision: Precision;
  /** Store the good lines of a body with bad ones. */
  readonly acceptPartial: boolean;
  /** Answer before the rows are durable. */
  readonly noSync: boolean;
  /** Key of the trigger whose run wrote this. */
  readonly origin?: string | undefined;
  /** A durable trigger's position, durable together with the rows. */
  readonly position?: TriggerPosition | undefined;
  /** The body has been checked to be UTF-8, so that it is not checked again. */
  readonly utf8Checked?: boolean | undefined;
}

/** Rows ready for the ring. */
export interface EncodableWrite {
  readonly databaseId: number;
  readonly batches: readonly TableBatchInput[];
  /** Size of the record. */
  readonly size: number;
  /** What the buffer will count. */
  readonly bufferBytes: number;
}

export interface WriteOutcome {
  readonly linesWritten: number;
  /** What to answer once the good lines are stored. */
  readonly refusal: DatabaseError | undefined;
}

export interface WritePathOptions {
  readonly catalog: CatalogService;
  readonly clock: Clock;
  readonly limits: StorageLimits;
  readonly yieldToEventLoop: () => Promise<void>;
  /** Makes a kernel for each parser; without it they do all themselves. */
  readonly makeKernel?: (() => LineProtocolKernel | undefined) | undefined;
}

export class WritePath {
  readonly #options: WritePathOptions;
  readonly #free: LineProtocolParser[] = [];
  readonly #gate: Gate;
  #made = 0;
  #kernelBytes = 0;

  constructor(options: WritePathOptions) {
    this.#options = options;
    const { writersWaitingMax, writerWaitMs } = options.limits;
    this.#gate = new Gate({ waitingMax: writersWaitingMax, waitMs: writerWaitMs, clock: options.clock, refusal: busy });
  }

  /**
   * Runs `store` with the rows while their memory is valid; it is not called when no line is good. Refused lines of a
   * partial write are in the outcome, since the good ones are to be made durable first.
   */
  async run(request: WriteRequest, store: (write: EncodableWrite) => Promise<void>): Promise<WriteOutcome> {
    checkRequestDatabaseName(request.database);
    await this.#options.catalog.settled();
    checkedDatabase(this.#options.catalog.state, request.database);
    const lease = (): LineProtocolParser | undefined => this.#lease();
    const parser = this.#gate.tryNow(lease) ?? (await this.#gate.wait(lease));
    try {
      const parsed = await this.#parse(parser, request);
      const plan = await this.#plan(parsed, request);
      const linesWritten = plan.tables.reduce((sum, table) => sum + table.keptRows, 0);
      if (linesWritten > 0) await store(encodable(plan));
      return { linesWritten, refusal: plan.errors.length > 0 ? partialWrite(plan.errors, plan.errorsOmitted) : undefined };
    } finally {
      parser.reset();
      this.#free.push(parser);
      this.#gate.wake();
    }
  }

  /** Memory of the parsers' kernels: address space, of which only what was used is resident. */
  get kernelBytes(): number {
    return this.#kernelBytes;
  }

  #lease(): LineProtocolParser | undefined {
    const parser = this.#free.pop();
    if (parser !== undefined || this.#made >= this.#options.limits.parsersMax) return parser;
    this.#made++;
    const kernel = this.#options.makeKernel?.();
    this.#kernelBytes += kernel?.memory.byteLength ?? 0;
    return new LineProtocolParser(kernel);
  }

  async #parse(parser: LineProtocolParser, request: WriteRequest): Promise<ParsedWrite> {
    parser.begin(request.body, { precision: request.precision, nowNs: this.#options.clock.nowNs(), acceptPartial: request.acceptPartial, utf8Checked: request.utf8Checked });
    const long = request.body.length > LONG_BODY_BYTES;
    // Long bodies that arrive together take turns from the start, and the columns are made in a turn of their own.
    if (long) await this.#options.yieldToEventLoop();
    while (!parser.step()) await this.#options.yieldToEventLoop();
    if (long) await this.#options.yieldToEventLoop();
    const parsed = parser.result();
    if (parsed.lineCount === 0) throw new DatabaseError("write.empty", { message: "incoming write was empty", hint: "send at least one line of line protocol" });
    return parsed;
  }

  /** A plan without schema changes left to make: those are durable before any row refers to them. */
  async #plan(parsed: ParsedWrite, request: WriteRequest): Promise<WritePlan> {
    const { catalog, yieldToEventLoop } = this.#options;
    const slicesOn = (state: typeof catalog.state): Generator<void, WritePlan> => planInSlices(parsed, state, catalog.limits, request.database);
    const checked = (plan: WritePlan): WritePlan => {
      if (!request.acceptPartial && plan.errors[0] !== undefined) throw rejectedWrite(plan.errors[0]);
      return plan;
    };
    for (let round = 0; round < PLAN_ROUNDS_MAX; round++) {
      const state = catalog.state;
      const slices = slicesOn(state);
      let slice = slices.next();
      for (; slice.done !== true; slice = slices.next()) await yieldToEventLoop();
      const plan = checked(slice.value);
      if (plan.ops.length === 0) return plan;
      await catalog.change((now) => {
        if (now === state) return plan.ops;
        // Somebody was first. A change holds all others up: a plan that takes long is made anew outside.
        const again = slicesOn(now).next();
        return again.done === true ? checked(again.value).ops : [];
      });
    }
    throw new DatabaseError("catalog.busy", { message: `The schema of database '${request.database}' keeps changing under the write`, hint: "try again" });
  }
}

function encodable(plan: WritePlan): EncodableWrite {
  const batches = tableBatches(plan);
  const bufferBytes = batches.reduce((sum, batch) => sum + bufferedBytes(tableBatchSize(batch), batch.rowCount, batch.columns.length), 0);
  return { databaseId: plan.databaseId, batches, size: recordSize(batches), bufferBytes };
}

const LIMIT_TEXTS = ["Update to schema would exceed number of", "Adding a new database would exceed limit of"];

/** The good lines are stored already (spec: http-api §6.1). */
function partialWrite(errors: readonly LineError[], omitted: number): DatabaseError {
  const overLimit = errors.some((error) => LIMIT_TEXTS.some((text) => error.message.startsWith(text)));
  const message = "partial write of line protocol occurred";
  return new DatabaseError(overLimit ? "write.partial_limit" : "write.partial", {
    message,
    hint: omitted === 0 ? "the other lines are stored; mend these and send them again" : `the other lines are stored; ${omitted} more refused lines are not listed`,
    details: { error: message, data: errors.map(lineErrorRecord) },
  });
}

function rejectedWrite(error: LineError): DatabaseError {
  const message = "line protocol parsing error";
  return new DatabaseError("write.rejected", { message, hint: "nothing was stored: mend this line and send all again", details: { error: message, data: lineErrorRecord(error) } });
}

function busy(): DatabaseError {
  return new DatabaseError("wal_ring.full", {
    message: "Too many writes are waiting",
    hint: "write again in a moment",
    details: { retryAfterSeconds: RETRY_AFTER_SECONDS },
  });
}
