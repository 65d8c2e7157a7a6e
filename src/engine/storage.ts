/**
 * The storage engine: catalog, write path, WAL and queryable buffer as one. A write is answered once its record is on
 * disk and its rows are queryable; on start the WAL brings the buffer back to exactly the acknowledged rows.
 */
import { batchCost, type CommittedBatch, QueryableBuffer } from "../core/buffer/queryable-buffer.ts";
import type { Repeated } from "../core/buffer/repeated-times.ts";
import type { CatalogOp } from "../core/catalog/ops.ts";
import type { TableDefinition } from "../core/catalog/definitions.ts";
import type { TableBatchView } from "../core/columns/table-batch.ts";
import type { Checksum } from "../core/bytes/crc32.ts";
import { DatabaseError, messageOf } from "../core/errors/database-error.ts";
import type { LineProtocolKernel } from "../core/line-protocol/kernel.ts";
import type { PersistedFile } from "../core/snapshot/manifest.ts";
import { batchesStart, POSITION_BYTES, RECORD_HEADER_BYTES, type TriggerPosition } from "../core/wal/record.ts";
import type { WalRecord } from "../core/wal/reader.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogSink } from "../ports/log-sink.ts";
import type { WalLog } from "../ports/wal-log.ts";
import type { CatalogService } from "./catalog-service.ts";
import { DEFAULT_FEED_LIMITS, type FeedLimits } from "./feed/limits.ts";
import { TriggerFeed } from "./feed/trigger-feed.ts";
import { BufferRoom } from "./buffer-room.ts";
import { closedError, GroupCommit, type RingRecord, type WalTrouble } from "./group-commit.ts";
import { leaveBehind, type OtherWal } from "./other-wal.ts";
import { ReplayRelief } from "./replay-relief.ts";
import { recover, type RecoveryReport } from "./recovery.ts";
import { Persistence, type PersistenceSettings, type PersistenceStatistics } from "./snapshots/persistence.ts";
import { DEFAULT_STORAGE_LIMITS, SNAPSHOT_WORKING_SHARE, type StorageLimits } from "./storage-limits.ts";
import { type EncodableWrite, WritePath, type WriteRequest } from "./write-path.ts";

export type { CommittedBatch } from "../core/buffer/queryable-buffer.ts";

export interface TableSnapshot {
  readonly table: TableDefinition;
  /** In WAL order. */
  readonly batches: readonly TableBatchView[];
  /** Times at which a point may stand twice among the batches. */
  readonly repeated: Repeated;
  /** Older rows, in WAL order: all of them are older than every batch. */
  readonly files: readonly PersistedFile[];
}

export interface StorageOptions {
  readonly catalog: CatalogService;
  readonly wal: WalLog;
  /** Where the WAL would be with another setting: it must hold nothing that a replay needs. */
  readonly otherWal?: OtherWal | undefined;
  readonly clock: Clock;
  readonly log: LogSink;
  /** Sixteen random bytes. */
  readonly random16: () => Uint8Array;
  /** CRC-32; default: in TypeScript. */
  readonly checksum?: Checksum | undefined;
  readonly limits?: Partial<StorageLimits>;
  readonly feedLimits?: Partial<FeedLimits>;
  /** Undefined: rows stay in the WAL and in memory. */
  readonly snapshots?: PersistenceSettings;
  /** Default true, unlike the reference: a damaged WAL stops the start. */
  readonly walReplayFailOnError?: boolean;
  /** Lets other work run; default: a timer of the clock. */
  readonly yieldToEventLoop?: () => Promise<void>;
  /** Makes line protocol kernels, one for each parser (`parsersMax`); without it writes are parsed in TypeScript alone. */
  readonly makeKernel?: (() => LineProtocolKernel | undefined) | undefined;
}

export interface StorageStatistics {
  readonly rows: number;
  readonly tables: number;
  readonly bufferUsedBytes: number;
  readonly bufferLimitBytes: number;
  readonly seriesIndexBytes: number;
  readonly ringUsedBytes: number;
  readonly ringCapacityBytes: number;
  /** Address space of line protocol kernels; only what they use is resident. */
  readonly kernelBytes: number;
  readonly writersWaiting: number;
  readonly commits: number;
  readonly commitFailures: number;
  readonly walFile: number;
  /** Kept for triggers alone: WAL files and persisted rows in memory. */
  readonly walRetainedBytes: number;
  readonly feedHeldBytes: number;
  readonly linesWritten: number;
  readonly bytesWritten: number;
  readonly persistedFiles: number;
  readonly persistedRows: number;
  readonly persistedBytes: number;
  /** Undefined: rows stay in the WAL and in memory. */
  readonly persistence: PersistenceStatistics | undefined;
  readonly replay: RecoveryReport;
}

export class Storage {
  readonly #catalog: CatalogService;
  readonly #log: LogSink;
  readonly #buffer: QueryableBuffer;
  readonly #room: BufferRoom;
  readonly #commit: GroupCommit;
  readonly #path: WritePath;
  readonly #wal: WalLog;
  readonly #replay: RecoveryReport;
  readonly #persistence: Persistence | undefined;
  /** Committed rows for triggers. */
  readonly feed: TriggerFeed;
  readonly #listeners = new Set<(batch: CommittedBatch) => void>();
  #linesWritten = 0;
  #bytesWritten = 0;

  private constructor(options: StorageOptions, { limits, buffer, persistence, replay, positions, yieldToEventLoop }: OpenedParts) {
    this.#catalog = options.catalog;
    this.#log = options.log;
    this.#wal = options.wal;
    this.#buffer = buffer;
    this.#room = new BufferRoom({ buffer, clock: options.clock, limits, isPersisted: options.snapshots !== undefined });
    this.#replay = replay;
    this.#persistence = persistence;
    this.#commit = new GroupCommit({
      wal: options.wal,
      clock: options.clock,
      log: options.log,
      limits,
      random16: options.random16,
      checksum: options.checksum,
      firstFile: replay.nextFile,
      lastSequence: replay.lastSequence,
      files: replay.files,
      apply: (record, sequence) => this.#apply(record, sequence),
      discard: (record) => buffer.release(record.reservedBytes),
    });
    const { wal, clock, log } = options;
    const feedLimits = { ...DEFAULT_FEED_LIMITS, ...options.feedLimits };
    const commitPosition = (databaseId: number, position: TriggerPosition): Promise<void> => this.commitPosition(databaseId, position);
    this.feed = new TriggerFeed({ buffer, commit: this.#commit, wal, clock, log, limits: feedLimits, positions, yieldToEventLoop, commitPosition });
    options.catalog.onChange((op) => this.#dropDeleted(op));
    this.#path = new WritePath({ catalog: options.catalog, clock: options.clock, limits, yieldToEventLoop, makeKernel: options.makeKernel });
    persistence?.start(this.#snapshotCommit());
    // Files that a snapshot covered when the server went down.
    const sequence = persistence?.files.sequence ?? 0;
    if (sequence > 0) this.feed.cover(sequence);
  }

  /** WAL files that a snapshot covers go through the feed: triggers may still need them. */
  #snapshotCommit(): Parameters<Persistence["start"]>[0] {
    const commit = this.#commit;
    return {
      get durableSequence() {
        return commit.durableSequence;
      },
      rotate: () => commit.rotate(),
      coveredFile: (sequence) => commit.coveredFile(sequence),
      discardThrough: (sequence) => this.feed.cover(sequence),
    };
  }

  /** Reads the manifests, then replays the WAL after them. Throws `snapshot.corrupt`; `wal.corrupt` for damage that is no torn tail, unless told to go on without. */
  static async open(options: StorageOptions): Promise<Storage> {
    const limits = { ...DEFAULT_STORAGE_LIMITS, ...options.limits };
    const buffer = new QueryableBuffer(limits.bufferBytes);
    const yieldToEventLoop = options.yieldToEventLoop ?? ((): Promise<void> => new Promise((resolve) => options.clock.after(0, resolve)));
    const persistence = await openPersistence(options, buffer, yieldToEventLoop);
    buffer.startAfter(persistence?.files.sequence ?? 0);
    if (persistence !== undefined) buffer.keepFree(Math.floor(limits.bufferBytes * SNAPSHOT_WORKING_SHARE));
    if (options.otherWal !== undefined) await leaveBehind(options.otherWal, persistence?.files.sequence ?? 0);
    await options.wal.begin?.((persistence?.files.walFile ?? 0) + 1);
    const positions = new Map<number, { databaseId: number; sequence: number; recordedAt: number }>();
    const relief = persistence === undefined ? undefined : new ReplayRelief(buffer, persistence);
    const replay = await recover({
      persistedSequence: persistence?.files.sequence ?? 0,
      persistedFile: persistence?.files.walFile ?? 0,
      wal: options.wal,
      log: options.log,
      failOnError: options.walReplayFailOnError ?? true,
      apply: (record) => replayRecord(record, options.catalog, buffer),
      observe: ({ databaseId, position, sequence }) => {
        if (position !== undefined) positions.set(position.triggerId, { databaseId, sequence: position.sequence, recordedAt: sequence });
      },
      yieldToEventLoop,
      relieve: relief === undefined ? undefined : (sequence, files) => relief.relieve(sequence, files),
    }).finally(() => relief?.close());
    if (buffer.bytes > limits.bufferBytes) {
      options.log.log("warn", `The replayed rows take ${buffer.bytes} bytes and the buffer's limit is ${limits.bufferBytes}: writes are refused until it is raised`);
    }
    return new Storage(options, { limits, buffer, persistence, replay, positions, yieldToEventLoop });
  }

  /**
   * Stores line protocol. Throws `write.partial` or `write.partial_limit` after the good lines are stored (details: the
   * body of the answer), `write.rejected`, `write.empty`, `line_protocol.invalid`, `database.*`, `wal_ring.full`,
   * `buffer.full`, `wal.*`.
   */
  async write(request: WriteRequest): Promise<{ readonly linesWritten: number; readonly bytes: number }> {
    const bytes = request.body.length;
    let committed: Promise<void> = Promise.resolve();
    const { linesWritten, refusal } = await this.#path.run(request, async (write) => {
      const { commit } = await this.#submit(write, request);
      committed = commit;
      // Not awaited here: the parser is free for the next request while this one waits for the disk.
      commit.catch((error: unknown) => {
        if (request.noSync) this.#log.log("error", "Rows that were acknowledged without sync are lost", { error: messageOf(error) });
      });
    });
    if (!request.noSync) await committed;
    this.#linesWritten += linesWritten;
    this.#bytesWritten += bytes;
    if (refusal !== undefined) throw refusal;
    return { linesWritten, bytes };
  }

  /** Rows of a live table as they are now, valid for this turn of the event loop or as long as they are pinned; undefined when there is no such table. */
  tableSnapshot(databaseId: number, tableId: number): TableSnapshot | undefined {
    const table = this.#catalog.state.tablesById.get(tableId);
    if (table === undefined || table.databaseId !== databaseId) return undefined;
    const buffered = this.#buffer.table(tableId);
    return { table, batches: buffered?.batches ?? [], repeated: buffered?.repeated ?? [], files: this.#persistence?.files.ofTable(tableId) ?? [] };
  }

  /** Batches of snapshots taken from now on stay as they are until the returned function is called. */
  pin(): () => void {
    return this.#buffer.pin();
  }

  /** Persists all that is durable now, where snapshots are on; a failure is logged and tried again later. */
  async snapshotNow(): Promise<void> {
    await this.#persistence?.snapshotNow();
  }

  /** Merges all small Parquet files that are worth it; resolves to the number of merges. */
  async mergeNow(): Promise<number> {
    return (await this.#persistence?.mergeNow()) ?? 0;
  }

  /** Removes expired files and what is to be deleted for good, as is done in the background from time to time. */
  async expireNow(): Promise<void> {
    await this.#persistence?.expireNow();
  }

  /** Resolves once objects that an earlier run left are deleted. */
  async cleaned(): Promise<void> {
    await this.#persistence?.cleaned();
  }

  /** Makes a durable trigger's position durable on its own, where its run wrote nothing. */
  async commitPosition(databaseId: number, position: TriggerPosition): Promise<void> {
    const slot = await this.#commit.reserve(RECORD_HEADER_BYTES + POSITION_BYTES);
    await this.#commit.submit(slot, { databaseId, batches: [], origin: undefined, reservedBytes: 0, position });
  }

  /** Calls `listener` for each batch once it is durable and queryable, in WAL order. */
  onCommitted(listener: (batch: CommittedBatch) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Last durable sequence. */
  get headSequence(): number {
    return this.#commit.durableSequence;
  }

  statistics(): StorageStatistics {
    const buffer = this.#buffer;
    const persisted = this.#persistence?.files.totals ?? { count: 0, rows: 0, bytes: 0 };
    return {
      rows: buffer.rowCount,
      tables: buffer.tableCount,
      bufferUsedBytes: buffer.bytes,
      bufferLimitBytes: buffer.limitBytes,
      seriesIndexBytes: buffer.indexBytes,
      kernelBytes: this.#path.kernelBytes,
      ...this.#commit.statistics(),
      ...this.feed.statistics(),
      linesWritten: this.#linesWritten,
      bytesWritten: this.#bytesWritten,
      persistedFiles: persisted.count,
      persistedRows: persisted.rows,
      persistedBytes: persisted.bytes,
      persistence: this.#persistence?.statistics(),
      replay: this.#replay,
    };
  }

  /** What is wrong with the WAL now; undefined: nothing. */
  walTrouble(): WalTrouble | undefined {
    return this.#commit.trouble();
  }

  /** From now on every write gets this error; queries go on. */
  refuseWrites(error: DatabaseError): void {
    this.#commit.refuse(error);
  }

  /** Commits what was accepted, refuses more, closes the WAL log. */
  async close(): Promise<void> {
    await this.#persistence?.close();
    this.#room.close(closedError());
    await this.feed.close();
    await this.#commit.close();
    await this.#wal.close();
  }

  /** Encodes the rows into the ring. The commit is wrapped, so that awaiting this does not await it. */
  async #submit(write: EncodableWrite, { origin, position }: WriteRequest): Promise<{ readonly commit: Promise<void> }> {
    await this.#room.reserve(write.bufferBytes);
    try {
      const slot = await this.#commit.reserve(write.size + (position === undefined ? 0 : POSITION_BYTES));
      return { commit: this.#commit.submit(slot, { databaseId: write.databaseId, origin, batches: write.batches, reservedBytes: write.bufferBytes, position }) };
    } catch (error) {
      this.#buffer.release(write.bufferBytes);
      throw error;
    }
  }

  #dropDeleted(op: CatalogOp): void {
    if (op.kind === "delete-table") {
      const table = this.#catalog.state.tablesById.get(op.tableId);
      if (table !== undefined) this.#buffer.dropTable(table.databaseId, table.id);
    } else if (op.kind === "delete-database") {
      for (const table of this.#catalog.state.tablesById.values()) if (table.databaseId === op.id) this.#buffer.dropTable(op.id, table.id);
    }
  }

  #apply(record: RingRecord, sequence: number): void {
    if (record.position !== undefined) this.feed.noted(record.databaseId, record.position, sequence);
    for (const bytes of batchesOf(record.bytes)) {
      if (!isLive(this.#catalog, tableIdOf(bytes))) {
        this.#buffer.release(batchCost(bytes));
        continue;
      }
      const batch = this.#buffer.append(batchOf(bytes, { ...record, sequence }), { reserved: true });
      for (const listener of this.#listeners) {
        try {
          listener(batch);
        } catch (error) {
          this.#log.log("error", "A listener to committed rows failed", { error: messageOf(error) });
        }
      }
    }
    this.#persistence?.notify();
  }
}

interface OpenedParts {
  readonly limits: StorageLimits;
  readonly buffer: QueryableBuffer;
  readonly persistence: Persistence | undefined;
  readonly replay: RecoveryReport;
  /** Of durable triggers, by trigger id. */
  readonly positions: ReadonlyMap<number, { readonly databaseId: number; readonly sequence: number; readonly recordedAt: number }>;
  readonly yieldToEventLoop: () => Promise<void>;
}

async function openPersistence({ snapshots, catalog, clock, log }: StorageOptions, buffer: QueryableBuffer, yieldToEventLoop: () => Promise<void>): Promise<Persistence | undefined> {
  if (snapshots === undefined) return undefined;
  const liveTable = (tableId: number): TableDefinition | undefined => (isLive(catalog, tableId) ? catalog.state.tablesById.get(tableId) : undefined);
  const retentionOf = (tableId: number): bigint | undefined => {
    const table = liveTable(tableId);
    return table === undefined ? undefined : (table.retentionNs ?? catalog.state.databasesById.get(table.databaseId)?.retentionNs);
  };
  return Persistence.open({ settings: snapshots, buffer, catalog, liveTable, retentionOf, clock, log, yieldToEventLoop });
}

/** Deleted tables answer no query and feed no trigger, so their rows need no memory. */
function isLive(catalog: CatalogService, tableId: number): boolean {
  const table = catalog.state.tablesById.get(tableId);
  return table !== undefined && !table.deleted && catalog.state.databasesById.get(table.databaseId)?.deleted === false;
}

/** The table batches of a record of our own, whole and checked. */
function* batchesOf(record: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  for (let at = batchesStart(record); at < record.length; ) {
    const size = view.getUint32(at + 4, true);
    yield record.subarray(at, at + size);
    at += size;
  }
}

interface Origin {
  readonly sequence: number;
  readonly databaseId: number;
  readonly origin: string | undefined;
}

const tableIdOf = (batch: Uint8Array): number => new DataView(batch.buffer, batch.byteOffset, batch.length).getUint32(16, true);

/** Header fields of a table batch: rows at 8, table id at 16. */
function batchOf(bytes: Uint8Array, { sequence, databaseId, origin }: Origin): CommittedBatch {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { sequence, databaseId, tableId: tableIdOf(bytes), bytes, rowCount: view.getUint32(8, true), origin };
}

/** Checks every batch before the first is taken in: a record counts whole or not at all. */
function replayRecord(record: WalRecord, catalog: CatalogService, buffer: QueryableBuffer): void {
  for (const { tableId, databaseId } of record.batches) {
    const table = catalog.state.tablesById.get(tableId);
    // Ids are never used again: this table was deleted, and the catalog has forgotten it.
    if (table === undefined && tableId <= catalog.state.lastTableId) continue;
    if (table === undefined || table.databaseId !== record.databaseId || databaseId !== record.databaseId) {
      throw new DatabaseError("wal.corrupt", { message: `a record names table ${tableId} of database ${record.databaseId}, which the catalog does not know` });
    }
  }
  for (const { bytes, tableId } of record.batches) if (isLive(catalog, tableId)) buffer.append(batchOf(bytes, { ...record, origin: undefined }), { reserved: false });
}
