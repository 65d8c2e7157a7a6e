/** Bounds of the declared caches; `platform` sets them from flags. */
export interface CacheLimits {
  /** Memory of all caches together. */
  readonly bytesMax: number;
  readonly lastEvictionIntervalMs: number;
  readonly distinctEvictionIntervalMs: number;
}

export const CACHE_LIMITS_DEFAULT: CacheLimits = { bytesMax: 67_108_864, lastEvictionIntervalMs: 10_000, distinctEvictionIntervalMs: 10_000 };

/** Rows of a cache that become one batch for the query engine: a few milliseconds of work. */
export const CACHE_BATCH_ROWS = 2_000;
