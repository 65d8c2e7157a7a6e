/**
 * Feeds one `table:` or `all_tables` trigger. It keeps a position in the log of committed rows instead of a queue, so a
 * slow plugin delays no write; what memory no longer has is read again from WAL files. The first flush after idleness is
 * delivered at once, later ones once per flush interval (design §8.4).
 */
import { planCalls, type CallTable, type PendingBatch } from "../../core/trigger/plan-calls.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import { SLICE_BYTES_MAX } from "../feed/limits.ts";
import type { FeedSlice } from "../feed/trigger-feed.ts";
import { runWithPolicy } from "./error-policy.ts";
import { LagMeter } from "./lag-meter.ts";
import { OWN_WRITE_FLUSHES_WARN, OWN_WRITE_PAUSE_MS, WANTED_TABLES_MAX } from "./limits.ts";
import type { CommittedBatch } from "../../core/buffer/queryable-buffer.ts";
import { type ProcessingServices, type StopOptions, tell, type TriggerContext, type TriggerRunner } from "./services.ts";

interface Flush {
  readonly batches: PendingBatch[];
  readonly ownWrites: boolean;
}

/** Rows that were taken and whose runs have not ended. */
interface Delivery {
  /** Sequence before them. */
  readonly after: number;
}

export class WriteTrigger implements TriggerRunner {
  readonly #services: ProcessingServices;
  readonly #context: TriggerContext;
  readonly #unsubscribe: () => void;
  readonly #unfollow: (options: StopOptions) => void;
  readonly #lag: LagMeter;
  /** A live table keeps its name, so the answer for its id stays. */
  readonly #wanted = new Map<number, boolean>();
  /** In order; a position is done when all before it are. */
  readonly #deliveries = new Set<Delivery>();
  /** Runs of an asynchronous trigger that nobody waits for but the end. */
  readonly #overlapping = new Set<Promise<unknown>>();
  /** Sequence up to which rows were taken. */
  #cursor: number;
  /** Sequence of the newest rows that are queryable. */
  #head: number;
  #pending = false;
  #pendingForeign = false;
  #cancelTimer: (() => void) | undefined;
  #delivering: Promise<void> | undefined;
  #stopped = false;
  #callStartedMs = Number.NEGATIVE_INFINITY;
  #callEndedMs = Number.NEGATIVE_INFINITY;
  #ownWriteFlushes = 0;
  /** Resolves once a crash cannot make a durable trigger forget where it began. */
  readonly ready: Promise<void>;

  /** Sees only what is committed from now on (spec: processing-engine §5); a durable trigger goes on where it was. */
  constructor(services: ProcessingServices, context: TriggerContext) {
    this.#services = services;
    this.#context = context;
    const { storage, clock } = services;
    const durableTriggerId = context.definition.durable === true ? context.definition.id : undefined;
    const recorded = durableTriggerId === undefined ? undefined : storage.feed.recordedPosition(durableTriggerId);
    this.#head = storage.headSequence;
    this.#cursor = Math.min(recorded ?? this.#head, this.#head);
    this.#lag = new LagMeter(clock);
    this.#unfollow = storage.feed.follow({
      databaseId: context.databaseId,
      durableTriggerId,
      position: () => this.#position(),
      lose: (through) => this.#lose(through),
    });
    this.#unsubscribe = storage.onCommitted((rows) => this.#notify(rows));
    this.ready = durableTriggerId === undefined || recorded !== undefined ? Promise.resolve() : storage.commitPosition(context.databaseId, { triggerId: durableTriggerId, sequence: this.#cursor });
    if (recorded !== undefined) this.#resume(recorded);
  }

  async stop({ keep }: StopOptions): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    this.#cancelTimer?.();
    await this.#delivering;
    await Promise.all(this.#overlapping);
    this.#unfollow({ keep });
  }

  /** Flushes that wait: what is behind is one of them, however much it is. */
  get queueDepth(): number {
    return this.#pending ? 1 : 0;
  }

  lag(): { readonly rows: number; readonly seconds: number } {
    return this.#lag.at(this.#position());
  }

  /** Sequence up to which runs have ended. */
  #position(): number {
    for (const { after } of this.#deliveries) return after;
    return this.#cursor;
  }

  /** What was committed before a crash or a stop and not processed. */
  #resume(recorded: number): void {
    const lost = this.#services.storage.feed.firstSequence() - 1;
    if (recorded < lost) {
      this.#cursor = lost;
      this.#tellGap({ from: recorded + 1, to: lost, rows: undefined });
    }
    if (this.#cursor >= this.#head) return;
    this.#pending = true;
    this.#pendingForeign = true;
    this.#arm();
  }

  #notify(rows: CommittedBatch): void {
    const wanted = this.#wants(rows);
    // A trigger that has nothing to do moves on; other tables of the same record may still follow.
    if (!wanted && !this.#pending && this.#delivering === undefined) this.#cursor = Math.max(this.#cursor, rows.sequence - 1);
    this.#head = rows.sequence;
    if (this.#stopped || !wanted) return;
    this.#lag.add(rows.sequence, rows.rowCount);
    this.#pending = true;
    if (rows.origin !== this.#context.key) this.#pendingForeign = true;
    if (this.#delivering === undefined) this.#arm();
  }

  /** Asked for every committed batch by every trigger. Rows of a table that was deleted meanwhile are left out later. */
  #wants({ databaseId, tableId }: { readonly databaseId: number; readonly tableId: number }): boolean {
    const { specification } = this.#context;
    if (databaseId !== this.#context.databaseId) return false;
    if (specification.kind !== "table") return true;
    const known = this.#wanted.get(tableId);
    if (known !== undefined) return known;
    const table = this.#services.table(databaseId, tableId);
    if (table === undefined) return false;
    if (this.#wanted.size >= WANTED_TABLES_MAX) this.#wanted.clear();
    this.#wanted.set(tableId, table.name === specification.tableName);
    return table.name === specification.tableName;
  }

  #arm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { clock, limits } = this.#services;
    const afterInterval = this.#callStartedMs + limits.flushIntervalMs;
    const due = this.#pendingForeign ? afterInterval : Math.max(afterInterval, this.#callEndedMs + OWN_WRITE_PAUSE_MS);
    const delayMs = due - clock.monotonicMs();
    if (delayMs > 0) this.#cancelTimer = clock.after(delayMs, () => this.#start());
    else this.#start();
  }

  #start(): void {
    this.#cancelTimer = undefined;
    this.#delivering = this.#deliver().finally(() => {
      this.#delivering = undefined;
      this.#services.storage.feed.advanced();
      if (this.#pending && !this.#stopped) this.#arm();
    });
  }

  /** One flush: what was committed since the last one, in as many calls as the limits ask for. */
  async #deliver(): Promise<void> {
    const { clock } = this.#services;
    // Rows of the same commit arrive one table at a time; a call must see all of them.
    await Promise.resolve();
    this.#pending = false;
    this.#pendingForeign = false;
    const head = this.#head;
    this.#callStartedMs = clock.monotonicMs();
    let calls = 0;
    let ownWrites = false;
    while (this.#cursor < head && !this.#stopped) {
      const after = this.#cursor;
      const flush = await this.#take(head);
      if (flush === undefined || flush.batches.length === 0) continue;
      ownWrites ||= flush.ownWrites;
      const planned = planCalls(flush.batches, this.#context.limits.instanceMemoryBytesMax / 2);
      calls += planned.length;
      if (!(await this.#hand(after, planned))) break;
    }
    if (calls > 1) this.#context.statistics.consecutiveCalls += calls - 1;
    if (calls > 0) this.#countOwnWrites(ownWrites);
  }

  /** Runs the calls; those of an asynchronous trigger go on beside later ones, as far as there are instances. */
  async #hand(after: number, calls: readonly CallTable[][]): Promise<boolean> {
    const { definition, limits } = this.#context;
    const delivery: Delivery = { after };
    this.#deliveries.add(delivery);
    const run = this.#run(delivery, calls);
    if (!definition.runAsync) return run;
    const overlapping = run.finally(() => this.#overlapping.delete(overlapping));
    this.#overlapping.add(overlapping);
    if (this.#overlapping.size >= limits.instancesMax) await Promise.race(this.#overlapping);
    return !this.#stopped;
  }

  /** False: the trigger must not run on. */
  async #run(delivery: Delivery, calls: readonly CallTable[][]): Promise<boolean> {
    for (const [index, tables] of calls.entries()) {
      const isLast = index === calls.length - 1 && this.#context.definition.durable === true;
      const parts = isLast ? { position: () => this.#positionAfter(delivery) } : {};
      // A run that was cut off is not done: the position stays before it.
      if (this.#stopped || !(await runWithPolicy(this.#services, this.#context, { kind: "writes", tables }, parts))) return false;
    }
    this.#deliveries.delete(delivery);
    this.#callEndedMs = this.#services.clock.monotonicMs();
    this.#services.storage.feed.advanced();
    return true;
  }

  /** Where a durable trigger stands once this delivery is done; undefined while an earlier one is under way. */
  #positionAfter(delivery: Delivery): { readonly triggerId: number; readonly sequence: number } | undefined {
    const [first, second] = this.#deliveries;
    return first === delivery ? { triggerId: this.#context.definition.id, sequence: second?.after ?? this.#cursor } : undefined;
  }

  /** The next rows up to `head`. Undefined: the position was moved meanwhile. */
  async #take(head: number): Promise<Flush | undefined> {
    const { databaseId } = this.#context;
    const after = this.#cursor;
    let slice: FeedSlice;
    try {
      slice = await this.#services.storage.feed.read(databaseId, { after, through: head, wants: (batch) => this.#wants(batch), bytesMax: SLICE_BYTES_MAX });
    } catch (error) {
      if (this.#cursor === after) await this.#skipUnreadable(after, messageOf(error));
      return undefined;
    }
    if (this.#cursor !== after) return undefined;
    this.#cursor = slice.through;
    if (slice.fromLog) this.#context.statistics.spilledSlices += 1;
    return this.#flushOf(slice);
  }

  #flushOf({ batches }: FeedSlice): Flush {
    const pending: PendingBatch[] = [];
    let ownWrites = false;
    for (const batch of batches) {
      const table = this.#services.table(batch.databaseId, batch.tableId);
      if (table === undefined) continue;
      pending.push({ tableName: table.name, columns: table.columns, bytes: batch.bytes, rowCount: batch.rowCount });
      this.#context.statistics.rows += batch.rowCount;
      ownWrites ||= batch.origin === this.#context.key;
    }
    return { batches: pending, ownWrites };
  }

  /** A damaged part of the log: the rows are in the database, but this trigger cannot get them. */
  async #skipUnreadable(after: number, reason: string): Promise<void> {
    const through = this.#services.storage.feed.nextReadable(this.#context.databaseId, after);
    this.#services.log.log("error", `Rows of a WAL file cannot be handed to trigger '${this.#context.definition.name}': ${reason}`, { trigger: this.#context.definition.name, database: this.#context.databaseName });
    this.#cursor = through;
    this.#tellGap({ from: after + 1, to: through, rows: undefined });
  }

  /** WAL files up to `through` are about to go. */
  async #lose(through: number): Promise<void> {
    const after = this.#cursor;
    if (after >= through) return;
    // At once, so that no rows are both counted and delivered.
    this.#cursor = through;
    const rows = await this.#services.storage.feed.countRows(this.#context.databaseId, { after, through, wants: (batch) => this.#wants(batch) && this.#services.table(batch.databaseId, batch.tableId) !== undefined });
    if (rows !== 0) this.#tellGap({ from: after + 1, to: through, rows });
  }

  #tellGap(gap: { readonly from: number; readonly to: number; readonly rows: number | undefined }): void {
    const { source, statistics } = this.#context;
    statistics.rowsLost += gap.rows ?? 0;
    if (this.#services.gaps.add({ ...source, ...gap })) return;
    const text = `the trigger fell so far behind that the WAL no longer holds what it has not seen: ${gap.rows ?? "an unknown number of"} rows of records ${gap.from} to ${gap.to} are not delivered (system.processing_engine_gaps goes on counting)`;
    tell(this.#services, this.#context, "ERROR", text);
  }

  /** The reference has no loop protection (spec §6); we keep its semantics and say once what happens. */
  #countOwnWrites(ownWrites: boolean): void {
    this.#ownWriteFlushes = ownWrites ? this.#ownWriteFlushes + 1 : 0;
    if (this.#ownWriteFlushes !== OWN_WRITE_FLUSHES_WARN) return;
    const { name } = this.#context.definition;
    const text =
      `trigger '${name}' was fired by its own writes in ${OWN_WRITE_FLUSHES_WARN} flushes in a row; ` +
      "use a table: specification, write to another database, or skip its output table in the plugin";
    tell(this.#services, this.#context, "WARN", text);
  }
}
