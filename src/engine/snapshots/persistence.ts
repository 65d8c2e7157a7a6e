/** Everything of a node that lies in Parquet: manifests, snapshots, merges, retention, deletion; opened and closed as one. */
import type { QueryableBuffer } from "../../core/buffer/queryable-buffer.ts";
import { DELETE_GRACE_NS_DEFAULT } from "../../core/catalog/limits.ts";
import type { TableDefinition } from "../../core/catalog/definitions.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import type { ChunkEncoder } from "../../ports/chunk-encoder.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import { createDrive } from "../drive.ts";
import { DELETE_GRACE_MS_DEFAULT, MANIFESTS_PER_CHECKPOINT, MERGE_MEMORY_BYTES_DEFAULT, RETENTION_CHECK_MS_DEFAULT } from "../storage-limits.ts";
import { HardDeleter, type HardDeleterCatalog } from "./hard-deleter.ts";
import { ManifestLog } from "./manifest-log.ts";
import { Merger, type MergerStatistics } from "./merger.ts";
import { ParquetObjects } from "./parquet-objects.ts";
import type { PersistedFiles } from "./persisted-files.ts";
import { RetentionKeeper } from "./retention-keeper.ts";
import { Snapshotter, type SnapshotterOptions } from "./snapshotter.ts";

export interface PersistenceSettings {
  readonly store: ObjectStore;
  readonly nodeId: string;
  /** Length of a time chunk. */
  readonly gen1DurationNs: bigint;
  /** Rows older than this in the buffer begin a snapshot. */
  readonly ageMsMax: number;
  /** How often expired files are looked for; default 30 minutes. */
  readonly retentionCheckMs?: number;
  /** How long the catalog keeps what was erased; default 24 hours. */
  readonly deleteGraceNs?: bigint;
  /** Memory of a merge; 0: none are made. */
  readonly mergeMemoryBytesMax?: number;
  /** Manifests after which a checkpoint replaces them; default 100. */
  readonly manifestsPerCheckpoint?: number;
  /** Encodes on another thread; without it chunks are encoded here, in slices. */
  readonly encoder?: ChunkEncoder | undefined;
  /** Longest life of a query: so long files stay that no longer count. Default 65 s. */
  readonly queryMsMax?: number;
  /** Called when another process turns out to write this node's manifests. */
  readonly onConflict?: (() => void) | undefined;
}

export interface PersistenceOptions {
  readonly settings: PersistenceSettings;
  readonly buffer: QueryableBuffer;
  readonly catalog: HardDeleterCatalog;
  readonly retentionOf: (tableId: number) => bigint | undefined;
  /** Undefined: nobody can ask for the table's rows any more. */
  readonly liveTable: (tableId: number) => TableDefinition | undefined;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly yieldToEventLoop: () => Promise<void>;
}

export interface PersistenceStatistics extends MergerStatistics {
  readonly snapshots: number;
  readonly snapshotFailures: number;
  readonly expiredFiles: number;
  readonly deletedFiles: number;
  readonly orphanedFiles: number;
  readonly doomedFiles: number;
  /** Manifests and checkpoints that a start would read now. */
  readonly manifestReads: number;
}

type Commit = SnapshotterOptions["commit"];

export class Persistence {
  readonly #options: PersistenceOptions;
  readonly #manifests: ManifestLog;
  readonly #objects: ParquetObjects;
  readonly #drive: SnapshotterOptions["drive"];
  #parts: { readonly snapshotter: Snapshotter; readonly merger: Merger | undefined; readonly retention: RetentionKeeper; readonly deleter: HardDeleter } | undefined;
  #cleaning: Promise<void> = Promise.resolve();

  private constructor(options: PersistenceOptions, manifests: ManifestLog, drive: SnapshotterOptions["drive"]) {
    this.#options = options;
    this.#manifests = manifests;
    this.#drive = drive;
    const { settings, clock, log } = options;
    this.#objects = new ParquetObjects({ store: settings.store, nodeId: settings.nodeId, files: manifests.files, clock, log, graceMs: settings.queryMsMax ?? DELETE_GRACE_MS_DEFAULT });
    manifests.onChange(({ added, removed }) => {
      this.#objects.confirm(added, removed);
      this.#parts?.merger?.notify(added);
    });
  }

  /** Reads the manifests. Throws `snapshot.corrupt`. */
  static async open(options: PersistenceOptions): Promise<Persistence> {
    const { settings, log, clock, yieldToEventLoop } = options;
    const drive = createDrive(clock, yieldToEventLoop);
    const { store, nodeId, manifestsPerCheckpoint = MANIFESTS_PER_CHECKPOINT, onConflict } = settings;
    return new Persistence(options, await ManifestLog.open({ store, nodeId, log, drive, manifestsPerCheckpoint, onConflict }), drive);
  }

  get files(): PersistedFiles {
    return this.#manifests.files;
  }

  /** A snapshotter for the time before `start`: a replay that does not fit the buffer. */
  snapshotter(commit: Commit): Snapshotter {
    const { settings, buffer, liveTable, clock, log } = this.#options;
    return new Snapshotter({ settings, buffer, manifests: this.#manifests, objects: this.#objects, commit, liveTable, clock, log, drive: this.#drive });
  }

  /** Begins the work in the background. */
  start(commit: Commit): void {
    const { settings, catalog, retentionOf, liveTable, clock, log } = this.#options;
    const { store, nodeId } = settings;
    const [manifests, objects, drive] = [this.#manifests, this.#objects, this.#drive];
    const memoryBytesMax = settings.mergeMemoryBytesMax ?? MERGE_MEMORY_BYTES_DEFAULT;
    this.#parts = {
      snapshotter: this.snapshotter(commit),
      merger: memoryBytesMax === 0 ? undefined : new Merger({ store, nodeId, manifests, objects, liveTable, clock, log, drive, encoder: settings.encoder, memoryBytesMax }),
      retention: new RetentionKeeper({ manifests, retentionOf, clock, log, checkMs: settings.retentionCheckMs ?? RETENTION_CHECK_MS_DEFAULT }),
      deleter: new HardDeleter({ catalog, manifests, objects, nodeId, clock, log, graceNs: settings.deleteGraceNs ?? DELETE_GRACE_NS_DEFAULT }),
    };
    this.#cleaning = this.#cleanUp();
  }

  /** What a crash left behind: manifests that a checkpoint covers, files that no manifest names. */
  async #cleanUp(): Promise<void> {
    try {
      await this.#manifests.deleteCovered();
      await this.#objects.deleteOrphans();
    } catch (error) {
      this.#options.log.log("warn", `Objects that an earlier run left cannot be deleted; the next start tries again: ${messageOf(error)}`);
    }
  }

  /** Rows came into the buffer. */
  notify(): void {
    this.#parts?.snapshotter.notify();
  }

  /** Persists all that is durable now; a failure is logged and tried again later. */
  async snapshotNow(): Promise<void> {
    await this.#parts?.snapshotter.snapshotNow();
  }

  /** Merges all that is worth it; resolves to the number of merges. */
  async mergeNow(): Promise<number> {
    return (await this.#parts?.merger?.mergeNow()) ?? 0;
  }

  /** Removes expired files and what is to be deleted for good, as the checks in the background do. */
  async expireNow(): Promise<void> {
    await this.#parts?.retention.checkNow();
    await this.#parts?.deleter.checkNow();
  }

  /** Resolves once what an earlier run left is deleted. */
  cleaned(): Promise<void> {
    return this.#cleaning;
  }

  statistics(): PersistenceStatistics {
    const parts = this.#parts;
    return {
      snapshots: 0, snapshotFailures: 0, merges: 0, mergedFiles: 0, mergeFailures: 0, mergeMemoryBytes: 0,
      ...parts?.snapshotter.statistics(),
      ...parts?.merger?.statistics(),
      expiredFiles: parts?.retention.expiredFiles ?? 0,
      ...this.#objects.statistics,
      manifestReads: this.#manifests.startReads,
    };
  }

  async close(): Promise<void> {
    await this.#parts?.snapshotter.close();
    await this.#parts?.merger?.close();
    await this.#parts?.retention.close();
    await this.#parts?.deleter.close();
    await this.#objects.close();
    await this.#cleaning;
    await this.#manifests.close();
  }
}
