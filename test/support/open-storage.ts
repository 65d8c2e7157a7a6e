/** A storage engine on adapters in memory, for tests; `files` and `objects` survive a simulated crash. */
import { createMemoryObjectStore } from "../../src/adapters/object-store/memory.ts";
import { createMemoryWalLog } from "../../src/adapters/wal-log/memory.ts";
import type { CatalogLimits } from "../../src/core/catalog/limits.ts";
import { CatalogService } from "../../src/engine/catalog-service.ts";
import type { FeedLimits } from "../../src/engine/feed/limits.ts";
import { Storage, type StorageOptions } from "../../src/engine/storage.ts";
import type { PersistenceSettings } from "../../src/engine/snapshots/persistence.ts";
import type { StorageLimits } from "../../src/engine/storage-limits.ts";
import type { WriteRequest } from "../../src/engine/write-path.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import type { WalLog } from "../../src/ports/wal-log.ts";
import { rowsOf, type Row } from "../../src/testing/table-rows.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

export interface Disk {
  readonly objects: Map<string, Uint8Array>;
  readonly files: Map<number, Uint8Array>;
}

export const newDisk = (): Disk => ({ objects: new Map(), files: new Map() });

export interface OpenSetting {
  readonly limits?: Partial<StorageLimits>;
  readonly feedLimits?: Partial<FeedLimits>;
  readonly catalogLimits?: Partial<CatalogLimits>;
  readonly wal?: WalLog;
  /** The catalog's; default: the disk's objects. */
  readonly store?: ObjectStore;
  readonly clock?: VirtualClock;
  readonly walReplayFailOnError?: boolean;
  readonly yieldToEventLoop?: () => Promise<void>;
  /** Where Parquet files go; undefined: snapshots are off. */
  readonly parquetStore?: ObjectStore;
  readonly snapshotAgeMs?: number;
  readonly persistence?: Partial<PersistenceSettings>;
}

export interface Opened {
  readonly storage: Storage;
  readonly catalog: CatalogService;
  readonly clock: VirtualClock;
  /** What was logged. */
  readonly lines: string[];
}

/** Small enough to be made thousands of times. */
const TEST_LIMITS: Partial<StorageLimits> = { ringBytes: 65_536, bufferBytes: 4_194_304, writersWaitingMax: 8, writerWaitMs: 100 };

export async function openStorage(disk: Disk, setting: OpenSetting = {}): Promise<Opened> {
  const clock = setting.clock ?? new VirtualClock();
  const lines: string[] = [];
  const catalog = await CatalogService.open({
    store: setting.store ?? createMemoryObjectStore(disk.objects), prefix: "n0/catalog", random16: () => new Uint8Array(16).fill(7), clock, ...(setting.catalogLimits === undefined ? {} : { limits: setting.catalogLimits }),
  });
  const options: StorageOptions = {
    catalog, clock,
    wal: setting.wal ?? createMemoryWalLog(disk.files),
    random16: () => new Uint8Array(16).fill(7),
    log: { log: (level, message) => void lines.push(`${level}: ${message}`) },
    limits: { ...TEST_LIMITS, ...setting.limits },
    yieldToEventLoop: setting.yieldToEventLoop ?? (() => new Promise((resolve) => setImmediate(resolve))),
    ...(setting.parquetStore === undefined ? {} : { snapshots: { store: setting.parquetStore, nodeId: "n0", gen1DurationNs: 600_000_000_000n, ageMsMax: setting.snapshotAgeMs ?? 600_000, ...setting.persistence } }),
    ...(setting.feedLimits === undefined ? {} : { feedLimits: setting.feedLimits }),
    ...(setting.walReplayFailOnError === undefined ? {} : { walReplayFailOnError: setting.walReplayFailOnError }),
  };
  return { storage: await Storage.open(options), catalog, clock, lines };
}

export const request = (lines: string, more: Partial<WriteRequest> = {}): WriteRequest => ({
  database: "db", body: new TextEncoder().encode(lines), precision: "nanosecond", acceptPartial: true, noSync: false, ...more,
});

/** All rows of a table of `db`, in WAL order. */
export function tableRows({ storage, catalog }: Pick<Opened, "storage" | "catalog">, table: string): Row[] {
  const database = catalog.state.databases.get("db");
  const definition = database?.tables.get(table);
  if (database === undefined || definition === undefined) return [];
  return (storage.tableSnapshot(database.id, definition.id)?.batches ?? []).flatMap(rowsOf);
}
