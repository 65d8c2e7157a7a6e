/**
 * Moves the oldest part of the WAL from the buffer into Parquet files: by the buffer's fill and by age. What has been
 * written counts only once its manifest is durable; then, in one step, queries see the files instead of the rows, and the
 * WAL files before may go. Whatever fails on the way leaves the rows where they were.
 */
import type { QueryableBuffer } from "../../core/buffer/queryable-buffer.ts";
import type { TableDefinition } from "../../core/catalog/definitions.ts";
import { assert } from "../../core/errors/assert.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import { type ChunkRows, splitByChunk } from "../../core/snapshot/chunk-rows.ts";
import { encodeChunk, encodeCost } from "../../core/snapshot/encode-chunk.ts";
import { parquetPath, type PersistedFile } from "../../core/snapshot/manifest.ts";
import type { ChunkEncoder } from "../../ports/chunk-encoder.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { Drive } from "../drive.ts";
import type { GroupCommit } from "../group-commit.ts";
import { KEPT_MEMORY_MS, SNAPSHOT_BUFFER_SHARE, SNAPSHOT_CHECK_MS, SNAPSHOT_PREFIX_SHARE, SNAPSHOT_RETRY_MS } from "../storage-limits.ts";
import type { ManifestLog } from "./manifest-log.ts";
import type { ParquetObjects } from "./parquet-objects.ts";

export interface SnapshotSettings {
  readonly nodeId: string;
  /** Length of a time chunk. */
  readonly gen1DurationNs: bigint;
  /** Rows older than this in the buffer begin a snapshot. */
  readonly ageMsMax: number;
  /** Encodes on another thread; without it chunks are encoded here, in slices. */
  readonly encoder?: ChunkEncoder | undefined;
}

export interface SnapshotterOptions {
  readonly settings: SnapshotSettings;
  readonly buffer: QueryableBuffer;
  readonly manifests: ManifestLog;
  readonly objects: ParquetObjects;
  readonly commit: Pick<GroupCommit, "durableSequence" | "rotate" | "coveredFile" | "discardThrough">;
  /** Undefined: nobody can ask for the table's rows any more. */
  readonly liveTable: (tableId: number) => TableDefinition | undefined;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly drive: Drive;
}

export class Snapshotter {
  readonly #options: SnapshotterOptions;
  #running: Promise<void> | undefined;
  #oldestMs: number | undefined;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;
  #releasedMs: number;
  #closed = false;
  #snapshots = 0;
  #failures = 0;
  #isFailing = false;

  constructor(options: SnapshotterOptions) {
    this.#options = options;
    this.#releasedMs = options.clock.monotonicMs();
    if (options.buffer.unpersistedBytes > 0) this.#oldestMs = options.clock.monotonicMs();
    this.#arm();
  }

  statistics(): { readonly snapshots: number; readonly snapshotFailures: number } {
    return { snapshots: this.#snapshots, snapshotFailures: this.#failures };
  }

  /** Rows came into the buffer. */
  notify(): void {
    this.#oldestMs ??= this.#options.clock.monotonicMs();
    if (this.#running === undefined && this.#isFull()) this.#start();
  }

  /** Persists all that is durable now. Resolves when it is done or has failed; failures are logged and tried again. */
  async snapshotNow(): Promise<void> {
    // Others may wait for the same end: who comes first begins the next one.
    while (this.#running !== undefined) await this.#running;
    this.#start();
    await this.#running;
  }

  /** Lets a running snapshot end, begins no other. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#running;
  }

  #isFull(): boolean {
    const { buffer, clock } = this.#options;
    return buffer.unpersistedBytes > buffer.limitBytes * SNAPSHOT_BUFFER_SHARE && clock.monotonicMs() >= this.#notBeforeMs;
  }

  #arm(): void {
    if (this.#closed) return;
    const { clock, buffer, settings } = this.#options;
    this.#cancelTimer = clock.after(Math.min(SNAPSHOT_CHECK_MS, settings.ageMsMax), () => {
      buffer.trim();
      if (clock.monotonicMs() - this.#releasedMs >= KEPT_MEMORY_MS) {
        this.#releasedMs = clock.monotonicMs();
        buffer.releaseUnused();
      }
      const old = this.#oldestMs !== undefined && clock.monotonicMs() - this.#oldestMs >= settings.ageMsMax && clock.monotonicMs() >= this.#notBeforeMs;
      if (this.#running === undefined && (old || this.#isFull())) this.#start();
      this.#arm();
    });
  }

  #start(): void {
    if (this.#closed) return;
    assert(this.#running === undefined, "there is one snapshot at a time");
    this.#running = this.#run().finally(() => (this.#running = undefined));
  }

  async #run(): Promise<void> {
    const { buffer, commit, manifests, clock, log } = this.#options;
    const target = commit.durableSequence;
    this.#oldestMs = undefined;
    try {
      await manifests.settle();
      commit.rotate();
      while (!this.#closed) {
        const sequence = buffer.prefix(target, buffer.limitBytes * SNAPSHOT_PREFIX_SHARE);
        if (sequence === undefined || sequence <= manifests.files.sequence) return;
        await this.#persistThrough(sequence);
        this.#snapshots++;
        if (this.#isFailing) log.log("info", "Snapshots work again");
        this.#isFailing = false;
      }
    } catch (error) {
      this.#failures++;
      this.#notBeforeMs = clock.monotonicMs() + SNAPSHOT_RETRY_MS;
      this.#oldestMs ??= Number.NEGATIVE_INFINITY;
      // Once, not per attempt: a store may be down for hours.
      log.log(this.#isFailing ? "debug" : "warn", `A snapshot failed and is tried again until it works; the rows stay in the WAL and in memory: ${messageOf(error)}`);
      this.#isFailing = true;
    }
  }

  async #persistThrough(sequenceMax: number): Promise<void> {
    const { buffer, commit, manifests, objects, liveTable, settings, drive } = this.#options;
    const written: PersistedFile[] = [];
    const sequences = { sequenceMin: manifests.files.sequence + 1, sequenceMax };
    const unpin = buffer.pin();
    try {
      for (const [tableId, batches] of [...buffer.through(sequenceMax)]) {
        const table = liveTable(tableId);
        if (table === undefined) continue;
        for (const chunk of await drive(splitByChunk(batches, settings.gen1DurationNs))) written.push({ ...(await this.#writeChunk(table, chunk, sequenceMax)), ...sequences });
      }
    } catch (error) {
      await objects.abandon(written.map(({ path }) => path));
      throw error;
    } finally {
      unpin();
    }
    const change = { sequenceMax, walFile: commit.coveredFile(sequenceMax), added: written, removed: [] };
    await manifests.append(
      () => change,
      () => {
        buffer.dropThrough(sequenceMax);
        commit.discardThrough(sequenceMax);
      },
    );
  }

  async #writeChunk(table: TableDefinition, chunk: ChunkRows, sequenceMax: number): Promise<Omit<PersistedFile, "sequenceMin" | "sequenceMax">> {
    const { buffer, settings, objects, drive } = this.#options;
    const cost = encodeCost(table, chunk);
    buffer.charge(cost);
    try {
      const { bytes, ...facts } = await (settings.encoder?.encode(table, chunk, buffer.copies) ?? drive(encodeChunk(table, chunk)));
      const place = { databaseId: table.databaseId, tableId: table.id, chunkTime: chunk.start };
      const path = parquetPath({ nodeId: settings.nodeId, ...place, sequenceMax });
      await objects.write(path, bytes);
      return { ...place, chunkNs: settings.gen1DurationNs, ...facts, path, sizeBytes: bytes.length };
    } finally {
      buffer.charge(-cost);
    }
  }
}
