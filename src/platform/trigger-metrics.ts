/** What `/metrics` shows of triggers; the same figures stand in `system.processing_engine_trigger_status`. */
import type { ProcessingEngine, TriggerState } from "../engine/processing/processing-engine.ts";
import type { Metric } from "../http/services.ts";

const TRIGGER_COUNTERS = [
  ["runs", "tidemark_trigger_runs_total", "Runs of the trigger's plugin"],
  ["errors", "tidemark_trigger_errors_total", "Runs that failed"],
  ["stopped", "tidemark_trigger_stopped_total", "Runs that were stopped from outside"],
  ["retries", "tidemark_trigger_retries_total", "Runs that were tried again"],
  ["rows", "tidemark_trigger_rows_total", "Rows handed to the plugin"],
  ["linesWritten", "tidemark_trigger_lines_written_total", "Lines that the plugin wrote"],
  ["connections", "tidemark_trigger_connections_total", "Network connections of the plugin that have ended"],
  ["networkBytesSent", "tidemark_trigger_network_bytes_sent_total", "Bytes that the plugin sent over the network"],
  ["networkBytesReceived", "tidemark_trigger_network_bytes_received_total", "Bytes that the plugin received over the network"],
  ["ticksSkipped", "tidemark_trigger_ticks_skipped_total", "Missed runs of a schedule that were skipped"],
  ["consecutiveCalls", "tidemark_trigger_consecutive_calls_total", "Calls beyond the first of flushes that were too large for one"],
  ["spilledSlices", "tidemark_trigger_spilled_reads_total", "Reads from WAL files because memory no longer had the rows"],
  ["rowsLost", "tidemark_trigger_rows_lost_total", "Rows not delivered because the WAL no longer held them"],
] as const;

const NAMED_COUNTERS = [
  ["limitsMet", "limit", "tidemark_trigger_limits_met_total", "Runs that met a limit"],
  ["denied", "grant", "tidemark_trigger_denied_total", "Things that the plugin was denied"],
  ["stops", "level", "tidemark_trigger_stops_total", "Runs that were stopped, by how far that had to go"],
] as const;

export function triggerMetrics(processing: ProcessingEngine): Metric[] {
  const triggers = processing.statistics();
  const byName = ([key, label, name, help]: (typeof NAMED_COUNTERS)[number]): Metric => ({
    name,
    help,
    type: "counter",
    samples: triggers.flatMap(({ database, trigger, counters }) =>
      Object.entries(counters[key]).map(([value, times]) => ({ labels: { db: database, trigger, [label]: value }, value: times })),
    ),
  });
  const gauge = (name: string, help: string, of: (state: TriggerState) => number): Metric => ({
    name, help, type: "gauge", samples: triggers.map((state) => ({ labels: { db: state.database, trigger: state.trigger }, value: of(state) })),
  });
  const counters = TRIGGER_COUNTERS.map(([key, name, help]): Metric => ({
    name,
    help,
    type: "counter",
    samples: triggers.map(({ database, trigger, counters }) => ({ labels: { db: database, trigger }, value: counters[key] })),
  }));
  return [
    ...counters,
    ...NAMED_COUNTERS.map(byName),
    gauge("tidemark_trigger_lag_rows", "Committed rows that the trigger's runs have not been through", ({ lag }) => lag.rows),
    gauge("tidemark_trigger_lag_seconds", "Age of the oldest of them", ({ lag }) => lag.seconds),
    gauge("tidemark_trigger_queue_depth", "Events that wait for an instance", ({ queueDepth }) => queueDepth),
    gauge("tidemark_trigger_running", "Runs under way", ({ counters: { running } }) => running),
    gauge("tidemark_trigger_memory_bytes", "Linear memory of the trigger's instances", ({ memoryBytes }) => memoryBytes),
    gauge("tidemark_trigger_instances", "Instances of the trigger", ({ instances }) => instances),
    { name: "tidemark_trigger_duration_seconds", help: "Runs by their duration, writes included", type: "histogram", samples: triggers.flatMap(durations) },
  ];
}

function durations({ database, trigger, counters: { durations: histogram } }: TriggerState): Metric["samples"] {
  const labels = { db: database, trigger };
  return [
    ...histogram.buckets().map(([bound, value]) => ({ ending: "_bucket" as const, labels: { ...labels, le: String(bound) }, value })),
    { ending: "_bucket", labels: { ...labels, le: "+Inf" }, value: histogram.count },
    { ending: "_sum", labels, value: histogram.sum },
    { ending: "_count", labels, value: histogram.count },
  ];
}
