/** What `/metrics` shows, collected when it is asked for. */
import type { Metric, MetricsSource } from "../http/services.ts";
import type { ProcessingEngine } from "../engine/processing/processing-engine.ts";
import type { CacheService } from "../engine/caches/cache-service.ts";
import type { ColumnCache } from "../engine/direct/column-cache.ts";
import type { DirectQueries } from "../engine/direct/direct-queries.ts";
import type { CatalogService } from "../engine/catalog-service.ts";
import type { MemoryLedger } from "../engine/memory/ledger.ts";
import type { PersistenceStatistics } from "../engine/snapshots/persistence.ts";
import type { Storage } from "../engine/storage.ts";
import type { PluginRuntime } from "../ports/plugin-runtime.ts";
import type { QueryEngine } from "../ports/query-engine.ts";
import type { EventLoopDelay } from "../adapters/system/event-loop-delay.ts";
import type { Stores } from "./open-stores.ts";
import { storeMetrics } from "./store-metrics.ts";
import { triggerMetrics } from "./trigger-metrics.ts";

export interface MetricParts {
  readonly caches: CacheService;
  readonly catalog: CatalogService;
  readonly direct: DirectQueries;
  readonly columns: ColumnCache;
  readonly storage: Storage;
  readonly processing: ProcessingEngine;
  readonly runtime: PluginRuntime;
  readonly engine: QueryEngine;
  readonly loopDelay: EventLoopDelay;
  readonly stores: Stores;
  readonly ledger: MemoryLedger;
}

const gauge = (name: string, help: string, value: number): Metric => ({ name, help, type: "gauge", samples: [{ value }] });
const counter = (name: string, help: string, value: number): Metric => ({ name, help, type: "counter", samples: [{ value }] });

export function createMetrics(parts: MetricParts): MetricsSource {
  return { collect: () => [...storageMetrics(parts.storage), ...cacheMetrics(parts), ...directMetrics(parts), ...engineMetrics(parts), ...storeMetrics(parts.stores), ...memoryMetrics(parts.ledger), ...triggerMetrics(parts.processing)] };
}

function storageMetrics(storage: Storage): Metric[] {
  const now = storage.statistics();
  return [
    counter("influxdb3_write_lines_total", "Lines written", now.linesWritten),
    counter("influxdb3_write_bytes_total", "Bytes of line protocol taken", now.bytesWritten),
    gauge("tidemark_line_protocol_kernel_bytes", "Address space of line protocol kernels", now.kernelBytes),
    gauge("tidemark_wal_ring_used_bytes", "Bytes of the WAL ring in use", now.ringUsedBytes),
    gauge("tidemark_wal_ring_capacity_bytes", "Bytes of the WAL ring", now.ringCapacityBytes),
    gauge("tidemark_buffer_used_bytes", "Bytes of the queryable buffer in use, with memory kept for the next rows", now.bufferUsedBytes),
    gauge("tidemark_buffer_capacity_bytes", "Limit of the queryable buffer", now.bufferLimitBytes),
    gauge("tidemark_buffer_rows", "Rows in the queryable buffer", now.rows),
    counter("tidemark_wal_commits_total", "Group commits", now.commits),
    counter("tidemark_wal_commit_failures_total", "Group commits that failed: none of their rows was acknowledged", now.commitFailures),
    ...(now.persistence === undefined ? [] : persistenceMetrics(now.persistence)),
    gauge("tidemark_parquet_files", "Parquet files", now.persistedFiles),
    gauge("tidemark_parquet_rows", "Rows in Parquet files", now.persistedRows),
    gauge("tidemark_parquet_bytes", "Bytes of Parquet files", now.persistedBytes),
    gauge("tidemark_wal_retained_bytes", "Bytes of WAL files that are kept for triggers alone", now.walRetainedBytes),
    gauge("tidemark_trigger_feed_bytes", "Bytes of persisted rows that are kept in memory for triggers", now.feedHeldBytes),
    gauge("tidemark_writers_waiting", "Writes that wait for room in the ring", now.writersWaiting),
  ];
}

function memoryMetrics(ledger: MemoryLedger): Metric[] {
  const rows = ledger.rows();
  const of = (name: string, help: string, value: "limitBytes" | "usedBytes" | "peakBytes"): Metric => ({
    name, help, type: "gauge", samples: rows.map((row) => ({ labels: { part: row.part }, value: row[value] })),
  });
  return [
    of("tidemark_memory_limit_bytes", "Memory that a part may take", "limitBytes"),
    of("tidemark_memory_used_bytes", "Memory that a part takes; total: of the whole process", "usedBytes"),
    of("tidemark_memory_peak_bytes", "Most memory that a part took since the start", "peakBytes"),
  ];
}

function cacheMetrics({ caches, catalog }: MetricParts): Metric[] {
  const now = caches.statistics();
  const all = [...catalog.state.databases.values()].flatMap((database) => [...caches.ofDatabase(database)].map(([table, cache]) => ({ db: database.name, table: table.name, cache })));
  return [
    gauge("tidemark_value_cache_used_bytes", "Bytes that the last value and distinct value caches hold", now.bytes),
    gauge("tidemark_value_cache_capacity_bytes", "Limit of all caches", now.limitBytes),
    counter("tidemark_value_cache_refused_total", "Rows that found no room in a cache", now.refused),
    {
      name: "tidemark_value_cache_entries", help: "Keys of a last value cache, combinations of a distinct value cache", type: "gauge",
      samples: all.map(({ db, table, cache }) => ({ labels: { db, table, cache: cache.definition.name, kind: cache.definition.kind }, value: cache.size })),
    },
  ];
}

function directMetrics({ direct, columns }: MetricParts): Metric[] {
  const [queries, cache] = [direct.statistics(), columns.statistics()];
  return [
    counter("tidemark_direct_queries_total", "Queries answered by loops of our own over buffer and decoded columns", queries.answered),
    counter("tidemark_direct_queries_passed_on_total", "Such queries that went to the query engine after all", queries.passedOn),
    gauge("tidemark_column_cache_bytes", "Decoded columns of Parquet files in memory", cache.bytes),
    gauge("tidemark_column_cache_files", "Parquet files with decoded columns in memory", cache.files),
    counter("tidemark_column_cache_loads_total", "Reads of Parquet files to decode columns", cache.loads),
  ];
}

function persistenceMetrics(now: PersistenceStatistics): Metric[] {
  return [
    counter("tidemark_snapshots_total", "Snapshots to Parquet", now.snapshots),
    counter("tidemark_snapshot_failures_total", "Snapshots that failed and are tried again", now.snapshotFailures),
    counter("tidemark_merges_total", "Merges of small Parquet files", now.merges),
    counter("tidemark_merged_files_total", "Parquet files that merges replaced", now.mergedFiles),
    counter("tidemark_merge_failures_total", "Merges that failed", now.mergeFailures),
    counter("tidemark_expired_files_total", "Parquet files that retention periods took away", now.expiredFiles),
    counter("tidemark_deleted_files_total", "Parquet objects deleted", now.deletedFiles),
    counter("tidemark_orphaned_files_total", "Parquet objects deleted that a crash had left", now.orphanedFiles),
    gauge("tidemark_doomed_files", "Parquet objects to be deleted once no query can read them", now.doomedFiles),
    gauge("tidemark_manifest_reads", "Manifests that a start would read", now.manifestReads),
  ];
}

function engineMetrics({ runtime, engine, loopDelay }: MetricParts): Metric[] {
  const sandbox = runtime.statistics();
  const queries = engine.statistics();
  const delay = loopDelay.takeSeconds();
  return [
    gauge("tidemark_plugin_executors", "Threads or processes that run plugins", sandbox.executors),
    counter("tidemark_plugin_terminations_total", "Executors that were ended to end a run", sandbox.terminations ?? 0),
    gauge("tidemark_plugin_quarantined", "Triggers with executors of their own because theirs were ended repeatedly", sandbox.quarantined ?? 0),
    gauge("tidemark_plugin_instances", "Interpreter instances", sandbox.instances),
    gauge("tidemark_plugin_package_images", "Memory images in which packages are imported already", sandbox.packageImages ?? 0),
    gauge("tidemark_plugin_package_image_bytes", "Memory that they take", sandbox.packageImageBytes ?? 0),
    gauge("tidemark_queries_running", "Queries that run", queries.running),
    gauge("tidemark_queries_waiting", "Queries that wait for a place", queries.waiting),
    gauge("tidemark_event_loop_delay_seconds_max", "Longest delay of the main thread since the last scrape", delay.max),
    gauge("tidemark_event_loop_delay_seconds_p99", "Delay of the main thread that one sample in a hundred passes, since the last scrape", delay.p99),
  ];
}
