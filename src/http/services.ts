/**
 * What the HTTP edge needs from the rest: narrow interfaces that the engine fulfils and that a test fakes in a few
 * lines. Methods throw `DatabaseError`; its code decides the status and its message is the reference's text.
 */
import type { CacheName, DistinctCacheRequest, LastCacheRequest } from "../core/catalog/plan-caches.ts";
import type { Precision } from "../core/line-protocol/precision.ts";
import type { QueryStream } from "../core/query/query-stream.ts";
import type { InstallWords } from "../core/packages/install-request.ts";
import type { NeededPackages, PluginPlace } from "../engine/packages/package-api.ts";
import type { InstallProgress, InstallReport } from "../engine/packages/package-service.ts";
import type { TokenDefinition } from "../core/tokens/token.ts";
import type { GrantName, OwnGrants, TriggerGrants } from "../core/trigger/grants.ts";
import type { LimitName, OwnLimits } from "../core/trigger/limits.ts";
import type { PeerOf } from "../ports/http-listener.ts";
import type { NamedText } from "../ports/plugin-runtime.ts";

export type FieldType = "utf8" | "int64" | "uint64" | "float64" | "bool";

export interface WriteApi {
  /** Resolves once the lines are durable and queryable (unless `noSync`); `body` is not read afterwards. */
  write(request: {
    readonly database: string;
    readonly body: Uint8Array;
    readonly precision: Precision;
    readonly acceptPartial: boolean;
    readonly noSync: boolean;
    /** The body has been checked to be UTF-8. */
    readonly utf8Checked?: boolean;
  }): Promise<unknown>;
}

export interface QueryApi {
  query(request: {
    readonly database: string;
    readonly sql: string;
    readonly parameters?: ReadonlyMap<string, JsonScalar>;
    readonly signal?: AbortSignal;
  }): Promise<QueryStream>;
}

export type JsonScalar = string | number | boolean | null;

export type HardDeleteTime = "never" | "now" | "default" | bigint;

export interface CatalogApi {
  readonly state: {
    /** Live and deleted. */
    readonly databasesById: ReadonlyMap<number, { readonly name: string; readonly deleted: boolean }>;
  };
  createDatabase(name: string, options: { readonly retentionNs?: bigint }): Promise<unknown>;
  /** The data go for good at `when`; a word of the reference's, or nanoseconds. */
  deleteDatabase(name: string, when: HardDeleteTime): Promise<unknown>;
  /** Undefined: rows are kept for ever. */
  setRetention(name: string, retentionNs: bigint | undefined): Promise<unknown>;
  createTable(
    database: string,
    table: {
      readonly table: string;
      readonly tags: readonly string[];
      readonly fields: readonly { readonly name: string; readonly type: FieldType }[];
      readonly retentionNs?: bigint;
    },
  ): Promise<unknown>;
  deleteTable(database: string, table: string, when: HardDeleteTime): Promise<unknown>;
  /** Undefined: as the database says. */
  setTableRetention(database: string, table: string, retentionNs: bigint | undefined): Promise<unknown>;
}

export interface CachesApi {
  /** Resolve to the description that is answered, once the cache has read the rows that were there before. */
  createLast(request: LastCacheRequest): Promise<unknown>;
  createDistinct(request: DistinctCacheRequest): Promise<unknown>;
  delete(kind: "last" | "distinct", cache: CacheName): Promise<unknown>;
}

export interface TriggerRequest {
  readonly database: string;
  readonly pluginFileName: string;
  readonly triggerName: string;
  readonly runAsync: boolean;
  readonly errorBehavior: "log" | "retry" | "disable";
  readonly specification: string;
  readonly arguments: readonly NamedText[] | undefined;
  readonly disabled: boolean;
  readonly durable?: boolean;
  readonly limits?: OwnLimits;
  readonly grants?: OwnGrants;
}

/** Absent members stay; a limit or grant that is undefined goes back to the server's value. */
export interface TriggerUpdateRequest extends Partial<Pick<TriggerRequest, "pluginFileName" | "specification" | "runAsync" | "errorBehavior" | "durable">> {
  readonly database: string;
  readonly triggerName: string;
  readonly limits: { readonly [N in LimitName]?: number | undefined };
  readonly grants: { readonly [N in GrantName]?: TriggerGrants[N] | undefined };
  readonly arguments?: { readonly values: readonly NamedText[] | undefined };
}

export interface TestRequest {
  readonly fileName: string;
  readonly database: string;
  readonly cacheName?: string;
  readonly inputArguments?: readonly NamedText[];
  readonly limits?: OwnLimits;
  readonly grants?: OwnGrants;
}

export interface WalTestRequest extends TestRequest {
  readonly inputLp: string;
}

export interface ScheduleTestRequest extends TestRequest {
  /** Cron expression without prefix, or `every:` with a duration. */
  readonly schedule?: string;
}

export interface RequestTestRequest extends TestRequest {
  readonly query: readonly NamedText[];
  readonly headers: readonly NamedText[];
  readonly body: Uint8Array;
}

export interface EngineRequest {
  /** What follows `/api/v3/engine/`, not decoded. */
  readonly path: string;
  readonly query: readonly NamedText[];
  /** Lower-case names, without `authorization`. */
  readonly headers: readonly NamedText[];
  readonly body: Uint8Array;
  /** The other end of the request's connection, by which a plugin's run that calls its own server is known. */
  readonly peer?: ReturnType<PeerOf>;
}

export interface EngineResponse {
  readonly status: number;
  readonly headers: readonly NamedText[];
  readonly body: Uint8Array;
}

export interface ProcessingApi {
  createTrigger(request: TriggerRequest): Promise<void>;
  updateTrigger(request: TriggerUpdateRequest): Promise<void>;
  /** What the manifest of a plugin asks for. */
  askedGrants(pluginFileName: string): Promise<OwnGrants>;
  /** What its code will be denied unless it is granted. */
  likelyGrants(pluginFileName: string): Promise<OwnGrants>;
  deleteTrigger(database: string, name: string, force: boolean): Promise<void>;
  setTriggerEnabled(database: string, name: string, enabled: boolean): Promise<void>;
  /** The reports are answered as JSON as they are (spec: processing-engine §16). */
  testWal(request: WalTestRequest): Promise<object>;
  testSchedule(request: ScheduleTestRequest): Promise<object>;
  testRequest(request: RequestTestRequest): Promise<object>;
  /** Undefined when no enabled trigger has this path. */
  request(request: EngineRequest): Promise<EngineResponse | undefined>;
  /** `name` is a path below the plugin folder. */
  createPluginFile(name: string, content: Uint8Array): Promise<void>;
  /** Replaces the file of a trigger, or the `__init__.py` of its directory. */
  updatePluginFile(triggerName: string, content: Uint8Array): Promise<void>;
  /** Replaces the directory of a trigger; keys are paths in it. */
  updatePluginFolder(triggerName: string, files: ReadonlyMap<string, Uint8Array>): Promise<void>;
}

export interface PackageApi {
  /** `files`: texts of requirements files by name; undefined: the server reads them. Throws `package.*`. */
  install(words: InstallWords, files: ReadonlyMap<string, string> | undefined, progress: InstallProgress): Promise<InstallReport>;
  uninstall(names: readonly string[]): Promise<InstallReport>;
  /** What a plugin says that it needs and is not there. */
  neededBy(place: PluginPlace): Promise<NeededPackages>;
  /** Installs that. Throws `package.*`; then nothing was changed. */
  installFor(place: PluginPlace, progress: InstallProgress): Promise<InstallReport>;
}

export interface TokenApi {
  createOperator(): Promise<IssuedToken>;
  regenerateOperator(updatedBy?: number): Promise<IssuedToken>;
  createNamed(name: string, options: { readonly expirySeconds?: bigint; readonly createdBy?: number }): Promise<IssuedToken>;
  delete(name: string): Promise<void>;
}

/** A new token; its text is seen this once. */
export interface IssuedToken {
  readonly definition: TokenDefinition;
  readonly text: string;
}

export interface Metric {
  /** Without unit suffix rules applied: give the full Prometheus name. */
  readonly name: string;
  readonly help: string;
  /** A histogram's samples give the ending of their name: `_bucket` (cumulated, label `le`), `_sum`, `_count`. */
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly { readonly ending?: "_bucket" | "_sum" | "_count"; readonly labels?: Readonly<Record<string, string>>; readonly value: number | bigint }[];
}

export interface MetricsSource {
  collect(): readonly Metric[];
}

/** Something that keeps the server from working as it should. */
export interface HealthProblem {
  /** `degraded`: it does its work all the same; `failing`: it refuses writes. */
  readonly level: "degraded" | "failing";
  readonly text: string;
}

export interface HealthSource {
  problems(): readonly HealthProblem[];
}

export interface ServerVersion {
  /** The InfluxDB 3 release whose behaviour clients may expect, such as `3.10.0`. */
  readonly influxdb: string;
  readonly tidemark: string;
  readonly revision: string;
}

export interface Services {
  readonly catalog: CatalogApi;
  readonly storage: WriteApi;
  readonly queries: QueryApi;
  readonly caches: CachesApi;
  readonly processing: ProcessingApi;
  readonly packages: PackageApi;
  readonly tokens: TokenApi;
  readonly metrics: MetricsSource;
  /** Without it nothing can be wrong. */
  readonly health?: HealthSource;
  readonly clusterUuid: string;
  readonly version: ServerVersion;
}
