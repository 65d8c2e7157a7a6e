/** Named limits of the processing engine; defaults of design §8.17 unless the line says otherwise. */
import { DEFAULT_LIMITS, LIMIT_NAMES, type LimitName, type OwnLimits } from "../../core/trigger/limits.ts";

export interface ProcessingLimits {
  /** Wall time of one run. */
  readonly runWallTimeMsMax: number;
  /** Maximum of an instance's linear memory. */
  readonly instanceMemoryBytesMax: number;
  /** Runs of one asynchronous trigger at the same time. */
  readonly instancesMax: number;
  /** How often a WAL trigger gets one call (`--wal-flush-interval`). */
  readonly flushIntervalMs: number;
  /** Rows of `system.processing_engine_logs` (spec: processing-engine §17). */
  readonly logRowsMax: number;
  /** Rows and bytes that one `query` call of a plugin may answer. */
  readonly queryRowsMax: number;
  readonly queryBytesMax: number;
  /** Rows that `info`, `warn` and `error` of one run may make, and the characters in them. */
  readonly runLogLinesMax: number;
  readonly runLogBytesMax: number;
  /** Line protocol of one run: buffered and `write_sync` together; and calls of the latter. */
  readonly runWriteBytesMax: number;
  readonly runWritesMax: number;
  readonly runQueriesMax: number;
  /** Values in the trigger's private cache; also its part of the global one. */
  readonly cacheBytesMax: number;
  readonly responseBytesMax: number;
  /** Network connections that one run opens, and what it sends and receives over them together. */
  readonly runConnectionsMax: number;
  readonly runNetworkBytesMax: number;
  /** Requests that wait for one request trigger (the reference's channel, spec §8). */
  readonly requestQueueMax: number;
}

/** The limits that a trigger may have of its own, by the names of src/core/trigger/limits.ts. */
const FIELDS = {
  time: "runWallTimeMsMax",
  memory: "instanceMemoryBytesMax",
  instances: "instancesMax",
  log_lines: "runLogLinesMax",
  log_bytes: "runLogBytesMax",
  writes: "runWritesMax",
  write_bytes: "runWriteBytesMax",
  queries: "runQueriesMax",
  query_rows: "queryRowsMax",
  query_bytes: "queryBytesMax",
  cache_bytes: "cacheBytesMax",
  connections: "runConnectionsMax",
  network_bytes: "runNetworkBytesMax",
  response_bytes: "responseBytesMax",
} as const satisfies Readonly<Record<LimitName, keyof ProcessingLimits>>;

/** The server's limits with what one trigger, or the operator, has set. */
export function withLimits(limits: ProcessingLimits, own: OwnLimits | undefined): ProcessingLimits {
  const changed = Object.entries(own ?? {}).map(([name, value]) => [FIELDS[name as LimitName], value]);
  return changed.length === 0 ? limits : { ...limits, ...(Object.fromEntries(changed) as Partial<ProcessingLimits>) };
}

export const limitOf = (limits: ProcessingLimits, name: LimitName): number => limits[FIELDS[name]];

const SERVER_LIMITS = { flushIntervalMs: 1_000, logRowsMax: 10_000, requestQueueMax: 60 };

export const PROCESSING_LIMITS: ProcessingLimits = {
  ...SERVER_LIMITS,
  ...(Object.fromEntries(LIMIT_NAMES.map((name) => [FIELDS[name], DEFAULT_LIMITS[name]])) as Omit<ProcessingLimits, keyof typeof SERVER_LIMITS>),
};

/** A call caused by the trigger's own writes never comes sooner than this after the last one (design §8.4). */
export const OWN_WRITE_PAUSE_MS = 100;

/** After so many consecutive flushes with its own writes a trigger is warned about. */
export const OWN_WRITE_FLUSHES_WARN = 10;

/** `retry`: the reference retries for ever without a pause (spec §9.2); we back off and give up with an ERROR row. */
export const RETRY_ATTEMPTS_MAX = 10;
export const RETRY_PAUSE_MS_FIRST = 100;
export const RETRY_PAUSE_MS_MAX = 30_000;

/** One log row; the rest of a longer text is cut and its size told. */
export const LOG_TEXT_BYTES_MAX = 65_536;

/** All rows of the log table: ten thousand rows of the longest texts would be 1.3 GB. */
export const LOG_TABLE_BYTES_MAX = 33_554_432;

/** What a row of the log table, or an entry of the cache, costs beside its text. */
export const LOG_ROW_BYTES = 128;
export const CACHE_ENTRY_BYTES = 256;

/** Missed ticks of a schedule that are made up back to back; older ones are skipped and counted. */
export const MISSED_TICKS_MAX = 60;

/** The global cache of the server: one budget for all triggers (the reference has none, spec §19 no. 23). */
export const GLOBAL_CACHE_BYTES_MAX = 67_108_864;

/** Part of the global cache that one trigger may fill, so that it cannot take all of it from the others. */
export const GLOBAL_CACHE_SHARE_MAX = 0.5;

/** Named caches of test runs that are kept, an instance each; together their global caches have the size of the server's own. */
export const TEST_CACHES_MAX = 4;

/** How long one is kept after its last run (the reference's time to live in tests, spec §13), and what has none in it. */
export const TEST_CACHE_MS_MAX = 1_800_000;
export const TEST_CACHE_TTL_SECONDS = 1_800;

/** Memory that an instance may keep between tests, the interpreter's own included. */
export const TEST_INSTANCE_BYTES_MAX = 67_108_864;

/** Test runs that wait for one cache name. */
export const TEST_QUEUE_MAX = 16;

/** Lag is measured by marks at least this far apart, and at most so many: neighbours are joined beyond that. */
export const LAG_MARK_MS = 100;
export const LAG_MARKS_MAX = 256;

/** Rows of `system.processing_engine_gaps`: of one trigger, and in all. */
export const GAPS_PER_TRIGGER_MAX = 100;
export const GAPS_MAX = 10_000;

/** Keys of a shared private cache about which the log says, once each, that other instances do not have them. */
export const SHARED_CACHE_KEYS_TOLD_MAX = 100;

/** After so long without a run an instance without cache gives its memory back: starting from the image costs 6 ms. */
export const PRIMARY_IDLE_MS = 30_000;

/** A sibling instance that has had nothing to do for so long gives its memory back. */
export const SIBLING_IDLE_MS = 10_000;

/** Missed ticks of a cron schedule that are counted one by one; more are skipped together. */
export const MISSED_TICKS_SCANNED_MAX = 10_000;

/** Runs that call their own server, each from within the one before: every one holds a thread. */
export const SELF_CALL_DEPTH_MAX = 8;

/** Log rows that are kept in a table are written this often, and so many wait at most. */
export const LOG_KEEP_MS = 1_000;
export const LOG_KEEP_ROWS_MAX = 20_000;

/** Tables of which a trigger knows without asking whether they are its own. */
export const WANTED_TABLES_MAX = 4_096;

/** A plugin's files are looked at before a run, but not more often than this. */
export const CODE_CHECK_MS = 20;

/** Connections of one run that are open at the same time: each has buffers in the server's memory. */
export const CONNECTIONS_OPEN_MAX = 64;

/** Names that one run looks up: each is a question to strangers. */
export const LOOKUPS_MAX = 1_024;

/** Addresses that one run found by name and may connect to, and the names it has found each by: the last ones count. */
export const ADDRESSES_KNOWN_MAX = 1_024;
export const NAMES_OF_ADDRESS_MAX = 8;

/** Bytes of TLS settings that are not in a string of theirs: they have a dozen members and one list. */
export const SETTINGS_STRUCTURE_BYTES_MAX = 4_096;

/** What one call to send takes over at most, and how long one waits at most: no run is longer, and timers hold no longer times. */
export const SEND_PIECE_BYTES_MAX = 262_144;
export const WAIT_MS_MAX = 86_400_000;

/** A connection of a run to this server that the server does not end when the run has is known as a plugin's for so long: longer than requests take. */
export const CONNECTION_LINGER_MS = 120_000;

/** Connection numbers are a u32 of the contract with the guest. */
export const CONNECTION_NUMBER_MAX = 4_294_967_295;
