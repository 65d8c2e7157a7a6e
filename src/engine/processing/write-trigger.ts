/**
 * Feeds one `table:` or `all_tables` trigger. It keeps a cursor into the committed batches instead of a queue, so a slow
 * plugin costs no memory and delays no write. The first flush after idleness is delivered at once, later ones once per
 * flush interval (design §8.4).
 */
import { planCalls, type PendingBatch } from "../../core/trigger/plan-calls.ts";
import { runWithPolicy } from "./error-policy.ts";
import { OWN_WRITE_FLUSHES_WARN, OWN_WRITE_PAUSE_MS } from "./limits.ts";
import type { CommittedBatch } from "../../core/buffer/queryable-buffer.ts";
import type { ProcessingServices, TriggerContext, TriggerRunner } from "./services.ts";

interface Flush {
  readonly batches: PendingBatch[];
  readonly ownWrites: boolean;
}

export class WriteTrigger implements TriggerRunner {
  readonly #services: ProcessingServices;
  readonly #context: TriggerContext;
  readonly #unsubscribe: () => void;
  readonly #release: () => void;
  /** Sequence up to which the plugin has seen the log. */
  #cursor: number;
  /** Sequence up to which runs have ended: what follows stays in memory for this trigger, also when it is persisted. */
  #done: number;
  /** Sequence of the newest rows that are queryable. */
  #head: number;
  #pending = false;
  #pendingForeign = false;
  #cancelTimer: (() => void) | undefined;
  #delivery: Promise<void> | undefined;
  #stopped = false;
  #callStartedMs = Number.NEGATIVE_INFINITY;
  #callEndedMs = Number.NEGATIVE_INFINITY;
  #ownWriteFlushes = 0;

  /** Sees only what is committed from now on: replayed data are never delivered (spec: processing-engine §5). */
  constructor(services: ProcessingServices, context: TriggerContext) {
    this.#services = services;
    this.#context = context;
    this.#head = services.storage.headSequence;
    this.#cursor = this.#head;
    this.#done = this.#head;
    this.#release = services.storage.hold(context.databaseId, () => this.#done);
    this.#unsubscribe = services.storage.onCommitted((rows) => this.#notify(rows));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    this.#cancelTimer?.();
    await this.#delivery;
    this.#release();
  }

  #notify(rows: CommittedBatch): void {
    this.#head = rows.sequence;
    // A trigger that has nothing to do keeps nothing; other tables of the same record may still follow.
    if (!this.#pending && this.#delivery === undefined && !this.#wants(rows)) this.#cursor = this.#done = Math.max(this.#cursor, rows.sequence - 1);
    if (this.#stopped || !this.#wants(rows)) return;
    this.#pending = true;
    if (rows.origin !== this.#context.key) this.#pendingForeign = true;
    if (this.#delivery === undefined) this.#arm();
  }

  #wants(rows: CommittedBatch): boolean {
    const { databaseId, specification } = this.#context;
    if (rows.databaseId !== databaseId) return false;
    if (specification.kind === "all-tables") return true;
    return specification.kind === "table" && this.#services.table(databaseId, rows.tableId)?.name === specification.tableName;
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
    this.#delivery = this.#deliver().finally(() => {
      this.#delivery = undefined;
      this.#done = this.#cursor;
      if (this.#pending && !this.#stopped) this.#arm();
    });
  }

  async #deliver(): Promise<void> {
    const { clock } = this.#services;
    // Rows of the same commit arrive one table at a time; a call must see all of them.
    await Promise.resolve();
    this.#pending = false;
    this.#pendingForeign = false;
    const flush = this.#collect();
    if (flush.batches.length === 0) return;
    this.#countOwnWrites(flush.ownWrites);
    this.#callStartedMs = clock.monotonicMs();
    for (const tables of planCalls(flush.batches, this.#context.limits.instanceMemoryBytesMax / 2)) {
      if (this.#stopped) break;
      const goOn = await runWithPolicy(this.#services, this.#context, { kind: "writes", tables });
      if (!goOn) break;
    }
    this.#callEndedMs = clock.monotonicMs();
  }

  #collect(): Flush {
    const { storage } = this.#services;
    const { databaseId } = this.#context;
    const head = this.#head;
    const batches: PendingBatch[] = [];
    let ownWrites = false;
    for (const rows of storage.committedSince(databaseId, this.#cursor)) {
      if (rows.sequence > head) break;
      const table = this.#wants(rows) ? this.#services.table(databaseId, rows.tableId) : undefined;
      if (table === undefined) continue;
      batches.push({ tableName: table.name, columns: table.columns, bytes: rows.bytes, rowCount: rows.rowCount });
      this.#context.statistics.rows += rows.rowCount;
      ownWrites ||= rows.origin === this.#context.key;
    }
    this.#cursor = head;
    return { batches, ownWrites };
  }

  /** The reference has no loop protection (spec §6); we keep its semantics and say once what happens. */
  #countOwnWrites(ownWrites: boolean): void {
    this.#ownWriteFlushes = ownWrites ? this.#ownWriteFlushes + 1 : 0;
    if (this.#ownWriteFlushes !== OWN_WRITE_FLUSHES_WARN) return;
    const { name } = this.#context.definition;
    const text =
      `trigger '${name}' was fired by its own writes in ${OWN_WRITE_FLUSHES_WARN} flushes in a row; ` +
      "use a table: specification, write to another database, or skip its output table in the plugin";
    this.#services.logs.add(name, "WARN", text);
    this.#services.log.log("warn", text, { trigger: name, database: this.#context.databaseName });
  }
}
