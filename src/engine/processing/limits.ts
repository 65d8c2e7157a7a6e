/** Named limits of the processing engine; defaults of design §8.17 unless the line says otherwise. */

export interface ProcessingLimits {
  /** Wall time of one run. */
  readonly runWallTimeMsMax: number;
  /** Maximum of an instance's linear memory. */
  readonly instanceMemoryBytesMax: number;
  /** How often a WAL trigger gets one call (`--wal-flush-interval`). */
  readonly flushIntervalMs: number;
  /** Rows of `system.processing_engine_logs` (spec: processing-engine §17). */
  readonly logRowsMax: number;
  /** Rows and bytes that one `query` call of a plugin may answer. */
  readonly queryRowsMax: number;
  readonly queryBytesMax: number;
  /** Requests that wait for one request trigger (the reference's channel, spec §8). */
  readonly requestQueueMax: number;
}

export const PROCESSING_LIMITS: ProcessingLimits = {
  runWallTimeMsMax: 30_000,
  instanceMemoryBytesMax: 268_435_456,
  flushIntervalMs: 1_000,
  logRowsMax: 10_000,
  queryRowsMax: 10_000_000,
  queryBytesMax: 67_108_864,
  requestQueueMax: 60,
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

/** Missed ticks of a schedule that are made up back to back; older ones are skipped and counted. */
export const MISSED_TICKS_MAX = 60;

/** The global cache of the server: one budget for all triggers (the reference has none, spec §19 no. 23). */
export const GLOBAL_CACHE_BYTES_MAX = 67_108_864;

/** Named caches of test runs; together they may hold as much as the server's own global cache. */
export const TEST_CACHES_MAX = 8;
