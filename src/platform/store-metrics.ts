/** Metrics of the object store and of the Parquet cache, under the reference's names (spec: storage §12). */
import { DURATION_CLASSES_SECONDS } from "../engine/stores/limits.ts";
import type { OpStatistics } from "../engine/stores/observed-store.ts";
import type { Metric } from "../http/services.ts";
import type { Stores } from "./open-stores.ts";

type Sample = Metric["samples"][number];

export function storeMetrics({ kind, observed, cache, claim }: Pick<Stores, "kind" | "observed" | "cache" | "claim">): Metric[] {
  const { ops, bytesRead, bytesWritten, retries, isUp } = observed.statistics();
  const moved = (op: string): number => ops.find((entry) => entry.op === op && entry.result === "success")?.count ?? 0;
  return [
    { name: "object_store_op_duration_seconds", help: "Calls of the object store, retries included", type: "histogram", samples: ops.flatMap((entry) => durations(entry, kind)) },
    { name: "object_store_transfer_bytes_total", help: "Bytes moved", type: "counter", samples: [{ labels: { op: "get", store: kind }, value: bytesRead }, { labels: { op: "put", store: kind }, value: bytesWritten }] },
    { name: "object_store_transfer_objects_total", help: "Objects moved", type: "counter", samples: ["get", "put"].map((op) => ({ labels: { op, store: kind }, value: moved(op) })) },
    { name: "tidemark_object_store_retries_total", help: "Attempts after a failed one, within calls", type: "counter", samples: [{ value: retries }] },
    { name: "tidemark_object_store_up", help: "1: the object store works", type: "gauge", samples: [{ value: isUp ? 1 : 0 }] },
    { name: "tidemark_node_superseded", help: "1: another process has taken over this node", type: "gauge", samples: [{ value: claim?.superseded === undefined ? 0 : 1 }] },
    ...(cache === undefined ? [] : cacheMetrics(cache.statistics())),
  ];
}

function durations({ op, result, count, seconds, classes }: OpStatistics, store: string): Sample[] {
  const labels = { op, result, store };
  let below = 0;
  const buckets = DURATION_CLASSES_SECONDS.map((end, index): Sample => ({ ending: "_bucket", labels: { ...labels, le: String(end) }, value: (below += classes[index] ?? 0) }));
  return [...buckets, { ending: "_bucket", labels: { ...labels, le: "+Inf" }, value: count }, { ending: "_sum", labels, value: seconds }, { ending: "_count", labels, value: count }];
}

function cacheMetrics({ files, bytes, hits, misses, missesWhileFetching }: ReturnType<NonNullable<Stores["cache"]>["statistics"]>): Metric[] {
  const access = [["cached", hits], ["miss", misses], ["miss_while_fetching", missesWhileFetching]] as const;
  return [
    { name: "influxdb3_parquet_cache_access_total", help: "Parquet files that queries asked for", type: "counter", samples: access.map(([status, value]) => ({ labels: { status }, value })) },
    { name: "influxdb3_parquet_cache_size_bytes", help: "Bytes of the local Parquet files", type: "gauge", samples: [{ value: bytes }] },
    { name: "influxdb3_parquet_cache_size_number_of_files", help: "Local Parquet files", type: "gauge", samples: [{ value: files }] },
  ];
}
