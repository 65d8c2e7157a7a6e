/** Tells the memory ledger where each part's bytes are counted. */
import { residentBytes } from "../adapters/system/machine-memory.ts";
import type { ResolvedMemory } from "../core/config/memory-config.ts";
import type { CacheService } from "../engine/caches/cache-service.ts";
import type { ColumnCache } from "../engine/direct/column-cache.ts";
import { MemoryLedger } from "../engine/memory/ledger.ts";
import type { Storage } from "../engine/storage.ts";
import type { Clock } from "../ports/clock.ts";
import type { BodyMeter } from "../ports/http-listener.ts";
import type { PluginRuntime } from "../ports/plugin-runtime.ts";
import type { QueryEngine } from "../ports/query-engine.ts";

export interface LedgerSources {
  readonly storage: Storage;
  readonly engine: QueryEngine;
  readonly caches: Pick<CacheService, "statistics">;
  readonly columns: Pick<ColumnCache, "statistics">;
  readonly runtime: PluginRuntime;
  readonly bodies: BodyMeter;
}

/** `kernels` is address space; what is resident of it is less. The memory of plugins in child processes is not in the whole. */
export function memoryLedger({ limitBytes, parts }: ResolvedMemory, clock: Clock, { storage, engine, caches, columns, runtime, bodies }: LedgerSources): MemoryLedger {
  return new MemoryLedger({
    limitBytes,
    parts,
    clock,
    residentBytes,
    used: {
      kernels: () => storage.statistics().kernelBytes,
      wal_ring: () => storage.statistics().ringUsedBytes,
      bodies: () => bodies.usedBytes,
      buffer: () => storage.statistics().bufferUsedBytes,
      queries: () => engine.statistics().memoryBytes,
      merges: () => storage.statistics().persistence?.mergeMemoryBytes ?? 0,
      trigger_feed: () => storage.statistics().feedHeldBytes,
      value_caches: () => caches.statistics().bytes,
      column_cache: () => columns.statistics().bytes,
      plugins: () => runtime.statistics().memoryBytes,
    },
  });
}
