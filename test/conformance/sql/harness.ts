/**
 * Runs SQL through the real front end, service and DuckDB over small tables, and renders the answer as JSON lines. Data:
 * `home` is the sample of InfluxDB's own SQL guides (two rooms, hourly, 2022-01-01T08:00Z on), the others cover types.
 */
import type { DatabaseDefinition, TableDefinition } from "../../../src/core/catalog/definitions.ts";
import type { ColumnType } from "../../../src/core/columns/column-type.ts";
import { decodeTableBatch, encodeTableBatch, type ColumnValues, type TableBatchView } from "../../../src/core/columns/table-batch.ts";
import { formatResult, type TextFormat } from "../../../src/core/query/format-result.ts";
import { encodeCells } from "../../../src/core/query/rows-to-batch.ts";
import { DuckdbEngine } from "../../../src/adapters/query-engine/duckdb/duckdb-engine.ts";
import { ColumnCache } from "../../../src/engine/direct/column-cache.ts";
import { DirectQueries } from "../../../src/engine/direct/direct-queries.ts";
import { QueryService } from "../../../src/engine/query-service.ts";
import type { QueryLog } from "../../../src/engine/query-log.ts";
import type { QuerySource, SystemTable, SystemTableSource, TableSnapshot } from "../../../src/engine/query-tables.ts";
import type { Clock } from "../../../src/ports/clock.ts";

/** 2022-01-02T00:00:00Z: `now()` in every case. */
export const NOW_NS = 1_641_081_600_000_000_000n;

export interface TestTable {
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** One batch per entry: rows as objects. */
  readonly batches: readonly (readonly Readonly<Record<string, unknown>>[])[];
  readonly duplicates?: boolean;
}

export function batchOf(tableId: number, columns: Readonly<Record<string, ColumnType>>, rows: readonly Readonly<Record<string, unknown>>[]): TableBatchView {
  const times = rows.map((row) => row["time"] as bigint);
  const present = Object.entries(columns).filter(([name]) => rows.some((row) => row[name] !== undefined));
  return decodeTableBatch(
    encodeTableBatch({
      databaseId: 1, tableId, rowCount: rows.length,
      timeMin: times.reduce((a, b) => (b < a ? b : a)),
      timeMax: times.reduce((a, b) => (b > a ? b : a)),
      columns: present.map(([name, type]) => (type === "tag" ? tagCells(name, rows.map((row) => row[name] ?? null)) : encodeCells(name, type, rows.map((row) => row[name] ?? null)))),
    }),
  );
}

function tagCells(name: string, cells: readonly unknown[]): ColumnValues {
  const values = [...new Set(cells.filter((cell) => cell !== null))].map(String);
  const encoder = new TextEncoder();
  const texts = (values.length === 0 ? [""] : values).map((value) => encoder.encode(value));
  const offsets = new Uint32Array(texts.length + 1);
  texts.forEach((text, index) => (offsets[index + 1] = (offsets[index] as number) + text.length));
  const bytes = new Uint8Array(offsets[texts.length] as number);
  texts.forEach((text, index) => bytes.set(text, offsets[index] as number));
  const valid = Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1));
  const indexes = Uint32Array.from(cells, (cell) => (cell === null ? 0 : values.indexOf(String(cell))));
  return { name, type: "tag", indexes, offsets, bytes, ...(valid.includes(0) ? { valid } : {}) };
}

function definitionOf(table: TestTable, id: number): TableDefinition {
  const columns = Object.entries(table.columns).map(([name, type], index) => ({ id: index, name, type }));
  return {
    id, databaseId: 1, name: table.name, columns, columnsByName: new Map(columns.map((column) => [column.name, column])),
    seriesKey: columns.filter((column) => column.type === "tag").map((column) => column.name), deleted: false,
  };
}

const realClock: Clock = {
  nowNs: () => NOW_NS,
  monotonicMs: () => performance.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};

export interface TestServer {
  readonly service: QueryService;
  readonly engine: DuckdbEngine;
  /** Queries that hold on to the rows they saw. */
  pinned(): number;
  run(sql: string, options?: { parameters?: Record<string, unknown>; format?: TextFormat }): Promise<string>;
  close(): Promise<void>;
}

export interface TestServerOptions {
  readonly tables: readonly TestTable[];
  readonly system?: Readonly<Record<string, SystemTable>>;
  readonly retentionNs?: bigint;
  readonly timeoutMs?: number;
  readonly log?: (clock: Clock) => QueryLog;
  /** Instead of `system`. */
  readonly systemTables?: (catalog: { readonly state: { readonly databases: ReadonlyMap<string, DatabaseDefinition> } }, source: QuerySource, log: QueryLog) => SystemTableSource;
}

/** Opens an engine of its own; close it. */
export async function openServer(options: TestServerOptions): Promise<TestServer> {
  const { tables, system = {} } = options;
  const engine = await DuckdbEngine.open({ clock: realClock });
  const definitions = tables.map((table, index) => definitionOf(table, index + 1));
  const database: DatabaseDefinition = {
    id: 1, name: "db", deleted: false, tables: new Map(definitions.map((table) => [table.name, table])), deletedTables: new Map(), triggers: new Map(),
    ...(options.retentionNs === undefined ? {} : { retentionNs: options.retentionNs }),
  };
  const snapshots = new Map<number, TableSnapshot>(
    definitions.map((definition, index) => {
      const table = tables[index] as TestTable;
      return [definition.id, { table: definition, batches: table.batches.map((rows) => batchOf(definition.id, table.columns, rows)), repeated: table.duplicates === true ? "everywhere" : [] }];
    }),
  );
  const internal: DatabaseDefinition = { id: 0, name: "_internal", deleted: false, tables: new Map(), deletedTables: new Map(), triggers: new Map() };
  const catalog = { state: { databases: new Map([["_internal", internal], ["db", database]]) } };
  const pins = new Set<symbol>();
  const pin = (): (() => void) => {
    const one = Symbol("pin");
    pins.add(one);
    return () => void pins.delete(one);
  };
  const source: QuerySource = { tableSnapshot: (_database, tableId) => snapshots.get(tableId), pin };
  const log = options.log?.(realClock);
  const systemTables = log === undefined ? undefined : options.systemTables?.(catalog, source, log);
  const service = new QueryService({
    catalog, source, engine,
    systemTables: systemTables ?? { table: (_database, name) => system[name], names: () => Object.keys(system) },
    clock: realClock,
    limits: { timeoutMs: options.timeoutMs ?? 30_000 },
    // As in a server: what it takes must have the same answers.
    direct: new DirectQueries({ columns: new ColumnCache(() => Promise.resolve(undefined), 0), clock: realClock, log: { log: () => undefined }, yieldToEventLoop: () => Promise.resolve() }),
    ...(log === undefined ? {} : { log }),
  });
  return {
    service,
    engine,
    pinned: () => pins.size,
    run: async (sql, { parameters = {}, format = "jsonl" } = {}) => {
      const stream = await service.query({ database: "db", sql, parameters: new Map(Object.entries(parameters)) });
      let text = "";
      for await (const piece of formatResult(stream, format)) text += piece;
      return text;
    },
    close: () => engine.close(),
  };
}

const HOUR = 3_600_000_000_000n;
/** 2022-01-01T08:00:00Z. */
export const START = 1_641_024_000_000_000_000n;

const KITCHEN = [[21, 35.9, 0], [23, 36.2, 0], [22.7, 36.1, 0], [22.4, 36, 0], [22.5, 36, 0], [22.8, 36.5, 1], [22.8, 36.3, 1], [22.7, 36.2, 3], [22.4, 36, 7], [22.7, 36, 9], [23.3, 36.9, 18], [23.1, 36.6, 22], [22.7, 36.5, 26]];
const LIVING = [[21.1, 35.9, 0], [21.4, 35.9, 0], [21.8, 36, 0], [22.2, 36, 0], [22.2, 35.9, 0], [22.4, 36, 0], [22.3, 36.1, 0], [22.3, 36.1, 1], [22.4, 36, 4], [22.6, 35.9, 5], [22.8, 36.2, 9], [22.5, 36.3, 14], [22.2, 36.4, 17]];

const roomRows = (room: string, values: readonly (readonly number[])[]): Record<string, unknown>[] =>
  values.map(([temp, hum, co], hour) => ({ room, temp, hum, co: BigInt(co as number), time: START + BigInt(hour) * HOUR }));

export const HOME: TestTable = {
  name: "home",
  columns: { room: "tag", temp: "float64", hum: "float64", co: "int64", time: "time" },
  batches: [roomRows("Kitchen", KITCHEN), roomRows("Living Room", LIVING)],
};

/** Every type, NULLs, values at the ends of their ranges; the second batch lacks columns. */
export const TYPES: TestTable = {
  name: "types",
  columns: { host: "tag", f: "float64", i: "int64", u: "uint64", b: "bool", s: "utf8", time: "time" },
  batches: [
    [
      { host: "a", f: 0.5, i: 9_223_372_036_854_775_807n, u: 18_446_744_073_709_551_615n, b: true, s: "a text that is longer than twelve bytes", time: 1_641_024_000_000_000_001n },
      { host: "b", f: 99, i: -5n, u: 0n, b: false, s: "short, \"quoted\"", time: 1_641_024_000_123_000_000n },
      { f: 1e21, time: 1_641_024_001_000_000_000n },
    ],
    [{ host: "c", i: 7n, time: -1n }],
  ],
};

/** Names that differ only by case, and names that need quotes. */
export const CASES: TestTable = {
  name: "Cases",
  columns: { Tag: "tag", tag: "tag", Value: "int64", value: "int64", "odd name; --": "int64", time: "time" },
  batches: [[{ Tag: "upper", tag: "lower", Value: 1n, value: 2n, "odd name; --": 3n, time: 0n }]],
};

export const LOWER_CASES: TestTable = { name: "cases", columns: { value: "int64", time: "time" }, batches: [[{ value: 10n, time: 0n }]] };

/** The second sample of InfluxDB's guides: what was said about the carbon monoxide in those rooms. */
const ACTION = (hour: number, room: string, level: string, co: number): Record<string, unknown> => ({
  room, level, action: level === "ok" ? "ok" : "alert",
  description: level === "ok" ? `Carbon monoxide level normal: ${co} ppm.` : `Carbon monoxide level above normal: ${co} ppm.`,
  time: START + BigInt(hour) * HOUR,
});

export const HOME_ACTIONS: TestTable = {
  name: "home_actions",
  columns: { room: "tag", level: "tag", action: "tag", description: "utf8", time: "time" },
  batches: [[ACTION(10, "Kitchen", "warn", 18), ACTION(11, "Kitchen", "warn", 22), ACTION(12, "Kitchen", "warn", 26), ACTION(11, "Living Room", "warn", 14), ACTION(12, "Living Room", "warn", 17), ACTION(0, "Kitchen", "ok", 0)]],
};
