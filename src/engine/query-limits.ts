/** Bounds of the query service; `platform` sets them from flags. */
export interface QueryLimits {
  /** From the call until the last row was taken. */
  readonly timeoutMs: number;
  /** Parquet files that one scan may read; undefined: as many as there are. */
  readonly filesMax?: number | undefined;
}

/** Long enough for a scan of everything in memory, short enough that two stuck readers do not hold both places for long. */
export const QUERY_LIMITS_DEFAULT: QueryLimits = { timeoutMs: 60_000 };

/** Rows of one system or metadata table: the log ring has 10,000, a catalog 2,000 tables of 500 columns. */
export const SYSTEM_ROWS_MAX = 1_000_000;

/** Windows of times that are deduplicated apart; of more, those nearest to one another become one. */
export const CONTESTED_WINDOWS_MAX = 32;
