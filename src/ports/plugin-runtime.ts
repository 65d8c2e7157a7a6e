/**
 * The sandbox as the engine sees it: one instance per trigger, runs that end in exactly one outcome, and host calls
 * that the engine answers. The adapter owns threads, memory and stopping; it never throws what a plugin did.
 */

import type { GrantName } from "../core/trigger/grants.ts";
import type { LimitName } from "../core/trigger/limits.ts";

/** The code of one plugin, read by the engine from a `PluginStore`. */
export interface PluginCode {
  /** File name as the trigger names it; shown in tracebacks. */
  readonly fileName: string;
  /** Text of a single-file plugin; undefined for a directory plugin. */
  readonly source: string | undefined;
  /** Package name of a directory plugin (its base name). */
  readonly module: string;
  /** Files of a directory plugin by path relative to `/plugins`; empty for a single file. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Changes whenever a file of the plugin changed. */
  readonly revision: bigint;
}

/** A file of the plugin folder that a plugin may read beside its code. */
export interface ShownFile {
  /** Relative to `/plugins`, where the plugin finds it. */
  readonly path: string;
  /** Where the server finds it. */
  readonly source: string;
  readonly modifiedMs: number;
}

export interface TableRows {
  readonly tableName: string;
  /** All columns of the table in creation order, `time` last. */
  readonly columns: readonly string[];
  /** Encoded table batches in WAL order. */
  readonly batches: readonly Uint8Array[];
}

export type NamedText = readonly [name: string, value: string];

export type PluginEvent =
  | { readonly kind: "writes"; readonly tables: readonly TableRows[] }
  | { readonly kind: "schedule"; readonly callTimeSeconds: bigint }
  | {
      readonly kind: "request";
      readonly query: readonly NamedText[];
      readonly headers: readonly NamedText[];
      readonly body: Uint8Array;
    };

export interface Invocation {
  readonly code: PluginCode;
  readonly arguments: readonly NamedText[] | undefined;
  /** Their bytes are read when the plugin looks at them. */
  readonly shown?: readonly ShownFile[];
  readonly sparseRows: boolean;
  readonly event: PluginEvent;
  /**
   * Given where runs of one trigger overlap in several instances: what the others changed in the private cache since this
   * one ran last (`core/trigger/cache-changes.ts`; empty: nothing). The outcome then holds this run's own changes.
   */
  readonly cacheUpdates?: Uint8Array | undefined;
}

/** Line protocol a run collected; `database` undefined: the trigger's own. */
export interface BufferedWrite {
  readonly database: string | undefined;
  readonly lines: string;
}

export interface PluginResponse {
  readonly status: number;
  readonly headers: readonly NamedText[];
  readonly body: Uint8Array;
}

export type RunOutcome = Ending & {
  /** Hostile bytes; absent: not asked for, or too large. */
  readonly cacheChanges?: Uint8Array;
};

type Ending =
  | { readonly kind: "done"; readonly writes: readonly BufferedWrite[]; readonly response?: PluginResponse }
  | {
      /** An exception left the plugin. */
      readonly kind: "raised";
      readonly typeName: string;
      readonly message: string;
      readonly traceback: string;
      /** The entry function itself raised, not the code that loads it. */
      readonly inEntryPoint?: boolean;
      /** Keys of the private cache that were lost because the instance had to be reset (0: nothing lost). */
      readonly cacheKeysLost: number;
      readonly outOfMemory: boolean;
    }
  | {
      /** The run was ended from outside. */
      readonly kind: "stopped";
      readonly reason: "time-limit" | "cancelled";
      /** How far we had to go (design §4). */
      readonly level: "soft" | "hard" | "terminated";
      readonly cacheKeysLost: number;
      readonly traceback?: string;
    }
  /** A fault of ours or of the machine: no executor, image damaged, broken message. */
  | { readonly kind: "failed"; readonly message: string; readonly cacheKeysLost: number };

/** A refusal that becomes a Python exception in the guest (kinds as in `plugin.wit`). */
export type HostErrorKind =
  | "query-error" | "write-error" | "type-error" | "value-error" | "denied" | "limit" | "interrupted" | "internal"
  /** The message begins with a code as `NetworkError` has it, then a space. */
  | "network-error";

export class HostCallError extends Error {
  readonly kind: HostErrorKind;
  /** Which limit of the trigger was met, where one has a name. */
  readonly limit: LimitName | undefined;
  constructor(kind: HostErrorKind, message: string, limit?: LimitName) {
    super(message);
    this.name = "HostCallError";
    this.kind = kind;
    this.limit = limit;
  }
}

/** Answers a guest's requests; may throw `HostCallError`. Arguments are already decoded and bounded. */
export interface PluginHost {
  log(level: "info" | "warn" | "error", text: string): void;
  /** What the plugin printed to stdout or stderr. */
  output(text: string): void;
  /** Resolves to one table batch. */
  query(sql: string, parameters: readonly NamedText[], database: string | undefined): Promise<Uint8Array>;
  writeSync(database: string | undefined, lines: string, noSync: boolean): Promise<void>;
  globalCachePut(key: string, value: Uint8Array, ttlSeconds: number | undefined): void;
  globalCacheGet(key: string): Uint8Array | undefined;
  globalCacheDelete(key: string): boolean;
  /** Throws `HostCallError` kind `denied` unless the trigger was granted this; `net` subjects are `host:port`. */
  checkGrant(grant: GrantName, subject: string): void;
  /** The run met a limit that the guest counts: notes it and gives what the plugin is to be told. */
  exceeded(limit: "write_bytes" | "response_bytes" | "cache_bytes"): HostCallError;
  /** JSON of one group of system metrics, UTF-8. */
  systemMetrics(group: string): Uint8Array;
  readonly network: NetworkCalls;
}

/**
 * The network calls of one run (`plugin.wit`, `net-*`). Connections are numbers that no other run of this server has; a
 * number that is not open is refused as `network-error EBADF`. `waitSeconds` undefined: as long as the run may; 0: not at all.
 */
export interface NetworkCalls {
  /** JSON list of addresses. */
  resolve(host: string, port: number): Promise<Uint8Array>;
  /** Begins to connect. */
  open(address: string, port: number): number;
  /** `settings`: `TlsSettings` as JSON. */
  openTls(settings: Uint8Array): number;
  startTls(connection: number, settings: Uint8Array): void;
  /** Resolves to the number of bytes taken over; 0: there was no room in that time. */
  send(connection: number, data: Uint8Array, waitSeconds: number | undefined): Promise<number>;
  /** Resolves to no bytes at the peer's end, to undefined when nothing came in that time. */
  receive(connection: number, bytesMax: number, waitSeconds: number | undefined): Promise<Uint8Array | undefined>;
  /**
   * Waits until one of the connections is ready. `interests`: 8 bytes each, a little-endian u32 connection and a u32 of
   * `NET_READY` bits; resolves to one byte of bits for each (all zero: nothing in that time). Connections that are not
   * open are ready with `failed`.
   */
  wait(interests: Uint8Array, waitSeconds: number | undefined): Promise<Uint8Array>;
  /** `ConnectionDescription` as JSON, with `error` `[code, text]` where the connection broke. */
  describe(connection: number): Uint8Array;
  close(connection: number, direction: NetDirection): void;
  /** Encrypted bytes of the peer for an end of TLS; none: the peer has ended. */
  feed(connection: number, data: Uint8Array): Promise<void>;
  /** Encrypted bytes for the peer. */
  drain(connection: number): Promise<Uint8Array>;
}

export type NetDirection = "write" | "all";
export const NET_READY = { readable: 1, writable: 2, failed: 4 } as const;

export interface RunOptions {
  readonly wallTimeMsMax: number;
  /** Aborting ends the run with `stopped`/`cancelled`. */
  readonly signal?: AbortSignal;
}

export interface PluginInstance {
  /** One run at a time; a second call while one is under way is a fault of the caller (`internal.invariant`). */
  run(invocation: Invocation, host: PluginHost, options: RunOptions): Promise<RunOutcome>;
  /** Linear memory after the last run, the interpreter's own included; 0 before the first. */
  memoryBytes(): number;
  /** Between runs: frees the memory when nothing in it would be missed (no cache, no module state). The next run starts from the image. */
  release?(): void;
  /** Ends a running run and frees the memory. */
  close(): Promise<void>;
}

export interface InstanceLimits {
  readonly memoryBytesMax: number;
  /** What follows has the runtime's own maximum as default. */
  readonly writeBytesMax?: number;
  readonly responseBytesMax?: number;
  /** Values in the private cache. */
  readonly cacheBytesMax?: number;
  /** Size of the writable folder `/tmp`; default 0: there is none. */
  readonly scratchBytesMax?: number;
  /** Beside the variables that every plugin has (guest paths). */
  readonly environment?: readonly NamedText[];
}

export interface PluginRuntime {
  /** Boots the interpreter and takes the memory image; idempotent. */
  start(): Promise<void>;
  /** Cheap: memory is restored from the image at the first run. `label` names it in logs. */
  createInstance(label: string, limits: InstanceLimits): PluginInstance;
  /** For metrics and tests. */
  statistics(): {
    readonly executors: number;
    readonly instances: number;
    readonly imageBytes: number;
    readonly restoreMsLast: number;
    /** Images with packages, and what they hold. */
    readonly packageImages?: number;
    readonly packageImageBytes?: number;
    /** Of all instances and of the images with packages; the interpreter's own image is beside it. */
    readonly memoryBytes: number;
    /** Executors that were ended to end a run. */
    readonly terminations?: number;
    /** Triggers that got executors of their own for it. */
    readonly quarantined?: number;
  };
  close(): Promise<void>;
}
