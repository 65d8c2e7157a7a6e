/**
 * The catalog made durable: changes are log records in the object store, each written before anyone sees it, one after
 * another. Every hundredth record is followed by a checkpoint. A crash at any call leaves either the old state or the
 * new one.
 */
import { encodeCatalogObject, toHex } from "../core/catalog/codec.ts";
import { CHANGES_WAITING_MAX, DEFAULT_CATALOG_LIMITS, type CatalogLimits, HARD_DELETE_AFTER_NS_DEFAULT, RECORDS_PER_CHECKPOINT } from "../core/catalog/limits.ts";
import { applyRecord, type CatalogOp } from "../core/catalog/ops.ts";
import {
  planCreateDatabase, planCreateTable, planCreateTrigger, planDeleteTrigger, planSetRetention, planSetTableRetention, planSetTriggerDisabled, planUpdateTrigger,
  type TableRequest,
} from "../core/catalog/plan.ts";
import { type EraseTime, planDeleteDatabase, planDeleteTable } from "../core/catalog/plan-deletion.ts";
import type { TriggerChange, TriggerDefinition } from "../core/catalog/definitions.ts";
import { type CatalogState, EMPTY_CATALOG, INTERNAL_DATABASE, INTERNAL_RETENTION_NS } from "../core/catalog/state.ts";
import { DatabaseError, isDatabaseError } from "../core/errors/database-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogSink } from "../ports/log-sink.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { checkpointPath, cleanUp, loadCatalog, readRecord, recordPath } from "./catalog-files.ts";
import { Serial } from "./serial.ts";

export interface CatalogServiceOptions {
  readonly store: ObjectStore;
  /** `<node-id>/catalog`. */
  readonly prefix: string;
  /** 16 random bytes. */
  readonly random16: () => Uint8Array;
  /** Names soft-deleted resources. */
  readonly clock: Pick<Clock, "nowNs">;
  readonly log?: LogSink;
  readonly limits?: Partial<CatalogLimits>;
  /** How long deleted data stays unless the caller says otherwise; default 72 hours. */
  readonly hardDeleteAfterNs?: bigint;
  /** Called when another process turns out to write this catalog. */
  readonly onConflict?: (() => void) | undefined;
}

/** When the data of what is deleted goes for good: a time in nanoseconds, or a word of the reference's. */
export type HardDeleteTime = "never" | "now" | "default" | bigint;

export class CatalogService {
  /** Identity of the catalog, in the usual form with hyphens. */
  readonly uuid: string;
  readonly limits: CatalogLimits;
  private current: CatalogState;
  private readonly options: CatalogServiceOptions;
  private readonly writer: string;
  private readonly hexUuid: string;
  private readonly listeners = new Set<(op: CatalogOp) => void>();
  private readonly changes = new Serial(CHANGES_WAITING_MAX, () => new DatabaseError("catalog.busy", { message: "Too many catalog changes are waiting", hint: "try again later" }));
  private recordsSinceCheckpoint: number;
  /** What a put that failed was to record: it may have taken effect. */
  private uncertain: readonly CatalogOp[] | undefined;

  private constructor(options: CatalogServiceOptions, hexUuid: string, writer: string, state: CatalogState, records: number) {
    this.options = options;
    this.hexUuid = hexUuid;
    this.uuid = hexUuid.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    this.writer = writer;
    this.limits = { ...DEFAULT_CATALOG_LIMITS, ...options.limits };
    this.current = state;
    this.recordsSinceCheckpoint = records;
  }

  /**
   * Loads the catalog or makes a new one. Throws `catalog.foreign` (nothing is touched) when the prefix holds another
   * system's catalog, `catalog.corrupt`, `object_store.unavailable`.
   */
  static async open(options: CatalogServiceOptions): Promise<CatalogService> {
    const loaded = await loadCatalog(options.store, options.prefix);
    const writer = toHex(options.random16());
    if (loaded !== undefined) return new CatalogService(options, loaded.uuid, writer, loaded.state, loaded.recordCount);
    const service = new CatalogService(options, uuidOf(options.random16()), writer, EMPTY_CATALOG, 0);
    await service.change(() => [{ kind: "create-database", id: 0, name: INTERNAL_DATABASE, retentionNs: INTERNAL_RETENTION_NS }]);
    return service;
  }

  /** The durable state. */
  get state(): CatalogState {
    return this.current;
  }

  /** Calls `listener` for every op once it is durable and visible. Returns the way to stop that. */
  onChange(listener: (op: CatalogOp) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Plans on the newest state and makes the plan durable; resolves to the state after it. An empty plan writes nothing.
   * Throws what `plan` throws, `catalog.conflict`, `object_store.unavailable`.
   */
  change(plan: (state: CatalogState) => readonly CatalogOp[]): Promise<CatalogState> {
    return this.changes.run(async () => {
      if (this.uncertain !== undefined) await this.resolveUncertain();
      const ops = plan(this.current);
      if (ops.length > 0) await this.commit(ops);
      return this.current;
    });
  }

  async createDatabase(name: string, options: { readonly retentionNs?: bigint } = {}): Promise<void> {
    await this.change((state) => planCreateDatabase(state, this.limits, name, options.retentionNs));
  }

  /** Its data goes for good at `when`; default: after `hardDeleteAfterNs`. */
  async deleteDatabase(name: string, when: HardDeleteTime = "default"): Promise<void> {
    await this.change((state) => planDeleteDatabase(state, name, this.options.clock.nowNs(), this.eraseTime(when)));
  }

  /** Undefined: keep for ever. */
  async setRetention(name: string, retentionNs: bigint | undefined): Promise<void> {
    await this.change((state) => planSetRetention(state, name, retentionNs));
  }

  /** Undefined: as the database says. */
  async setTableRetention(database: string, table: string, retentionNs: bigint | undefined): Promise<void> {
    await this.change((state) => planSetTableRetention(state, database, table, retentionNs));
  }

  async createTable(database: string, request: TableRequest): Promise<void> {
    await this.change((state) => planCreateTable(state, this.limits, database, request));
  }

  /** Its data goes for good at `when`; default: after `hardDeleteAfterNs`. */
  async deleteTable(database: string, table: string, when: HardDeleteTime = "default"): Promise<void> {
    await this.change((state) => planDeleteTable(state, database, table, this.options.clock.nowNs(), this.eraseTime(when)));
  }

  private eraseTime(when: HardDeleteTime): EraseTime {
    const nowNs = this.options.clock.nowNs();
    if (when === "default") return { atNs: nowNs + (this.options.hardDeleteAfterNs ?? HARD_DELETE_AFTER_NS_DEFAULT), isExplicit: false };
    return { atNs: when === "never" ? undefined : when === "now" || when < nowNs ? nowNs : when, isExplicit: true };
  }

  async createTrigger(database: string, trigger: Omit<TriggerDefinition, "id">): Promise<void> {
    await this.change((state) => planCreateTrigger(state, this.limits, database, trigger));
  }

  async deleteTrigger(database: string, name: string, options: { readonly force?: boolean } = {}): Promise<void> {
    await this.change((state) => planDeleteTrigger(state, database, name, options.force ?? false));
  }

  async setTriggerDisabled(database: string, name: string, disabled: boolean): Promise<void> {
    await this.change((state) => planSetTriggerDisabled(state, database, name, disabled));
  }

  /** Members that are given replace those of the trigger. */
  async updateTrigger(database: string, name: string, change: TriggerChange): Promise<void> {
    await this.change((state) => planUpdateTrigger(state, database, name, change));
  }

  private async commit(ops: readonly CatalogOp[]): Promise<void> {
    const sequence = this.current.sequence + 1;
    const next = applyRecord(this.current, sequence, ops);
    const bytes = encodeCatalogObject({ uuid: this.hexUuid, writer: this.writer, sequence, content: { kind: "record", ops } });
    try {
      await this.options.store.put(recordPath(this.options.prefix, sequence), bytes, { ifAbsent: true });
    } catch (error) {
      if (isDatabaseError(error) && error.code === "object_store.exists") throw this.conflict(sequence);
      this.uncertain = ops;
      // At once when the store answers: until then the durable state may not be the visible one.
      await this.resolveUncertain().catch(() => undefined);
      throw error;
    }
    this.adopt(next, ops);
    if (this.recordsSinceCheckpoint >= RECORDS_PER_CHECKPOINT) await this.checkpoint();
  }

  private adopt(next: CatalogState, ops: readonly CatalogOp[]): void {
    this.current = next;
    this.recordsSinceCheckpoint++;
    for (const op of ops) {
      for (const listener of this.listeners) {
        try {
          listener(op);
        } catch (error) {
          this.options.log?.log("error", "A listener to catalog changes failed", { error: String(error) });
        }
      }
    }
  }

  /**
   * Resolves when no table or database that looks live may be deleted already, by a change whose outcome is unknown. Rows
   * are to be accepted only then: a replay would leave them out. Throws `object_store.unavailable`, `catalog.conflict`.
   */
  async settled(): Promise<void> {
    if (this.uncertain?.some((op) => op.kind === "delete-table" || op.kind === "delete-database") === true) await this.change(() => []);
  }

  /**
   * A put that failed may have taken effect: whatever is found must become visible before the next change. It is put once
   * more, since what failed may have been the sync.
   */
  private async resolveUncertain(): Promise<void> {
    const sequence = this.current.sequence + 1;
    const record = await readRecord(this.options.store, this.options.prefix, sequence);
    if (record !== undefined) {
      if (record.writer !== this.writer || record.content.kind !== "record") throw this.conflict(sequence);
      await this.options.store.put(recordPath(this.options.prefix, sequence), encodeCatalogObject(record));
      this.adopt(applyRecord(this.current, sequence, record.content.ops), record.content.ops);
    }
    this.uncertain = undefined;
  }

  private conflict(sequence: number): DatabaseError {
    this.options.onConflict?.();
    return new DatabaseError("catalog.conflict", {
      message: `Another process has written catalog record ${sequence} of '${this.options.prefix}'`,
      hint: "only one server may run with this node id and object store; stop the other one and restart",
    });
  }

  /** The record is durable already, so a failing checkpoint only means that it is tried again later. */
  private async checkpoint(): Promise<void> {
    const { store, prefix, log } = this.options;
    const state = this.current;
    try {
      const content = { kind: "checkpoint", state } as const;
      await store.put(checkpointPath(prefix, state.sequence), encodeCatalogObject({ uuid: this.hexUuid, writer: this.writer, sequence: state.sequence, content }));
      this.recordsSinceCheckpoint = 0;
      await cleanUp(store, prefix, state.sequence);
    } catch (error) {
      log?.log("warn", "The catalog checkpoint failed; it is tried again later", { error: String(error) });
    }
  }
}

/** A random (version 4) uuid as 32 hex digits. */
function uuidOf(random: Uint8Array): string {
  const bytes = random.slice(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return toHex(bytes);
}
