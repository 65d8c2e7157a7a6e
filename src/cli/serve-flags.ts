/**
 * The flags of `serve` and `dev` (spec: cli §3.1, §18), in four groups: those that do something, those that are
 * accepted without effect (one warning names them), those that must not be ignored and are refused, and our own.
 */
import type { FlagSpec } from "./command.ts";
import { pairsFlag } from "./common-flags.ts";
import { OBJECT_STORE_FLAGS } from "./store-flags.ts";
import { GRANT_FLAGS } from "./trigger-settings.ts";

const STORAGE_FLAGS: readonly FlagSpec[] = [
  {
    name: "wal-flush-interval",
    value: "DURATION",
    summary: "How often a trigger gets the rows that were written",
    env: ["INFLUXDB3_WAL_FLUSH_INTERVAL"],
    defaultText: "1s",
  },
  {
    name: "wal-snapshot-size",
    aliases: ["wal-files-per-snapshot"],
    value: "COUNT",
    summary: "Flush intervals after which rows go from memory to Parquet files",
    env: ["INFLUXDB3_WAL_SNAPSHOT_SIZE"],
    defaultText: "600",
  },
  {
    name: "gen1-duration",
    value: "DURATION",
    summary: "Time that one Parquet file covers: 1m, 5m or 10m",
    env: ["INFLUXDB3_GEN1_DURATION"],
    defaultText: "10m",
  },
  {
    name: "wal-replay-fail-on-error",
    value: "BOOL",
    bare: "true",
    summary: "Refuse to start when acknowledged rows in the WAL are damaged; =false goes on without them",
    env: ["INFLUXDB3_WAL_REPLAY_FAIL_ON_ERROR"],
    choices: ["true", "false"],
    defaultText: "true",
  },
  { name: "wal-retain-bytes", value: "BYTES", summary: "WAL files kept for triggers that are behind; what goes beyond they do not get", env: ["TIDEMARK_WAL_RETAIN_BYTES"], defaultText: "1gb" },
  { name: "trigger-feed-size", value: "SIZE", summary: "Memory for rows that triggers have not read yet; beyond it they read WAL files", env: ["TIDEMARK_TRIGGER_FEED_SIZE"] },
  { name: "value-cache-size", value: "SIZE", summary: "Memory for all last value and distinct value caches", env: ["TIDEMARK_VALUE_CACHE_SIZE"] },
  { name: "parquet-mem-cache-size", aliases: ["file-cache-size"], value: "SIZE", summary: "Memory for decoded columns of Parquet files", env: ["INFLUXDB3_PARQUET_MEM_CACHE_SIZE", "INFLUXDB3_FILE_CACHE_SIZE"] },
  { name: "disable-parquet-mem-cache", aliases: ["disable-file-cache"], summary: "Keep no decoded columns: the query engine reads all files itself", env: ["INFLUXDB3_DISABLE_PARQUET_MEM_CACHE", "INFLUXDB3_DISABLE_FILE_CACHE"] },
  { name: "last-cache-eviction-interval", value: "DURATION", summary: "How often expired rows leave the last value caches", env: ["INFLUXDB3_LAST_CACHE_EVICTION_INTERVAL"], defaultText: "10s" },
  { name: "distinct-cache-eviction-interval", value: "DURATION", summary: "How often old values leave the distinct value caches", env: ["INFLUXDB3_DISTINCT_CACHE_EVICTION_INTERVAL"], defaultText: "10s" },
];

/** One limit, and parts of it that can be fixed. */
const MEMORY_FLAGS: readonly FlagSpec[] = [
  { name: "memory-limit", value: "SIZE", summary: "Memory of the whole server: bytes, or a part of the machine's or container's memory", env: ["TIDEMARK_MEMORY_LIMIT"], defaultText: "75%, at most 2gb" },
  { name: "wal-ring-size", value: "SIZE", summary: "Memory for rows on their way to the disk", env: ["TIDEMARK_WAL_RING_SIZE"] },
  { name: "buffer-size", value: "SIZE", summary: "Memory for rows that answer queries", env: ["TIDEMARK_BUFFER_SIZE"] },
  { name: "force-snapshot-mem-threshold", aliases: ["force-snapshot-mem-size"], value: "SIZE", summary: "The same; --buffer-size beats it", env: ["INFLUXDB3_FORCE_SNAPSHOT_MEM_THRESHOLD"] },
  { name: "merge-memory", value: "SIZE", summary: "Memory for merging small Parquet files: larger files stay as they are", env: ["TIDEMARK_MERGE_MEMORY"] },
  { name: "plugins-memory", value: "SIZE", summary: "Memory of all plugins together", env: ["TIDEMARK_PLUGINS_MEMORY"] },
];

const CATALOG_FLAGS: readonly FlagSpec[] = [
  { name: "num-database-limit", value: "COUNT", summary: "Databases", env: ["INFLUXDB3_NUM_DATABASE_LIMIT"], defaultText: "5" },
  { name: "num-table-limit", value: "COUNT", summary: "Tables of all databases together", env: ["INFLUXDB3_NUM_TABLE_LIMIT"], defaultText: "2000" },
  { name: "num-total-columns-per-table-limit", value: "COUNT", summary: "Tags and fields of a table", env: ["INFLUXDB3_NUM_TOTAL_COLUMNS_PER_TABLE_LIMIT"], defaultText: "500" },
  { name: "retention-check-interval", value: "DURATION", summary: "How often Parquet files are looked for whose rows are all expired", env: ["INFLUXDB3_RETENTION_CHECK_INTERVAL"], defaultText: "30m" },
  { name: "hard-delete-default-duration", value: "DURATION", summary: "How long deleted data stays unless the deletion says otherwise", env: ["INFLUXDB3_HARD_DELETE_DEFAULT_DURATION"], defaultText: "72h" },
  { name: "delete-grace-period", value: "DURATION", summary: "How long the catalog remembers what was deleted for good", env: ["INFLUXDB3_DELETE_GRACE_PERIOD"], defaultText: "24h" },
];

const HTTP_FLAGS: readonly FlagSpec[] = [
  {
    name: "http-bind",
    value: "HOST:PORT",
    summary: "Where to listen; without tokens the default is 127.0.0.1:8181",
    env: ["INFLUXDB3_HTTP_BIND_ADDR"],
    defaultText: "0.0.0.0:8181",
  },
  {
    name: "max-http-request-size",
    value: "BYTES",
    summary: "Largest request body, before and after decompression",
    env: ["INFLUXDB3_MAX_HTTP_REQUEST_SIZE"],
    defaultText: "10485760",
  },
  {
    name: "shutdown-timeout",
    value: "DURATION",
    summary: "What running requests get to end in when the server stops; 0s: nothing",
    env: ["INFLUXDB3_SHUTDOWN_TIMEOUT"],
    defaultText: "1500ms",
  },
  {
    name: "without-auth",
    summary: "Everyone who reaches the address may do everything, web pages of any site included",
    env: ["INFLUXDB3_START_WITHOUT_AUTH", "INFLUXDB3_WITHOUT_AUTH"],
  },
  {
    name: "disable-authz",
    value: "LIST",
    summary: "Paths that need no token: health, ping, metrics",
    env: ["INFLUXDB3_DISABLE_AUTHZ"],
    repeat: "values",
    check: checkAuthzList,
  },
  {
    name: "admin-token-file",
    value: "FILE",
    summary: "Admin token made by 'create token --admin --offline', taken over at start",
    env: ["INFLUXDB3_ADMIN_TOKEN_FILE"],
  },
  {
    name: "admin-token-recovery-http-bind",
    value: "HOST:PORT",
    bare: "127.0.0.1:8182",
    summary: "Where a lost operator token can be replaced without one, once",
    env: ["INFLUXDB3_ADMIN_TOKEN_RECOVERY_HTTP_BIND_ADDR"],
  },
  {
    name: "http-transport",
    value: "NAME",
    summary: "uws: serve plain HTTP with uWebSockets.js (install @uwsjs/core), at about half the CPU per request",
    env: ["TIDEMARK_HTTP_TRANSPORT"],
    choices: ["own", "uws"],
    defaultText: "own",
  },
  { name: "tls-cert", value: "FILE", summary: "Certificate chain as PEM: speak HTTPS", env: ["INFLUXDB3_TLS_CERT"] },
  { name: "tls-key", value: "FILE", summary: "Private key of the certificate as PEM", env: ["INFLUXDB3_TLS_KEY"] },
  {
    name: "tls-minimum-version",
    value: "VERSION",
    summary: "Oldest protocol that is spoken",
    env: ["INFLUXDB3_TLS_MINIMUM_VERSION"],
    choices: ["tls-1.2", "tls-1.3"],
    defaultText: "tls-1.2",
  },
  {
    name: "tcp-listener-file-path",
    value: "FILE",
    summary: "Write the address to this file once the server listens",
    env: ["INFLUXDB3_TCP_LISTINER_FILE_PATH", "INFLUXDB3_TCP_LISTENER_FILE_PATH"],
    hidden: true,
  },
];

function checkAuthzList(value: string): string | undefined {
  const known = ["health", "ping", "metrics", "ready", "pprof", "node_stop"];
  return value.split(",").every((name) => known.includes(name.trim())) ? undefined : `possible values: ${known.join(", ")}`;
}

const PLUGIN_FLAGS: readonly FlagSpec[] = [
  {
    name: "virtual-env-location",
    value: "DIR",
    summary: "Folder of installed Python packages; without it: .venv in the plugin folder",
    env: ["VIRTUAL_ENV"],
  },
  {
    name: "package-manager",
    value: "NAME",
    summary: "disabled: nobody may install Python packages; the other names all mean the built-in installer",
    env: ["INFLUXDB3_PACKAGE_MANAGER"],
    choices: ["discover", "pip", "uv", "disabled"],
    defaultText: "discover",
  },
  { name: "disable-package-management", summary: "Nobody may install Python packages" },
  {
    name: "plugin-dir",
    value: "DIR",
    summary: "Folder of the plugins, created when missing; without it: plugins/ in the data folder",
    env: ["INFLUXDB3_PLUGIN_DIR"],
  },
  {
    name: "restrict-plugin-triggers-to",
    value: "KIND…",
    summary: "Only allow these triggers: wal, schedule, request",
    env: ["INFLUXDB3_RESTRICT_PLUGIN_TRIGGERS_TO"],
    repeat: "values",
  },
  {
    name: "plugin-repo",
    value: "URL",
    summary: "Where plugins named gh:PATH are fetched from",
    env: ["INFLUXDB3_PLUGIN_REPO"],
    defaultText: "the official repository of InfluxDB 3 plugins",
  },
  { name: "plugin-dir-only", summary: "Only plugins of the plugin folder: no gh:, no uploads", env: ["INFLUXDB3_PLUGIN_DIR_ONLY"] },
  { name: "plugin-memory-limit", value: "SIZE", summary: "Memory of one plugin", env: ["TIDEMARK_PLUGIN_MEMORY_LIMIT"], defaultText: "256mb" },
  { name: "plugin-time-limit", value: "DURATION", summary: "Longest run of a plugin", env: ["TIDEMARK_PLUGIN_TIME_LIMIT"], defaultText: "30s" },
  {
    name: "plugin-log-database",
    value: "DB",
    summary: "Keep what triggers log in the table processing_engine_logs of this database too",
    env: ["TIDEMARK_PLUGIN_LOG_DATABASE"],
  },
  { name: "plugin-threads-max", value: "COUNT", summary: "Plugins that run at the same time", env: ["TIDEMARK_PLUGIN_THREADS_MAX"], defaultText: "32" },
  {
    ...pairsFlag("plugin-limit", "Limits of triggers that have none of their own (create trigger --help lists them)"),
    env: ["TIDEMARK_PLUGIN_LIMIT"],
  },
  {
    name: "plugin-profile",
    value: "PROFILE",
    summary: "strict: plugins reach only what they are granted; trusted: all networks, databases and plugin files, metrics, scratch space",
    env: ["TIDEMARK_PLUGIN_PROFILE"],
    choices: ["strict", "trusted"],
    defaultText: "strict",
  },
  ...GRANT_FLAGS.map((flag): FlagSpec => ({ ...flag, summary: `Every trigger: ${flag.summary.charAt(0).toLowerCase()}${flag.summary.slice(1)}` })),
  {
    name: "plugin-isolation",
    value: "KIND",
    summary: "shared: threads for all triggers; worker: a thread for each; process: child processes, always on Deno and Bun",
    env: ["TIDEMARK_PLUGIN_ISOLATION"],
    choices: ["shared", "worker", "process"],
    defaultText: "shared, on Deno and Bun process",
  },
  {
    name: "plugin-executors",
    value: "COUNT",
    summary: "Plugins that compute at the same time; those that wait do not count",
    env: ["TIDEMARK_PLUGIN_EXECUTORS"],
    defaultText: "the number of processors",
  },
  {
    name: "plugin-clock-resolution",
    value: "DURATION",
    summary: "Steps in which plugins see time pass; coarser ones make timing attacks harder",
    env: ["TIDEMARK_PLUGIN_CLOCK_RESOLUTION"],
    defaultText: "1us",
  },
  {
    name: "plugin-row-style",
    value: "STYLE",
    summary: "full: absent columns are None; sparse: they are left out",
    env: ["TIDEMARK_PLUGIN_ROW_STYLE"],
    choices: ["full", "sparse"],
    defaultText: "full",
  },
];

const QUERY_FLAGS: readonly FlagSpec[] = [
  { name: "query-timeout", value: "DURATION", summary: "Time of one query until its last row was taken", env: ["TIDEMARK_QUERY_TIMEOUT"], defaultText: "60s" },
  {
    name: "max-concurrent-queries",
    value: "COUNT",
    summary: "Queries that run at once; others wait. Two threads of UV_THREADPOOL_SIZE are never theirs",
    env: ["INFLUXDB3_MAX_CONCURRENT_QUERIES"],
    defaultText: "2",
  },
  {
    name: "exec-mem-pool-bytes",
    aliases: ["exec-mem-pool-size"],
    value: "SIZE",
    summary: "Memory for what queries build while they run, of all queries together",
    env: ["INFLUXDB3_EXEC_MEM_POOL_BYTES", "INFLUXDB3_EXEC_MEM_POOL_SIZE"],
  },
  { name: "query-file-limit", value: "COUNT", summary: "Parquet files that a query may read of one table", env: ["INFLUXDB3_QUERY_FILE_LIMIT"], defaultText: "any number" },
  { name: "query-log-size", aliases: ["query-log-max-entries"], value: "COUNT", summary: "Queries kept in system.queries", env: ["INFLUXDB3_QUERY_LOG_SIZE", "INFLUXDB3_QUERY_LOG_MAX_ENTRIES"], defaultText: "1000" },
];

const LOG_FLAGS: readonly FlagSpec[] = [
  { name: "log-filter", value: "FILTER", summary: "Least level of the log: debug, info, warn, error", env: ["INFLUXDB3_LOG_FILTER", "LOG_FILTER"], defaultText: "info" },
  { name: "verbose", short: "v", summary: "-v info, -vv debug; beats --log-filter", repeat: "flag" },
  {
    name: "log-destination",
    value: "WHERE",
    summary: "Where the log goes",
    env: ["INFLUXDB3_LOG_DESTINATION", "LOG_DESTINATION"],
    choices: ["stdout", "stderr"],
    defaultText: "stdout",
  },
  {
    name: "log-format",
    value: "FORMAT",
    summary: "full: lines to read; json: one object a line; logfmt: key=value",
    env: ["INFLUXDB3_LOG_FORMAT", "LOG_FORMAT"],
    choices: ["full", "pretty", "json", "logfmt"],
    defaultText: "full on a terminal, else json",
  },
];

const NODE_FLAGS: readonly FlagSpec[] = [
  {
    name: "node-id",
    aliases: ["host-id"],
    value: "ID",
    summary: "Name of this server: the folder of its data in the object store",
    env: ["INFLUXDB3_NODE_IDENTIFIER_PREFIX", "INFLUXDB3_NODE_ID"],
  },
  {
    name: "node-id-from-env",
    value: "VAR",
    summary: "Take the node id from this variable",
    env: ["INFLUXDB3_NODE_IDENTIFIER_FROM_ENV", "INFLUXDB3_NODE_ID_FROM_ENV"],
    conflictsWith: "node-id",
  },
];

/** Flags whose features are not there; most tune parts that Tidemark has not or builds differently. */
const WITHOUT_EFFECT: readonly (readonly [name: string, value: boolean, aliases?: readonly string[]])[] = [
  ["async-trigger-concurrency-limit", true],
  ["wal-max-write-buffer-size", true, ["wal-max-buffered-writes"]],
  ["wal-replay-concurrency-limit", true],
  ["snapshotted-wal-files-to-keep", true],
  ["snapshot-concurrency-limit", true],
  ["checkpoint-interval", true],
  ["gen1-lookback-duration", true],
  ["parquet-mem-cache-prune-percentage", true],
  ["parquet-mem-cache-prune-interval", true],
  ["parquet-mem-cache-query-path-duration", true, ["file-cache-recency"]],
  ["table-index-cache-max-entries", true],
  ["table-index-cache-concurrency-limit", true],
  ["disable-log-filter-noise-reduction", false],
  ["datafusion-config", true],
  ["datafusion-num-threads", true],
  ["datafusion-max-parquet-fanout", true],
  ["datafusion-use-cached-parquet-loader", true],
  ["datafusion-runtime-type", true],
  ["datafusion-runtime-disable-lifo-slot", false],
  ["datafusion-runtime-event-interval", true],
  ["datafusion-runtime-global-queue-interval", true],
  ["datafusion-runtime-max-blocking-threads", true],
  ["datafusion-runtime-max-io-events-per-tick", true],
  ["datafusion-runtime-thread-keep-alive", true],
  ["datafusion-runtime-thread-priority", true],
  ["traces-exporter", true],
  ["traces-exporter-jaeger-agent-host", true],
  ["traces-exporter-jaeger-agent-port", true],
  ["traces-exporter-jaeger-service-name", true],
  ["traces-exporter-jaeger-trace-context-header-name", true],
  ["traces-jaeger-debug-name", true],
  ["traces-jaeger-max-msgs-per-second", true],
  ["traces-jaeger-tags", true],
  ["test-mode", false],
  ["admin-token-recovery-tcp-listener-file-path", true],
  ["telemetry-endpoint", true],
  ["serve-invocation-method", true],
  ["object-store-http2-only", false],
  ["object-store-http2-max-frame-size", true],
  ["object-store-cache-endpoint", true],
];

/** The reference names a variable after its flag, but for these (spec: cli §3.1, §18). */
const OTHER_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  "snapshotted-wal-files-to-keep": ["INFLUXDB3_NUM_WAL_FILES_TO_KEEP", "INFLUXDB3_SNAPSHOTTED_WAL_FILES_TO_KEEP"],
  "datafusion-num-threads": ["INFLUXDB3_NUM_DATAFUSION_THREADS", "INFLUXDB3_DATAFUSION_NUM_THREADS"],
};
const variablesOf = (name: string): readonly string[] => OTHER_VARIABLES[name] ?? [`INFLUXDB3_${name.toUpperCase().replaceAll("-", "_")}`];

/** Accepted in silence: what they switch off does not exist here. */
const NOTHING_TO_SWITCH_OFF: readonly FlagSpec[] = [
  { name: "disable-telemetry-upload", summary: "There is no telemetry to switch off", hidden: true },
];

/** Ignoring one of these would leave a server open, or leave data elsewhere than its owner thinks. */
const REFUSED: readonly (readonly [name: string, env?: string])[] = [
  ["google-service-account"],
  ["azure-storage-account"],
  ["azure-storage-access-key"],
  ["azure-endpoint"],
  ["object-store-tls-ca"],
  ["object-store-tls-allow-insecure"],
];

export const NAMES_WITHOUT_EFFECT: readonly string[] = WITHOUT_EFFECT.map(([name]) => name);
export const REFUSED_NAMES: readonly string[] = REFUSED.map(([name]) => name);

const CONFIG_FLAG: FlagSpec = {
  name: "config",
  value: "FILE",
  summary: "Settings as TOML, keys as these options without dashes; options and environment go before it",
  env: ["TIDEMARK_CONFIG"],
};

export const SERVE_FLAGS: readonly FlagSpec[] = [
  CONFIG_FLAG,
  ...NODE_FLAGS,
  ...OBJECT_STORE_FLAGS,
  ...STORAGE_FLAGS,
  ...MEMORY_FLAGS,
  ...CATALOG_FLAGS,
  ...QUERY_FLAGS,
  ...PLUGIN_FLAGS,
  ...HTTP_FLAGS,
  ...LOG_FLAGS,
  ...NOTHING_TO_SWITCH_OFF,
  ...WITHOUT_EFFECT.map(
    ([name, hasValue, aliases]): FlagSpec => ({
      name,
      ...(hasValue ? { value: "VALUE", env: variablesOf(name) } : {}),
      ...(aliases === undefined ? {} : { aliases }),
      summary: "Accepted, without effect",
      hidden: true,
    }),
  ),
  ...REFUSED.map(
    ([name, env]): FlagSpec => ({
      name,
      value: "VALUE",
      ...(env === undefined ? {} : { env: [env] }),
      summary: "Not available yet, refused",
      hidden: true,
    }),
  ),
  { name: "cluster-id", value: "ID", summary: "An Enterprise parameter, refused", hidden: true },
];
