/** What the processing engine needs from the rest of the server, small enough to fake in a test. */
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { PluginNetwork } from "../../ports/plugin-network.ts";
import type { NamedText, PluginCode, PluginRuntime } from "../../ports/plugin-runtime.ts";
import type { PluginStore, ShownFiles } from "../../ports/plugin-store.ts";
import type { CommittedBatch } from "../../core/buffer/queryable-buffer.ts";
import type { TriggerPosition } from "../../core/wal/record.ts";
import type { TriggerFeed } from "../feed/trigger-feed.ts";
import type { GapTable } from "./gap-table.ts";
import type { TriggerDefinition } from "../../core/catalog/definitions.ts";
import type { GrantName, SystemGroup, TriggerGrants } from "../../core/trigger/grants.ts";
import type { LimitName } from "../../core/trigger/limits.ts";
import type { TriggerSpecification } from "../../core/trigger/specification.ts";
import type { GlobalCache } from "./global-cache.ts";
import type { ProcessingLimits } from "./limits.ts";
import type { Histogram } from "./histogram.ts";
import type { InstancePool } from "./instance-pool.ts";
import type { LogDetail, LogRowLevel, LogSource, LogTable } from "./log-table.ts";
import type { OpenConnections } from "./open-connections.ts";
import type { Runs } from "./runs.ts";

/** Line protocol of a plugin: nanoseconds, all or nothing (spec: processing-engine §11). */
export interface PluginWrite {
  readonly database: string;
  readonly lines: string;
  readonly noSync: boolean;
  readonly origin: string;
  /** Durable together with the lines. */
  readonly position?: TriggerPosition | undefined;
}

export type ProcessingFeed = Pick<TriggerFeed, "recordedPosition" | "firstSequence" | "nextReadable" | "follow" | "started" | "advanced" | "read" | "countRows">;

export interface ProcessingStorage {
  readonly headSequence: number;
  /** Resolves to the number of lines. */
  write(write: PluginWrite): Promise<number>;
  readonly feed: ProcessingFeed;
  /** Makes a durable trigger's position durable on its own. */
  commitPosition(databaseId: number, position: TriggerPosition): Promise<void>;
  onCommitted(listener: (rows: CommittedBatch) => void): () => void;
}

export interface PluginQuery {
  readonly database: string;
  readonly sql: string;
  readonly parameters: readonly NamedText[];
  readonly rowsMax: number;
  readonly bytesMax: number;
}

export interface ProcessingServices {
  readonly storage: ProcessingStorage;
  /** Name and columns of a live table; undefined once it was deleted. */
  readonly table: (databaseId: number, tableId: number) => { readonly name: string; readonly columns: readonly string[] } | undefined;
  /** Resolves to one table batch. */
  readonly query: (query: PluginQuery) => Promise<Uint8Array>;
  /** Marks a trigger disabled in the catalog: `error_behavior` disable. */
  readonly disable: (database: string, triggerName: string) => Promise<void>;
  readonly runtime: PluginRuntime;
  readonly plugins: PluginStore;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly logs: LogTable;
  readonly gaps: GapTable;
  readonly runs: Runs;
  readonly network: PluginNetwork;
  readonly connections: OpenConnections;
  /** Connections are rows of the triggers' logs. */
  readonly logsConnections: boolean;
  readonly globalCache: GlobalCache;
  readonly limits: ProcessingLimits;
  readonly access: PluginAccess;
  readonly sparseRows: boolean;
}

/** What triggers may be granted, and what they are granted when they say nothing. */
export interface PluginAccess {
  readonly grants: TriggerGrants;
  /** A variable of the server's environment; asked only for names that were granted. */
  environment(name: string): string | undefined;
  /** Whether an address is this server's own API. */
  isSelf(host: string, port: number): boolean;
  /** Whether an address is one of this server's that no grant opens: where a lost operator token is replaced. */
  isClosed(address: string, port: number): boolean;
  /** Figures of the machine, as JSON. */
  systemMetrics(group: SystemGroup): string;
}

/** One running trigger. */
export interface TriggerContext {
  /** Unique for the server's life; the origin of its writes. */
  readonly key: string;
  readonly databaseId: number;
  readonly databaseName: string;
  readonly definition: TriggerDefinition;
  readonly specification: TriggerSpecification;
  /** Names it in logs. */
  readonly source: LogSource;
  readonly instances: InstancePool;
  /** Its code as it was read last. */
  readonly loaded: { code: PluginCode | undefined; shown: ShownFiles | undefined; checkedMs: number };
  /** The server's, with what the trigger has of its own. */
  readonly limits: ProcessingLimits;
  readonly grants: TriggerGrants;
  /** Aborted when the trigger is disabled, deleted or the server stops. */
  readonly signal: AbortSignal;
  readonly statistics: TriggerStatistics;
}

/** Counters of one trigger, for metrics. */
export interface TriggerStatistics {
  runs: number;
  errors: number;
  rows: number;
  /** Lines that its runs wrote. */
  linesWritten: number;
  /** Network connections that have ended, and what went over them. */
  connections: number;
  networkBytesSent: number;
  networkBytesReceived: number;
  /** Runs under way. */
  running: number;
  readonly durations: Histogram;
  lastErrorNs: bigint | undefined;
  stopped: number;
  retries: number;
  ticksSkipped: number;
  /** Calls beyond the first of a flush that was too large for one. */
  consecutiveCalls: number;
  /** Reads from WAL files, because memory no longer had the rows. */
  spilledSlices: number;
  /** Rows that were not delivered because the log no longer held them. */
  rowsLost: number;
  lastError: string | undefined;
  /** Runs that met a limit, and runs that were denied something, by name. */
  readonly limitsMet: Partial<Record<LimitName, number>>;
  readonly denied: Partial<Record<GrantName, number>>;
  /** Runs stopped from outside, by how far we had to go. */
  readonly stops: Partial<Record<"soft" | "hard" | "terminated", number>>;
}

/** Adds one to a counter that may not be there yet. */
export function count<K extends string>(counters: Partial<Record<K, number>>, name: K): void {
  counters[name] = (counters[name] ?? 0) + 1;
}

/** A row in the trigger's log. */
export function logRow(services: ProcessingServices, context: TriggerContext, level: LogRowLevel, text: string, detail?: LogDetail): void {
  services.logs.add(context.source, level, text, detail);
}

const SINK_LEVEL = { DEBUG: "debug", INFO: "info", WARN: "warn", ERROR: "error" } as const;

/** A row in the trigger's log and a line in the server's. */
export function tell(services: ProcessingServices, context: TriggerContext, level: LogRowLevel, text: string, detail?: LogDetail): void {
  logRow(services, context, level, text, detail);
  services.log.log(SINK_LEVEL[level], text, { trigger: context.definition.name, database: context.databaseName });
}

/** Counts a failure and keeps its text for `system.processing_engine_trigger_status`. */
export function noteError(services: ProcessingServices, { statistics }: TriggerContext, text: string): void {
  statistics.errors += 1;
  statistics.lastError = text;
  statistics.lastErrorNs = services.clock.nowNs();
}

/** What the engine runs for a trigger. */
export interface TriggerRunner {
  /** `keep`: the trigger will run again and goes on where it was, as far as it can. */
  stop(options: StopOptions): Promise<void>;
  /** Resolves once the start is durable, where that matters. */
  readonly ready?: Promise<void>;
  lag?(): { readonly rows: number; readonly seconds: number };
  /** Events that wait for an instance. */
  readonly queueDepth: number;
}

export interface StopOptions {
  readonly keep: boolean;
}
