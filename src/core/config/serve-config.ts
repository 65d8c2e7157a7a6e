/**
 * The settings of a server and how their texts become values. Pure: the home folder, the working folder and the flags
 * come from the caller, so `serve`, `dev` and the tests share every check.
 */
import { DatabaseError, isDatabaseError } from "../errors/database-error.ts";
import { effectiveGrants, GRANT_NAMES, parseGrants, PROFILES, type TriggerGrants } from "../trigger/grants.ts";
import { type OwnLimits, parseLimits } from "../trigger/limits.ts";
import type { TriggerSpecification } from "../trigger/specification.ts";
import { formatBindAddress, isLoopback, parseBindAddress, type BindAddress } from "./bind-address.ts";
import type { CatalogLimits } from "../catalog/limits.ts";
import { parseDuration } from "./humantime.ts";
import { type MemoryConfig, parseMemoryConfig } from "./memory-config.ts";
import { parseMemorySize } from "./memory-size.ts";
import { parseShutdownTimeout } from "./shutdown-timeout.ts";
import { parseStoreConfig, type StoreConfig } from "./store-config.ts";
import { parseTls, type TlsFiles } from "./tls.ts";

/** What `--restrict-plugin-triggers-to` names. */
export type TriggerKind = "wal" | "schedule" | "request";

/**
 * `tokens`: every request brings one. `this-machine`: no tokens, but only programs and pages of this machine are answered.
 * `none` (`--without-auth`): whoever reaches the address may do everything, web pages included.
 */
export type Authentication = "tokens" | "this-machine" | "none";

export interface ServeConfig {
  /** First path segment of everything durable. */
  readonly nodeId: string;
  /** Its `dataDir` is created when it is missing. */
  readonly objectStore: StoreConfig;
  readonly bind: BindAddress;
  readonly authentication: Authentication;
  /** What running requests get to end in when the server stops. */
  readonly shutdownTimeoutMs: number;
  /** Where a lost operator token can be replaced without one; undefined: nowhere. */
  readonly tokenRecoveryBind: BindAddress | undefined;
  /** Paths that need no token. */
  readonly openPaths: ReadonlySet<string>;
  /** A token made offline, taken over when no token has its name. */
  readonly adminTokenFile: string | undefined;
  /** Undefined: plain HTTP. */
  readonly tls: TlsFiles | undefined;
  /** Where Python packages of plugins are installed; undefined: `.venv` in the plugin folder. */
  readonly virtualEnvDir: string | undefined;
  /** `--package-manager disabled` turns installing off. */
  readonly packagesEnabled: boolean;
  /** `uws`: uWebSockets.js where it can be used. */
  readonly httpTransport: "own" | "uws";
  /** Created when it is missing; undefined: only the bundled plugins are there (memory store without a folder). */
  readonly pluginDir: string | undefined;
  /** Where `gh:` plugins come from; undefined: the official repository. */
  readonly pluginRepo: string | undefined;
  /** No plugins from a repository, no uploads. */
  readonly pluginDirOnly: boolean;
  /** Undefined: every kind of trigger is allowed. */
  readonly restrictTriggersTo: ReadonlySet<TriggerKind> | undefined;
  readonly walFlushIntervalMs: number;
  /** Flush intervals after which rows go to Parquet. */
  readonly walSnapshotSize: number;
  /** Length of the time chunks of Parquet files. */
  readonly gen1DurationNs: bigint;
  /** False: a damaged part of the WAL is skipped. */
  readonly walReplayFailOnError: boolean;
  readonly memory: MemoryConfig;
  /** Undefined members: the defaults of the reference. */
  readonly catalogLimits: Partial<CatalogLimits>;
  readonly retentionCheckMs: number | undefined;
  readonly hardDeleteAfterNs: bigint | undefined;
  readonly deleteGraceNs: bigint | undefined;
  readonly lastCacheEvictionIntervalMs: number | undefined;
  readonly distinctCacheEvictionIntervalMs: number | undefined;
  /** WAL files kept for triggers that are behind; undefined: the engine's own default. */
  readonly walRetainBytes: number | undefined;
  /** Where the triggers' log rows are kept in a table; undefined: in memory only. */
  readonly pluginLogDatabase: string | undefined;
  /** What triggers without limits and grants of their own get. */
  readonly pluginLimits: OwnLimits;
  readonly pluginGrants: TriggerGrants;
  /** Executors at most, waiting ones included. */
  readonly pluginThreadsMax: number | undefined;
  /** Plugins that compute at the same time; undefined: the number of processors. */
  readonly pluginExecutors: number | undefined;
  /** Undefined: the safest that the runtime can stop. */
  readonly pluginIsolation: PluginIsolation | undefined;
  /** Steps in which plugins see time pass. */
  readonly pluginClockResolutionNs: bigint;
  readonly pluginRowStyle: "full" | "sparse";
  readonly query: QueryConfig;
  readonly httpRequestSizeMax: number;
  readonly log: {
    readonly level: "debug" | "info" | "warn" | "error";
    readonly destination: "stdout" | "stderr";
    readonly format: LogFormat;
  };
}

/** Undefined members take the engine's own defaults. */
export interface QueryConfig {
  readonly timeoutMs: number | undefined;
  readonly concurrentMax: number | undefined;
  readonly filesMax: number | undefined;
  readonly logEntriesMax: number | undefined;
}

/** Settings as texts, by flag name without dashes; what is absent takes its default. */
export interface ServeSettings {
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  isSet(name: string): boolean;
  count(name: string): number;
}

export interface ServeSurroundings {
  /** Used when `--data-dir` is absent. */
  readonly defaultDataDir: string;
  readonly defaultNodeId: string | undefined;
  /** A person reads the log: then one readable line an event, else one JSON object a line. */
  readonly logIsTerminal: boolean;
  /** Unless `--without-auth` is given. */
  readonly defaultAuthentication: Exclude<Authentication, "none">;
  /** Makes a path absolute. */
  resolvePath(path: string): string;
  env(name: string): string | undefined;
}

export const PLUGIN_ISOLATIONS = ["shared", "worker", "process"] as const;
/** Executors: threads for all triggers, a thread for each trigger, or child processes. */
export type PluginIsolation = (typeof PLUGIN_ISOLATIONS)[number];

const DEFAULT_CLOCK_RESOLUTION_NS = 1_000n;
const CLOCK_RESOLUTION_NS_MAX = 1_000_000_000n;
const DEFAULT_PORT = 8181;
/** Every interface, as the reference has it, but only where tokens keep strangers out. */
const DEFAULT_HOST: Readonly<Record<Authentication, string>> = { tokens: "0.0.0.0", "this-machine": "127.0.0.1", none: "127.0.0.1" };
const DEFAULT_FLUSH_INTERVAL_NS = 1_000_000_000n;
/** Below this a trigger would be called for every commit; above it `setTimeout` overflows. */
const FLUSH_INTERVAL_MS_MIN = 10;
const FLUSH_INTERVAL_MS_MAX = 2_147_483_647;
const DEFAULT_REQUEST_SIZE_MAX = 10_485_760;
const NODE_ID_LENGTH_MAX = 255;
const DEFAULT_WAL_SNAPSHOT_SIZE = 600;
const MINUTE_NS = 60_000_000_000n;
const GEN1_MINUTES: readonly bigint[] = [1n, 5n, 10n];
const DEFAULT_GEN1_NS = 10n * MINUTE_NS;

/** Throws `server.misconfigured` and `server.address_not_local`. */
export function parseServeConfig(settings: ServeSettings, around: ServeSurroundings): ServeConfig {
  const objectStore = parseStoreConfig(settings, around);
  const authentication = settings.isSet("without-auth") ? "none" : around.defaultAuthentication;
  return {
    nodeId: parseNodeId(settings, around),
    objectStore,
    bind: parseBind(settings.text("http-bind"), authentication),
    authentication,
    shutdownTimeoutMs: parseShutdownTimeout(settings.text("shutdown-timeout")),
    tokenRecoveryBind: parseTokenRecovery(settings.text("admin-token-recovery-http-bind"), authentication),
    httpTransport: settings.text("http-transport") === "uws" ? "uws" : "own",
    virtualEnvDir: optionalPath(settings.text("virtual-env-location"), around),
    packagesEnabled: settings.text("package-manager") !== "disabled" && !settings.isSet("disable-package-management"),
    tls: parseTls({ cert: settings.text("tls-cert"), key: settings.text("tls-key"), minimumVersion: settings.text("tls-minimum-version") }, (path) => around.resolvePath(path)),
    openPaths: parseOpenPaths(settings.list("disable-authz")),
    adminTokenFile: optionalPath(settings.text("admin-token-file"), around),
    pluginDir: parsePluginDir(settings, around, objectStore),
    pluginRepo: parsePluginRepo(settings.text("plugin-repo")),
    pluginDirOnly: settings.isSet("plugin-dir-only"),
    restrictTriggersTo: parseRestriction(settings.list("restrict-plugin-triggers-to")),
    walFlushIntervalMs: parseFlushInterval(settings.text("wal-flush-interval")),
    walSnapshotSize: parseCount(settings, "wal-snapshot-size") ?? DEFAULT_WAL_SNAPSHOT_SIZE,
    gen1DurationNs: parseGen1Duration(settings.text("gen1-duration")),
    walReplayFailOnError: settings.text("wal-replay-fail-on-error") !== "false",
    memory: parseMemoryConfig(settings),
    catalogLimits: parseCatalogLimits(settings),
    retentionCheckMs: parseMilliseconds(settings, "retention-check-interval"),
    hardDeleteAfterNs: parseNanoseconds(settings, "hard-delete-default-duration"),
    deleteGraceNs: parseNanoseconds(settings, "delete-grace-period"),
    lastCacheEvictionIntervalMs: parseMilliseconds(settings, "last-cache-eviction-interval"),
    distinctCacheEvictionIntervalMs: parseMilliseconds(settings, "distinct-cache-eviction-interval"),
    walRetainBytes: parseSize(settings, "wal-retain-bytes", "b"),
    pluginLogDatabase: settings.text("plugin-log-database"),
    pluginLimits: parsePluginLimits(settings),
    pluginGrants: parsePluginGrants(settings),
    pluginThreadsMax: parseCount(settings, "plugin-threads-max"),
    pluginExecutors: parseCount(settings, "plugin-executors"),
    pluginIsolation: PLUGIN_ISOLATIONS.find((isolation) => isolation === settings.text("plugin-isolation")),
    pluginClockResolutionNs: parseClockResolution(settings.text("plugin-clock-resolution")),
    pluginRowStyle: settings.text("plugin-row-style") === "sparse" ? "sparse" : "full",
    query: {
      timeoutMs: parseMilliseconds(settings, "query-timeout"),
      concurrentMax: parseCount(settings, "max-concurrent-queries"),
      filesMax: parseCount(settings, "query-file-limit"),
      logEntriesMax: parseCount(settings, "query-log-size"),
    },
    httpRequestSizeMax: parseSize(settings, "max-http-request-size", "b") ?? DEFAULT_REQUEST_SIZE_MAX,
    log: {
      level: parseLevel(settings.count("verbose"), settings.text("log-filter")),
      destination: settings.text("log-destination") === "stderr" ? "stderr" : "stdout",
      format: parseLogFormat(settings.text("log-format"), around.logIsTerminal),
    },
  };
}

function misconfigured(message: string, hint?: string): DatabaseError {
  return new DatabaseError("server.misconfigured", { message, ...(hint === undefined ? {} : { hint }) });
}

function parseNodeId(settings: ServeSettings, around: ServeSurroundings): string {
  const variable = settings.text("node-id-from-env");
  const given = settings.text("node-id") ?? (variable === undefined ? around.defaultNodeId : around.env(variable));
  if (given === undefined || given === "") {
    throw misconfigured(
      `Must set INFLUXDB3_NODE_IDENTIFIER_PREFIX=${variable ?? "<node-id>"} to a valid env var value for the node id`,
      variable === undefined ? "pass --node-id" : `export ${variable}=<node id>, or pass --node-id`,
    );
  }
  // It becomes a folder name and an object path, so nothing that could climb out of the store.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(given) || given.length > NODE_ID_LENGTH_MAX) {
    throw misconfigured(
      `The node id "${given}" cannot be used`,
      "use letters, digits, '.', '-' and '_', beginning with a letter or digit",
    );
  }
  return given;
}

const optionalPath = (given: string | undefined, around: ServeSurroundings): string | undefined => (given === undefined ? undefined : around.resolvePath(given));

function parsePluginDir(
  settings: ServeSettings,
  around: ServeSurroundings,
  objectStore: ServeConfig["objectStore"],
): string | undefined {
  const given = settings.text("plugin-dir");
  if (given !== undefined) return around.resolvePath(given);
  return objectStore.kind !== "memory" ? around.resolvePath(`${objectStore.dataDir}/plugins`) : undefined;
}

function parsePluginRepo(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^https?:\/\/[^/?#\s]+(?:\/[^?#\s]*)?$/.test(text)) {
    throw misconfigured(`The plugin repository "${text}" is not a URL`, "give --plugin-repo a URL such as https://example.org/plugins/");
  }
  return text;
}

/** Without tokens every caller may do everything, so beyond this machine only on the user's word. */
function parseBind(text: string | undefined, authentication: Authentication): BindAddress {
  const bind = text === undefined ? { host: DEFAULT_HOST[authentication], port: DEFAULT_PORT } : parseAddress(text);
  if (!isLoopback(bind.host) && authentication === "this-machine") {
    throw new DatabaseError("server.address_not_local", {
      message: `Refused to listen on "${formatBindAddress(bind)}": this server asks for no tokens, so everyone who reaches that address could read, write and run plugins`,
      hint: "listen on 127.0.0.1, run 'influxdb3 serve', which asks for tokens, or pass --without-auth if you accept that",
    });
  }
  return bind;
}

function parseAddress(text: string): BindAddress {
  const bind = parseBindAddress(text);
  if (bind === undefined) {
    throw misconfigured(`Failed to bind address "${text}": it is not of the form host:port`, "write it as in 127.0.0.1:8181");
  }
  return bind;
}

function parseTokenRecovery(text: string | undefined, authentication: Authentication): BindAddress | undefined {
  if (text === undefined) return undefined;
  if (authentication !== "tokens") throw misconfigured("There is no token to recover: this server asks for none", "leave out --admin-token-recovery-http-bind or --without-auth");
  return parseAddress(text);
}

/** What `--disable-authz` names; the paths of those that we do not serve are empty. */
const OPEN_PATHS: ReadonlyMap<string, readonly string[]> = new Map([
  ["health", ["/health", "/api/v1/health"]],
  ["ping", ["/ping"]],
  ["metrics", ["/metrics"]],
  ["ready", []],
  ["pprof", []],
  ["node_stop", []],
]);

function parseOpenPaths(words: readonly string[]): ReadonlySet<string> {
  return new Set(
    words.flatMap((word) => {
      const paths = OPEN_PATHS.get(word.trim());
      if (paths === undefined) throw misconfigured(`"${word}" cannot be named in --disable-authz`, "use health, ping or metrics");
      return paths;
    }),
  );
}

function parseFlushInterval(text: string | undefined): number {
  const ns = text === undefined ? DEFAULT_FLUSH_INTERVAL_NS : parseDuration(text);
  const ms = ns === undefined ? Number.NaN : Number(ns / 1_000_000n);
  if (ms >= FLUSH_INTERVAL_MS_MIN && ms <= FLUSH_INTERVAL_MS_MAX) return ms;
  throw misconfigured(`The WAL flush interval "${text}" is not between 10ms and 24 days`, "write it as in --wal-flush-interval 1s");
}

function parseGen1Duration(text: string | undefined): bigint {
  const ns = text === undefined ? DEFAULT_GEN1_NS : parseDuration(text);
  if (ns !== undefined && GEN1_MINUTES.some((minutes) => minutes * MINUTE_NS === ns)) return ns;
  throw misconfigured(`The gen1 duration "${text}" is not 1m, 5m or 10m`, "write it as in --gen1-duration 10m");
}

function parseMilliseconds(settings: ServeSettings, name: string): number | undefined {
  const text = settings.text(name);
  if (text === undefined) return undefined;
  const ns = parseDuration(text);
  const ms = ns === undefined ? Number.NaN : Number(ns / 1_000_000n);
  if (ms >= 1 && ms <= FLUSH_INTERVAL_MS_MAX) return ms;
  throw misconfigured(`"${text}" is not a duration for --${name}`, `write it as in --${name} 30s`);
}

function parseNanoseconds(settings: ServeSettings, name: string): bigint | undefined {
  const text = settings.text(name);
  if (text === undefined) return undefined;
  const ns = parseDuration(text);
  if (ns !== undefined) return ns;
  throw misconfigured(`"${text}" is not a duration for --${name}`, `write it as in --${name} 72h`);
}

/** Names of the reference's Enterprise edition. */
function parseCatalogLimits(settings: ServeSettings): Partial<CatalogLimits> {
  const databasesMax = parseCount(settings, "num-database-limit");
  const tablesMax = parseCount(settings, "num-table-limit");
  const columnsPerTableMax = parseCount(settings, "num-total-columns-per-table-limit");
  return {
    ...(databasesMax === undefined ? {} : { databasesMax }),
    ...(tablesMax === undefined ? {} : { tablesMax }),
    ...(columnsPerTableMax === undefined ? {} : { columnsPerTableMax }),
  };
}

function parsePluginLimits(settings: ServeSettings): OwnLimits {
  const pairs = settings.list("plugin-limit").map((pair): [string, string] => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
  const memory = parseSize(settings, "plugin-memory-limit");
  const time = parseMilliseconds(settings, "plugin-time-limit");
  return misconfiguredIfInvalid(() =>
    parseLimits([...pairs, ...(memory === undefined ? [] : [["memory", memory] as const]), ...(time === undefined ? [] : [["time", time] as const])]),
  );
}

/** The profile, with each grant that has a flag replaced by it. */
function parsePluginGrants(settings: ServeSettings): TriggerGrants {
  const profile = PROFILES[settings.text("plugin-profile") === "trusted" ? "trusted" : "strict"];
  const own = GRANT_NAMES.flatMap((name): [string, string][] => {
    const value = settings.text(`allow-${name}`);
    return value === undefined ? [] : [[name, value]];
  });
  return misconfiguredIfInvalid(() => effectiveGrants(profile, parseGrants(own)));
}

function misconfiguredIfInvalid<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    throw misconfigured(error.message, error.hint);
  }
}

function parseClockResolution(text: string | undefined): bigint {
  const ns = text === undefined ? DEFAULT_CLOCK_RESOLUTION_NS : parseDuration(text);
  if (ns !== undefined && ns > 0n && ns <= CLOCK_RESOLUTION_NS_MAX) return ns;
  throw misconfigured(`"${text}" cannot be the resolution of the plugins' clock`, "give --plugin-clock-resolution from 1ns to 1s, such as 1ms");
}

function parseSize(settings: ServeSettings, name: string, bareUnit: "b" | "mb" = "mb"): number | undefined {
  const text = settings.text(name);
  if (text === undefined) return undefined;
  const bytes = parseMemorySize(text, { bareUnit });
  if (bytes !== undefined && bytes > 0) return bytes;
  throw misconfigured(`"${text}" is not a size for --${name}`, `write it as in --${name} 64mb`);
}

function parseCount(settings: ServeSettings, name: string): number | undefined {
  const text = settings.text(name);
  if (text === undefined) return undefined;
  const count = Number(text);
  if (/^\d{1,6}$/.test(text) && count > 0) return count;
  throw misconfigured(`"${text}" is not a positive number for --${name}`, `write it as in --${name} 10`);
}

const TRIGGER_KINDS: ReadonlyMap<string, TriggerKind> = new Map([
  ["wal", "wal"],
  ["wal_flush", "wal"],
  ["schedule", "schedule"],
  ["request", "request"],
]);

function parseRestriction(words: readonly string[]): ReadonlySet<TriggerKind> | undefined {
  const names = words.flatMap((word) => word.split(/[,\s]+/)).filter((name) => name !== "");
  if (names.length === 0) return undefined;
  const kinds = names.map((name) => {
    const kind = TRIGGER_KINDS.get(name);
    if (kind === undefined) throw misconfigured(`"${name}" is not a kind of trigger`, "use wal, schedule or request");
    return kind;
  });
  return new Set(kinds);
}

const KIND_OF: Readonly<Record<TriggerSpecification["kind"], TriggerKind>> = {
  table: "wal",
  "all-tables": "wal",
  cron: "schedule",
  every: "schedule",
  request: "request",
};

/** Whether the configuration lets this trigger be created. */
export function allowsTrigger(config: Pick<ServeConfig, "restrictTriggersTo">, specification: TriggerSpecification): boolean {
  return config.restrictTriggersTo === undefined || config.restrictTriggersTo.has(KIND_OF[specification.kind]);
}

export type LogFormat = "text" | "json" | "logfmt";

function parseLogFormat(name: string | undefined, isTerminal: boolean): LogFormat {
  if (name === undefined) return isTerminal ? "text" : "json";
  return name === "json" || name === "logfmt" ? name : "text";
}

/** `-v` info, `-vv` debug; else the first level of the filter that stands alone (spec: cli §3.1). */
function parseLevel(verbosity: number, filter: string | undefined): ServeConfig["log"]["level"] {
  if (verbosity > 0) return verbosity === 1 ? "info" : "debug";
  const bare = (filter ?? "info").split(",").map((part) => part.trim().toLowerCase()).find((part) => !part.includes("="));
  if (bare === "trace" || bare === "debug") return "debug";
  return bare === "warn" || bare === "error" ? bare : bare === "off" ? "error" : "info";
}
