/** Opens what a node keeps: a locked folder with catalog objects and WAL files, a bucket, or memory. */
import { join, resolve } from "node:path";
import { createFileObjectStore } from "../adapters/object-store/file.ts";
import { createMemoryObjectStore } from "../adapters/object-store/memory.ts";
import { ParquetCache } from "../adapters/object-store/parquet-cache.ts";
import { createThrottledObjectStore } from "../adapters/object-store/throttled.ts";
import type { ParquetPlace } from "../adapters/query-engine/duckdb/relation-view.ts";
import { makeFolder } from "../adapters/system/make-folder.ts";
import { lockFolder } from "../adapters/system/process-lock.ts";
import { openFileWalLog } from "../adapters/wal-log/file.ts";
import { checkFolderOwner } from "../adapters/wal-log/folder-owner.ts";
import { createObjectWalLog } from "../adapters/wal-log/object.ts";
import { createVolatileWalLog } from "../adapters/wal-log/memory.ts";
import type { ServeConfig } from "../core/config/serve-config.ts";
import type { StoreConfig } from "../core/config/store-config.ts";
import { parquetFolder } from "../core/snapshot/manifest.ts";
import { checkNotForeign } from "../engine/catalog-files.ts";
import type { OtherWal } from "../engine/other-wal.ts";
import type { NodeClaim } from "../engine/stores/node-claim.ts";
import { ObservedStore } from "../engine/stores/observed-store.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { WalLog } from "../ports/wal-log.ts";
import type { Closing } from "./closing.ts";
import { openS3, type StoreParts, takeNode } from "./open-s3.ts";
import { workerEntry } from "./paths.ts";
import { randomName } from "./random.ts";

export interface Stores {
  readonly kind: StoreConfig["kind"];
  /** What the catalog and the snapshots use. */
  readonly objects: ObjectStore;
  readonly observed: ObservedStore;
  /** Where the query engine reads Parquet; undefined: objects are in memory, so rows are not worth moving there. */
  readonly parquet: ParquetPlace | undefined;
  /** Undefined: the objects lie where the query engine reads. */
  readonly cache: ParquetCache | undefined;
  /** Undefined: nobody else can reach the store. */
  readonly claim: NodeClaim | undefined;
  /** The WAL is in the store too, so nothing can be stored while it is down. */
  readonly walInStore: boolean;
  /** Throws `server.misconfigured` when a WAL on this machine belongs to another catalog. */
  openWal(catalogUuid: string): Promise<WalLog>;
  /** Closed by the caller. */
  openOtherWal?(catalogUuid: string): Promise<OtherWal>;
}

type Config = Pick<ServeConfig, "objectStore" | "nodeId">;

/** Throws `server.*`, `object_store.unavailable`, `catalog.foreign`. */
export async function openStores(config: Config, parts: StoreParts, closing: Closing): Promise<Stores> {
  const { objectStore: store, nodeId } = config;
  if (store.kind === "memory") return openMemory(store.throttled, parts);
  makeFolder(join(store.dataDir, nodeId), { what: "data folder", flag: "--data-dir" });
  closing.add("data folder", lockFolder(join(store.dataDir, nodeId, "lock")));
  const walFolder = join(store.dataDir, nodeId, "wal");
  const openLocalWal = (): Promise<WalLog> => openFileWalLog({ folder: walFolder, workerUrl: workerEntry("disk-worker") });
  if (store.kind === "file") {
    const observed = new ObservedStore({ ...parts, store: createFileObjectStore({ folder: store.dataDir, randomName }), remote: false });
    return { kind: "file", objects: observed, observed, parquet: placeBelow(store.dataDir, nodeId), cache: undefined, claim: undefined, walInStore: false, openWal: openLocalWal };
  }
  const observed: ObservedStore = new ObservedStore({ ...parts, store: openS3(store.s3, parts, () => observed.noteRetry()), remote: true });
  await checkNotForeign(observed, `${nodeId}/catalog`);
  const claim = await takeNode(observed, nodeId, parts);
  closing.add("claim of the node", () => claim.close());
  const openWalInStore = async (): Promise<WalLog> =>
    createObjectWalLog({ ...parts, store: observed, prefix: `${nodeId}/wal/`, random: Math.random, confirm: () => claim.verify(), supersede: () => claim.supersede() });
  const folder = join(store.dataDir, nodeId, "cache");
  const cache = await ParquetCache.open({ store: claim.guard(observed), folder, bytesMax: store.parquetCacheBytes });
  return { kind: "s3", objects: cache.throughStore(), observed, parquet: placeBelow(folder, nodeId), cache, claim, walInStore: store.walInStore, ...walPlaces(store.walInStore, (uuid) => openOwnWal(walFolder, uuid, openLocalWal), openWalInStore) };
}

async function openOwnWal(folder: string, catalogUuid: string, open: () => Promise<WalLog>): Promise<WalLog> {
  const wal = await open();
  try {
    await checkFolderOwner(folder, catalogUuid);
    return wal;
  } catch (error) {
    await wal.close();
    throw error;
  }
}

function walPlaces(inStore: boolean, openLocal: (catalogUuid: string) => Promise<WalLog>, openInStore: () => Promise<WalLog>): Pick<Stores, "openWal" | "openOtherWal"> {
  if (inStore) return { openWal: openInStore, openOtherWal: async (uuid) => ({ log: await openLocal(uuid), place: "on this machine", setting: "without --wal-object-store" }) };
  return { openWal: openLocal, openOtherWal: async () => ({ log: await openInStore(), place: "in the object store", setting: "with --wal-object-store" }) };
}

function openMemory(throttled: boolean, parts: StoreParts): Stores {
  const memory = createMemoryObjectStore();
  const observed = new ObservedStore({ ...parts, store: throttled ? createThrottledObjectStore(memory, parts.clock) : memory, remote: false });
  return { kind: "memory", objects: observed, observed, parquet: undefined, cache: undefined, claim: undefined, walInStore: false, openWal: async () => createVolatileWalLog() };
}

function placeBelow(folder: string, nodeId: string): ParquetPlace {
  const storeFolder = resolve(folder);
  return { storeFolder, allowedFolder: join(storeFolder, parquetFolder(nodeId)) };
}
