/** Bounds of the direct executor that need the platform; `platform` sets them from flags. */

/** Columns of Parquet files kept decoded between queries. */
export const COLUMN_CACHE_BYTES_DEFAULT = 67_108_864;

/** Part of it that one query may fill: what reads more streams through the query engine instead. */
export const COLUMN_CACHE_QUERY_SHARE = 0.5;

/** Direct queries at work; each holds what it has loaded. */
export const DIRECT_QUERIES_MAX = 4;

/** Direct queries that wait for their turn. */
export const DIRECT_WAITING_MAX = 256;

/** Bounds of times are taken so much wider than the manifests say, as contested windows are. */
export const TIME_SLACK_NS = 2_048n;
