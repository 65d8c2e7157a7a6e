/** Opens what a node keeps: a locked folder with catalog objects and WAL files, or memory. */
import { join, resolve } from "node:path";
import { createFileObjectStore } from "../adapters/object-store/file.ts";
import { createMemoryObjectStore } from "../adapters/object-store/memory.ts";
import { makeFolder } from "../adapters/system/make-folder.ts";
import { lockFolder } from "../adapters/system/process-lock.ts";
import { openFileWalLog } from "../adapters/wal-log/file.ts";
import { createVolatileWalLog } from "../adapters/wal-log/memory.ts";
import type { ServeConfig } from "../core/config/serve-config.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { WalLog } from "../ports/wal-log.ts";
import { workerEntry } from "./paths.ts";
import { randomName } from "./random.ts";

export interface Stores {
  readonly objects: ObjectStore;
  /** Local folder of the objects, absolute; undefined: they are in memory, so rows are not worth moving there. */
  readonly folder: string | undefined;
  openWal(): Promise<WalLog>;
  /** Lets other servers have the folder. */
  release(): void;
}

/** Throws `server.folder_not_writable`, `server.folder_in_use`. */
export function openStores(config: Pick<ServeConfig, "objectStore" | "nodeId">): Stores {
  if (config.objectStore.kind === "memory") {
    return { objects: createMemoryObjectStore(), folder: undefined, openWal: async () => createVolatileWalLog(), release: () => undefined };
  }
  const { dataDir } = config.objectStore;
  makeFolder(join(dataDir, config.nodeId), { what: "data folder", flag: "--data-dir" });
  const release = lockFolder(join(dataDir, config.nodeId, "lock"));
  return {
    objects: createFileObjectStore({ folder: dataDir, randomName }),
    folder: resolve(dataDir),
    openWal: () => openFileWalLog({ folder: join(dataDir, config.nodeId, "wal"), workerUrl: workerEntry("disk-worker") }),
    release,
  };
}
