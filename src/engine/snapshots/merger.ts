/**
 * Merges small Parquet files in the background, one merge at a time and with a rest after each, so that neither snapshots
 * nor commits wait for it. The new file is written first, then the manifest that names it instead of the old ones; those
 * are deleted once no query can read them any more. Cut off anywhere, a merge leaves the old files or the new one.
 */
import type { TableDefinition } from "../../core/catalog/definitions.ts";
import { DatabaseError, isDatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { type ParquetLayout, readParquetLayout } from "../../core/parquet/read-footer.ts";
import type { EncodedChunk } from "../../core/snapshot/encode-chunk.ts";
import { encodeMerged, mergeCost } from "../../core/snapshot/encode-merged.ts";
import { parquetPath, type PersistedFile } from "../../core/snapshot/manifest.ts";
import { type MergePlan, planMerge } from "../../core/snapshot/plan-merge.ts";
import type { ChunkEncoder, MergeInput } from "../../ports/chunk-encoder.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { Drive } from "../drive.ts";
import { MERGE_CHECK_MS, MERGE_CLOSED_AFTER_NS, MERGE_REST, MERGE_REST_MS_MIN, MERGE_RETRY_MS, MERGE_START_MS } from "../storage-limits.ts";
import type { ManifestLog } from "./manifest-log.ts";
import type { ParquetObjects } from "./parquet-objects.ts";

export interface MergerOptions {
  readonly store: ObjectStore;
  readonly nodeId: string;
  readonly manifests: ManifestLog;
  readonly objects: ParquetObjects;
  readonly liveTable: (tableId: number) => TableDefinition | undefined;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly drive: Drive;
  /** Merges on another thread; without it that is done here, in slices. */
  readonly encoder?: ChunkEncoder | undefined;
  /** Memory of a merge. */
  readonly memoryBytesMax: number;
}

export interface MergerStatistics {
  readonly merges: number;
  readonly mergedFiles: number;
  readonly mergeFailures: number;
  readonly mergeMemoryBytes: number;
}

export class Merger {
  readonly #options: MergerOptions;
  /** Tables whose files may be worth a merge. */
  readonly #dirty = new Set<number>();
  /** Files that cannot be merged: damaged, or texts too long. */
  readonly #barriers = new Set<string>();
  #running: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #lastCheckMs: number;
  /** When the timer fires. */
  #armedForMs = 0;
  /** End of the rest after a merge, or of the pause after a failure. */
  #notBeforeMs = 0;
  #closed = false;
  #merges = 0;
  #mergedFiles = 0;
  #failures = 0;
  #memoryBytes = 0;

  constructor(options: MergerOptions) {
    this.#options = options;
    this.#lastCheckMs = options.clock.monotonicMs();
    this.#markAll();
    this.#rest(MERGE_START_MS);
    this.#arm(0);
  }

  statistics(): MergerStatistics {
    return { merges: this.#merges, mergedFiles: this.#mergedFiles, mergeFailures: this.#failures, mergeMemoryBytes: this.#memoryBytes };
  }

  /** These tables got files. */
  notify(files: readonly PersistedFile[]): void {
    for (const { tableId } of files) this.#dirty.add(tableId);
    if (this.#dirty.size > 0 && this.#running === undefined) this.#arm(MERGE_REST_MS_MIN);
  }

  /** Merges all that is worth it now, without a rest. Resolves to the number of merges; failures are logged. */
  async mergeNow(): Promise<number> {
    await this.#running;
    this.#markAll();
    const before = this.#merges;
    while (!this.#closed && (await this.#step()));
    return this.#merges - before;
  }

  /** Abandons no merge that is under way, begins no other. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#running;
  }

  #markAll(): void {
    for (const [tableId, files] of this.#options.manifests.files.tables()) if (files.length > 1) this.#dirty.add(tableId);
  }

  #rest(delayMs: number): void {
    this.#notBeforeMs = this.#options.clock.monotonicMs() + delayMs;
  }

  /** The earlier of two times counts, but none before the rest is over. */
  #arm(delayMs: number): void {
    if (this.#closed) return;
    const nowMs = this.#options.clock.monotonicMs();
    const atMs = Math.max(nowMs + delayMs, this.#notBeforeMs);
    if (this.#cancelTimer !== undefined && this.#armedForMs <= atMs) return;
    this.#cancelTimer?.();
    this.#armedForMs = atMs;
    this.#cancelTimer = this.#options.clock.after(atMs - nowMs, () => {
      this.#cancelTimer = undefined;
      this.#running = this.#tick().finally(() => (this.#running = undefined));
    });
  }

  async #tick(): Promise<void> {
    const { clock } = this.#options;
    // Time windows end without any file coming.
    if (clock.monotonicMs() - this.#lastCheckMs >= MERGE_CHECK_MS) {
      this.#lastCheckMs = clock.monotonicMs();
      this.#markAll();
    }
    const startedMs = clock.monotonicMs();
    const failures = this.#failures;
    await this.#step();
    const restMs = Math.max(MERGE_REST_MS_MIN, (clock.monotonicMs() - startedMs) * MERGE_REST);
    this.#rest(this.#failures > failures ? MERGE_RETRY_MS : restMs);
    this.#arm(this.#dirty.size > 0 ? 0 : MERGE_CHECK_MS);
  }

  /** One merge; false: there was none to do, or it failed. */
  async #step(): Promise<boolean> {
    for (const tableId of this.#dirty) {
      const table = this.#options.liveTable(tableId);
      const plan = table === undefined ? undefined : this.#plan(table);
      if (table === undefined || plan === undefined) {
        this.#dirty.delete(tableId);
        continue;
      }
      return this.#try(table, plan);
    }
    return false;
  }

  #plan(table: TableDefinition): MergePlan | undefined {
    const { manifests, clock, memoryBytesMax } = this.#options;
    return planMerge(manifests.files.ofTable(table.id), {
      closedBeforeNs: clock.nowNs() - MERGE_CLOSED_AFTER_NS,
      costOf: (files) => mergeCost(table, files),
      costMax: memoryBytesMax,
      isBarrier: ({ path }) => this.#barriers.has(path),
    });
  }

  async #try(table: TableDefinition, plan: MergePlan): Promise<boolean> {
    this.#memoryBytes = mergeCost(table, plan.files);
    try {
      await this.#merge(table, plan);
      return true;
    } catch (error) {
      this.#failures++;
      const isBlocked = isDatabaseError(error) && (error.code === "parquet.corrupt" || error.code === "parquet.too_large");
      if (isBlocked) for (const { path } of plan.files) this.#barriers.add(path);
      this.#options.log.log(isBlocked ? "error" : "warn", `Merging ${plan.files.length} Parquet files of table '${table.name}' failed; they stay as they are${isBlocked ? "" : " for now"}: ${messageOf(error)}`);
      return false;
    } finally {
      this.#memoryBytes = 0;
    }
  }

  async #merge(table: TableDefinition, { files, windowStart, windowNs }: MergePlan): Promise<void> {
    const { manifests, objects, nodeId, encoder } = this.#options;
    const input: MergeInput = { table, windowStart, files: this.#layouts(files) };
    const { bytes, ...facts } = await (encoder?.merge(input) ?? this.#mergeHere(input));
    const sequenceMin = Math.min(...files.map((file) => file.sequenceMin));
    const sequenceMax = Math.max(...files.map((file) => file.sequenceMax));
    const place = { databaseId: table.databaseId, tableId: table.id, chunkTime: windowStart };
    const path = parquetPath({ nodeId, ...place, sequenceMax, mergedBy: manifests.nextNumber });
    await objects.write(path, bytes);
    const merged: PersistedFile = { ...place, ...facts, path, chunkNs: windowNs, sizeBytes: bytes.length, sequenceMin, sequenceMax };
    const removed = files.map((file) => file.path);
    // Retention or deletion may have taken one away meanwhile: its rows must not come back.
    const isDone = await manifests.append((live) => (removed.every((old) => live.has(old)) ? { added: [merged], removed } : undefined));
    if (!isDone) {
      await objects.abandon([path]);
      return;
    }
    this.#merges++;
    this.#mergedFiles += files.length;
  }

  async #mergeHere({ files, ...input }: MergeInput): Promise<EncodedChunk> {
    const layouts: ParquetLayout[] = [];
    for await (const layout of files) layouts.push(layout);
    return this.#options.drive(encodeMerged({ ...input, files: layouts }));
  }

  async *#layouts(files: readonly PersistedFile[]): AsyncGenerator<ParquetLayout> {
    for (const file of files) yield await this.#read(file);
  }

  async #read({ path, rowCount }: PersistedFile): Promise<ParquetLayout> {
    const bytes = await this.#options.store.get(path);
    if (bytes === undefined) throw new DatabaseError("parquet.corrupt", { message: `Parquet file '${path}' is missing`, hint: "restore it from a backup" });
    try {
      const layout = readParquetLayout(bytes);
      if (layout.rowCount !== rowCount) throw new DatabaseError("parquet.corrupt", { message: `it has ${layout.rowCount} rows, and its manifest says ${rowCount}` });
      return layout;
    } catch (error) {
      throw new DatabaseError("parquet.corrupt", { message: `Parquet file '${path}' cannot be read: ${messageOf(error)}`, hint: "restore it from a backup", cause: error });
    }
  }
}
