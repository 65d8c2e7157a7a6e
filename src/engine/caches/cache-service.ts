/**
 * The declared caches of a server: kept in step with the catalog and with every commit, filled from what was there before
 * (also after a restart, unlike the reference), emptied by age, answered from memory.
 */
import type { CacheDefinition, CacheKind } from "../../core/catalog/cache-definitions.ts";
import type { DatabaseDefinition, TableDefinition } from "../../core/catalog/definitions.ts";
import type { CatalogOp } from "../../core/catalog/ops.ts";
import { type CacheName, type DistinctCacheRequest, type LastCacheRequest, planCreateDistinctCache, planCreateLastCache, planDeleteCache } from "../../core/catalog/plan-caches.ts";
import type { CatalogState } from "../../core/catalog/state.ts";
import { CacheBudget } from "../../core/caches/cache-budget.ts";
import { viewTableBatch, type TableBatchView } from "../../core/columns/table-batch.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import type { QueryStream } from "../../core/query/query-stream.ts";
import type { CommittedBatch } from "../storage.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import { describeCache } from "./describe-cache.ts";
import { CACHE_LIMITS_DEFAULT, type CacheLimits } from "./cache-limits.ts";
import { LiveCache } from "./live-cache.ts";

export interface CacheServiceOptions {
  readonly catalog: {
    readonly state: CatalogState;
    change(plan: (state: CatalogState) => readonly CatalogOp[]): Promise<CatalogState>;
    onChange(listener: (op: CatalogOp) => void): () => void;
  };
  readonly storage: {
    tableSnapshot(databaseId: number, tableId: number): { readonly batches: readonly TableBatchView[] } | undefined;
    onCommitted(listener: (batch: CommittedBatch) => void): () => void;
  };
  /** Answers from files and buffer; asked once the service has started. */
  readonly query: (request: { readonly database: string; readonly sql: string }) => Promise<QueryStream>;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly yieldToEventLoop: () => Promise<void>;
  readonly limits?: Partial<CacheLimits>;
}

export class CacheService {
  readonly #options: CacheServiceOptions;
  readonly #limits: CacheLimits;
  readonly #budget: CacheBudget;
  readonly #byTable = new Map<number, LiveCache[]>();
  readonly #stops: (() => void)[] = [];
  /** Cancels the next eviction of each kind. */
  readonly #timers = new Map<CacheKind, () => void>();
  #refusedTold = 0;
  #closed = false;

  constructor(options: CacheServiceOptions) {
    this.#options = options;
    this.#limits = { ...CACHE_LIMITS_DEFAULT, ...options.limits };
    this.#budget = new CacheBudget(this.#limits.bytesMax);
  }

  /** Makes the caches of the catalog and reads the buffer at once, so that later commits come after it; files follow in the background. */
  start(): void {
    const { catalog, storage } = this.#options;
    for (const [tableId, definitions] of catalog.state.caches) {
      const table = catalog.state.tablesById.get(tableId);
      if (table === undefined) continue;
      for (const definition of definitions) {
        const cache = this.#add(table, definition);
        for (const batch of storage.tableSnapshot(table.databaseId, tableId)?.batches ?? []) cache.apply(batch, this.#nowMs());
        cache.filled = this.#fill(cache, true);
      }
    }
    this.#stops.push(catalog.onChange((op) => this.#follow(op)), storage.onCommitted((batch) => this.#commit(batch)));
    this.#armEviction("last", this.#limits.lastEvictionIntervalMs);
    this.#armEviction("distinct", this.#limits.distinctEvictionIntervalMs);
  }

  close(): void {
    this.#closed = true;
    for (const stop of [...this.#stops, ...this.#timers.values()]) stop();
  }

  /** Resolves when the cache has read what was there. Throws what the plan throws. */
  createLast(request: LastCacheRequest): Promise<Readonly<Record<string, unknown>>> {
    return this.#create((state) => planCreateLastCache(state, request));
  }

  createDistinct(request: DistinctCacheRequest): Promise<Readonly<Record<string, unknown>>> {
    return this.#create((state) => planCreateDistinctCache(state, request));
  }

  async delete(kind: CacheKind, name: CacheName): Promise<void> {
    await this.#options.catalog.change((state) => planDeleteCache(state, kind, name));
  }

  async #create(plan: (state: CatalogState) => readonly CatalogOp[]): Promise<Readonly<Record<string, unknown>>> {
    let made: (CatalogOp & { kind: "create-cache" }) | undefined;
    const state = await this.#options.catalog.change((before) => {
      const ops = plan(before);
      made = ops.find((op) => op.kind === "create-cache");
      return ops;
    });
    const { tableId, cache } = made as CatalogOp & { kind: "create-cache" };
    await (this.#byTable.get(tableId) ?? []).find(({ definition }) => definition.id === cache.id)?.filled;
    return describeCache(cache, state.tablesById.get(tableId) as TableDefinition);
  }

  /** Caches of a table, in creation order. */
  ofTable(tableId: number): readonly LiveCache[] {
    return this.#byTable.get(tableId) ?? [];
  }

  /** All caches of a database with their tables. */
  *ofDatabase({ tables }: Pick<DatabaseDefinition, "tables">): Generator<readonly [table: TableDefinition, cache: LiveCache]> {
    for (const table of tables.values()) for (const cache of this.ofTable(table.id)) yield [table, cache];
  }

  statistics(): { readonly bytes: number; readonly limitBytes: number; readonly refused: number } {
    return { bytes: this.#budget.used, limitBytes: this.#budget.limitBytes, refused: this.#budget.refused };
  }

  #nowMs(): number {
    return Number(this.#options.clock.nowNs() / 1_000_000n);
  }

  #add(table: TableDefinition, definition: CacheDefinition): LiveCache {
    const cache = new LiveCache(definition, table, this.#budget);
    const own = this.#byTable.get(table.id);
    if (own === undefined) this.#byTable.set(table.id, [cache]);
    else own.push(cache);
    return cache;
  }

  #follow(op: CatalogOp): void {
    const { state } = this.#options.catalog;
    if (op.kind === "create-cache") {
      const cache = this.#add(state.tablesById.get(op.tableId) as TableDefinition, op.cache);
      cache.filled = this.#fill(cache, false);
    } else if (op.kind === "delete-cache") {
      this.#drop(op.tableId, ({ definition }) => definition.kind === op.cacheKind && definition.name === op.name);
    } else if (op.kind === "delete-table") {
      this.#drop(op.tableId, () => true);
    } else if (op.kind === "delete-database") {
      for (const [tableId, caches] of [...this.#byTable]) this.#drop(tableId, () => caches[0]?.databaseId === op.id);
    }
  }

  #drop(tableId: number, isGone: (cache: LiveCache) => boolean): void {
    const own = this.#byTable.get(tableId) ?? [];
    const rest = own.filter((cache) => !isGone(cache));
    for (const cache of own) if (!rest.includes(cache)) cache.close();
    if (rest.length === 0) this.#byTable.delete(tableId);
    else this.#byTable.set(tableId, rest);
  }

  #commit(batch: CommittedBatch): void {
    const caches = this.#byTable.get(batch.tableId);
    if (caches === undefined || batch.rowCount === 0) return;
    const view = viewTableBatch(batch.bytes);
    for (const cache of caches) cache.apply(view, this.#nowMs());
  }

  async #fill(cache: LiveCache, restarted: boolean): Promise<void> {
    const { catalog, query, log } = this.#options;
    try {
      // The service may not be wired up yet while the catalog is being read.
      await this.#options.yieldToEventLoop();
      const table = catalog.state.tablesById.get(cache.tableId);
      const database = catalog.state.databasesById.get(cache.databaseId);
      if (table === undefined || database === undefined || cache.closed) return;
      const stream = await query({ database: database.name, sql: cache.fillQuery(table, this.#nowMs(), restarted) });
      try {
        for await (const batch of stream.batches) {
          if (cache.closed || this.#closed) return;
          cache.fill(batch, table, this.#nowMs(), restarted);
        }
      } finally {
        await stream.close();
      }
    } catch (error) {
      log.log("warn", `The cache '${cache.definition.name}' could not read the rows that were there before; it holds what is written from now on: ${messageOf(error)}`);
    }
  }

  #armEviction(kind: CacheKind, intervalMs: number): void {
    if (this.#closed) return;
    this.#timers.set(kind, this.#options.clock.after(intervalMs, () => void this.#evict(kind).then(() => this.#armEviction(kind, intervalMs))));
  }

  async #evict(kind: CacheKind): Promise<void> {
    for (const caches of [...this.#byTable.values()]) {
      for (const cache of caches) {
        if (cache.definition.kind !== kind) continue;
        for (const _ of cache.evict(this.#nowMs())) await this.#options.yieldToEventLoop();
      }
    }
    if (this.#budget.refused > this.#refusedTold) {
      this.#refusedTold = this.#budget.refused;
      this.#options.log.log("warn", `The caches are full (${this.#budget.used} of ${this.#budget.limitBytes} bytes) and lack ${this.#refusedTold} rows: raise --value-cache-size, or delete a cache`);
    }
  }
}
