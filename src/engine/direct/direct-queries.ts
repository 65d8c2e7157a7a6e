/**
 * Answers direct plans from the buffer's batches and decoded columns of files, in slices of a few milliseconds. Whatever
 * turns out to be beyond its limits goes to the query engine, so a plan is never refused here.
 */
import { DatabaseError, isDatabaseError } from "../../core/errors/database-error.ts";
import type { TableBatchView } from "../../core/columns/table-batch.ts";
import type { TableDefinition } from "../../core/catalog/definitions.ts";
import type { Scan } from "../../core/query/bind-context.ts";
import { narrowBatches } from "../../core/query/direct/narrow.ts";
import type { DirectPlan, RowsPlan } from "../../core/query/direct/plan.ts";
import { columnsOfPlan, type DirectResult, runDirect } from "../../core/query/direct/run.ts";
import { TagRegistry } from "../../core/query/direct/tag-codes.ts";
import { batchUnit, type Unit } from "../../core/query/direct/unit.ts";
import type { PersistedFile } from "../../core/snapshot/manifest.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { TimeWindow } from "../../ports/query-engine.ts";
import { Gate } from "../gate.ts";
import type { ColumnCache, WantedColumn } from "./column-cache.ts";
import { DIRECT_QUERIES_MAX, DIRECT_WAITING_MAX, TIME_SLACK_NS } from "./direct-limits.ts";

export interface DirectQueriesOptions {
  readonly columns: ColumnCache;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly yieldToEventLoop: () => Promise<void>;
}

/** What a plan's scan reads. */
export interface DirectTable {
  readonly table: Pick<TableDefinition, "id" | "columns" | "seriesKey">;
  /** In WAL order, newer than the files. */
  readonly batches: readonly TableBatchView[];
  readonly files: readonly PersistedFile[];
  readonly windows: readonly TimeWindow[];
}

export interface DirectStop {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
}

/** Work between two looks at the clock. */
const SLICE_MS = 4;

export class DirectQueries {
  readonly #options: DirectQueriesOptions;
  readonly #registry = new TagRegistry();
  readonly #gate: Gate;
  #running = 0;
  #answered = 0;
  #passedOn = 0;

  constructor(options: DirectQueriesOptions) {
    this.#options = options;
    this.#gate = new Gate({
      waitingMax: DIRECT_WAITING_MAX, waitMs: 60_000, clock: options.clock,
      refusal: () => new DatabaseError("query.concurrency_limit", { message: `Too many queries: ${DIRECT_QUERIES_MAX} run and ${DIRECT_WAITING_MAX} wait`, hint: "try again later" }),
    });
  }

  /** Queries answered here, and those that were left to the engine after all. */
  statistics(): { readonly answered: number; readonly passedOn: number } {
    return { answered: this.#answered, passedOn: this.#passedOn };
  }

  /** Undefined: the engine shall answer. Throws `query.cancelled`, `query.time_limit`, `query.concurrency_limit`. */
  async run(plan: DirectPlan, source: DirectTable, stop: DirectStop): Promise<DirectResult | undefined> {
    const enter = (): true | undefined => (this.#running < DIRECT_QUERIES_MAX ? true : undefined);
    if (this.#gate.tryNow(enter) === undefined) await this.#gate.wait(() => (enter() === undefined ? undefined : ((this.#running++), true)));
    else this.#running++;
    try {
      const result = await this.#answer(plan, source, this.#pacer(stop));
      if (result === undefined) this.#passedOn++;
      else this.#answered++;
      return result;
    } catch (error) {
      // A file that cannot be read here may still be read by the engine, which has the better words if not.
      if (!isDatabaseError(error) || !(error.code === "parquet.corrupt" || error.code === "parquet.too_large")) throw error;
      this.#options.log.log("debug", `A query was passed on to the engine: ${error.message}`);
      this.#passedOn++;
      return undefined;
    } finally {
      this.#running--;
      this.#gate.wake();
    }
  }

  /** What the query engine has to read of a scan's batches: those rows that belong to the series it names, where they are few. */
  async narrow(batches: readonly TableBatchView[], scan: Scan, tableId: number, stop: DirectStop): Promise<readonly TableBatchView[]> {
    return drive(narrowBatches(batches, scan, tableId, this.#registry), this.#pacer(stop));
  }

  async #answer(plan: DirectPlan, source: DirectTable, pause: () => Promise<void>): Promise<DirectResult | undefined> {
    const names = columnsOfPlan(plan);
    const wanted = source.table.columns.filter(({ name }) => names.has(name));
    const isContested = (file: PersistedFile): boolean => source.windows.some(({ timeMin, timeMax }) => file.timeMin <= timeMax && file.timeMax >= timeMin);
    const buffered = source.batches.map(batchUnit);
    const units = async (files: readonly PersistedFile[]): Promise<readonly Unit[] | undefined> => {
      // Where points may stand twice they are told by all of their tags.
      const withTags = source.table.columns.filter(({ name, type }) => names.has(name) || type === "tag");
      const loaded: Unit[] = [];
      if (!this.#options.columns.fits(files, wanted)) return undefined;
      for (const file of files) {
        const own = await this.#options.columns.load([file], isContested(file) ? withTags : wanted, pause);
        if (own === undefined) return undefined;
        loaded.push(...own);
      }
      return [...loaded, ...buffered];
    };
    const run = async (files: readonly PersistedFile[]): Promise<DirectResult | undefined> => {
      const all = await units(files);
      if (all === undefined) return undefined;
      return drive(runDirect(plan, { tableId: source.table.id, seriesKey: source.table.seriesKey, units: all, windows: source.windows, columns: wanted as readonly WantedColumn[], registry: this.#registry }), pause);
    };
    return plan.kind === "rows" && plan.order !== undefined && plan.limit !== undefined ? firstRows(plan, source.files, run) : run(source.files);
  }

  /** Looks at the clock, lets others work when a slice is over, and stops what shall stop. */
  #pacer({ signal, timeoutMs }: DirectStop): () => Promise<void> {
    const { clock, yieldToEventLoop } = this.#options;
    const endMs = clock.monotonicMs() + timeoutMs;
    let sliceEnd = clock.monotonicMs() + SLICE_MS;
    return async () => {
      const nowMs = clock.monotonicMs();
      if (nowMs < sliceEnd) return;
      if (signal?.aborted === true) throw new DatabaseError("query.cancelled", { message: "Query was cancelled" });
      if (nowMs > endMs) throw new DatabaseError("query.time_limit", { message: `Query was stopped after ${timeoutMs} ms`, hint: "narrow the time range, or raise --query-timeout" });
      await yieldToEventLoop();
      sliceEnd = clock.monotonicMs() + SLICE_MS;
    };
  }
}

async function drive<T>(work: Generator<undefined, T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await pause();
  }
}

/** The newest (or oldest) rows: files are added from that end, twice as many each time, until none of the rest can matter. */
async function firstRows(plan: RowsPlan, files: readonly PersistedFile[], run: (files: readonly PersistedFile[]) => Promise<DirectResult | undefined>): Promise<DirectResult | undefined> {
  const descending = plan.order === "descending";
  const byTime = [...files].sort((left, right) => (descending ? compare(right.timeMax, left.timeMax) : compare(left.timeMin, right.timeMin)));
  for (let count = 0; ; count = Math.max(1, count * 2)) {
    const taken = new Set(byTime.slice(0, count));
    const result = await run(files.filter((file) => taken.has(file)));
    const next = byTime[count];
    if (result === undefined || next === undefined) return result;
    const { lastTime } = result;
    if (lastTime !== undefined && (descending ? next.timeMax + TIME_SLACK_NS < lastTime : next.timeMin - TIME_SLACK_NS > lastTime)) return result;
  }
}

const compare = (left: bigint, right: bigint): number => (left < right ? -1 : left > right ? 1 : 0);
