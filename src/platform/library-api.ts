/**
 * The library's own types: `import { open } from "tidemark"`. This file imports nothing, because it is also published as it
 * stands as the package's type declarations.
 */

/** One cell of an answer. */
export type Value =
  /** SQL NULL. */
  | null
  | boolean
  /** Floats, 32-bit and smaller integers, dates (days since 1970-01-01). */
  | number
  /** 64-bit integers; timestamps and durations in nanoseconds. */
  | bigint
  | string
  | Uint8Array
  /** Intervals. */
  | { readonly months: number; readonly days: number; readonly nanos: bigint }
  /** Lists and structs. */
  | readonly Value[];

export type Row = Readonly<Record<string, Value>>;
export type Parameters = Readonly<Record<string, string | number | boolean | null>>;

export type Precision = "auto" | "second" | "millisecond" | "microsecond" | "nanosecond";

export interface OpenOptions {
  /** First folder below the location; default `local`. Two processes must not share one. */
  readonly nodeId?: string;
  /** Folder of the plugins; default: `plugins` in the location, for `memory:` the bundled ones only. */
  readonly pluginDir?: string;
  /** Settings of `influxdb3 serve` by their names without dashes, such as `{ "wal-flush-interval": "100ms" }`. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Takes the lines of the log; default: nothing is logged. */
  readonly log?: (line: string) => void;
}

export interface WriteOptions {
  /** Unit of the timestamps; default `auto`: guessed by their size. */
  readonly precision?: Precision;
  /** Store the good lines when others are refused; default true. */
  readonly acceptPartial?: boolean;
  /** Resolve before the rows are on disk; default false. */
  readonly noSync?: boolean;
}

export interface TriggerOptions {
  readonly database: string;
  readonly name: string;
  /** File or folder below the plugin folder, or `gh:…`. */
  readonly plugin: string;
  /** `table:T`, `all_tables`, `every:1m`, `cron:0 * * * * *`, `request:path`. */
  readonly specification: string;
  readonly arguments?: Readonly<Record<string, string>>;
  /** Let runs overlap; default false. */
  readonly runAsync?: boolean;
  /** Default `log`. */
  readonly errorBehavior?: "log" | "retry" | "disable";
  /** Create without starting; default false. */
  readonly disabled?: boolean;
  /** Deliver rows after a crash that were not processed before it; default false. */
  readonly durable?: boolean;
}

export interface PluginRequest {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface PluginAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

/** What every method rejects with: `code` is one of a closed list, `hint` says what to do. */
export interface DatabaseFailure extends Error {
  readonly code: string;
  readonly fault: "caller" | "capacity" | "environment" | "plugin" | "internal";
  readonly hint?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

export interface Database extends AsyncDisposable {
  /** Resolves once the lines are on disk and queryable. Rejects with `write.partial` after the good lines are stored. */
  write(database: string, lines: string | Uint8Array, options?: WriteOptions): Promise<{ readonly linesWritten: number }>;
  /** All rows at once; see `stream` for answers that do not fit into memory. `$name` in the SQL takes a parameter. */
  query(database: string, sql: string, parameters?: Parameters): Promise<Row[]>;
  /** Rows as they come; leaving the loop early stops the query. */
  stream(database: string, sql: string, parameters?: Parameters): AsyncIterable<Row>;
  /** `retention` such as `30d`; without it rows are kept. Writing creates databases too. */
  createDatabase(name: string, options?: { readonly retention?: string }): Promise<void>;
  deleteDatabase(name: string): Promise<void>;
  createTrigger(trigger: TriggerOptions): Promise<void>;
  enableTrigger(database: string, name: string): Promise<void>;
  disableTrigger(database: string, name: string): Promise<void>;
  /** Also one that is enabled. */
  deleteTrigger(database: string, name: string): Promise<void>;
  /** Asks the plugin with the specification `request:<path>`; undefined when there is none. */
  request(path: string, request?: PluginRequest): Promise<PluginAnswer | undefined>;
  /** Moves what is in memory to Parquet files now. */
  snapshot(): Promise<void>;
  /** Finishes what was accepted and frees everything. */
  close(): Promise<void>;
}
