/** System tables of the server as a whole and of its catalog (spec: query §3). */
import { INTERNAL_DATABASE, type CatalogState } from "../core/catalog/state.ts";
import type { DatabaseDefinition, TableDefinition } from "../core/catalog/definitions.ts";
import type { ColumnType } from "../core/columns/column-type.ts";
import type { SourceColumn } from "../core/query/bind-context.ts";
import type { LoggedQuery, QueryLog } from "./query-log.ts";
import type { QuerySource, SystemTable, SystemTableSource } from "./query-tables.ts";

export interface NodeFacts {
  readonly nodeId: string;
  readonly instanceId: string;
  readonly coreCount: number;
  readonly startedNs: bigint;
  /** Settings as JSON, secrets hidden. */
  readonly cliParams: string;
  readonly gen1DurationNs: bigint;
}

export interface ServerTablesOptions {
  readonly catalog: { readonly state: CatalogState };
  readonly source: QuerySource;
  readonly log: QueryLog;
  readonly node: NodeFacts;
}

const NS_PER_SECOND = 1_000_000_000n;
const column = (type: ColumnType) => (name: string): SourceColumn => ({ name, type });
const [text, whole, unsigned, yes, time] = [column("utf8"), column("int64"), column("uint64"), column("bool"), column("time")];
const duration = (name: string): SourceColumn => ({ name, type: "int64", shownAs: "duration" });

const QUERIES: readonly SourceColumn[] = [
  text("id"), text("phase"), time("issue_time"), text("query_type"), text("query_text"), whole("partitions"), whole("parquet_files"),
  duration("plan_duration"), duration("permit_duration"), duration("execute_duration"), duration("end2end_duration"), duration("compute_duration"),
  whole("max_memory"), yes("success"), yes("running"), yes("cancelled"), text("trace_id"),
];

const queryRow = (query: LoggedQuery): unknown[] => [
  query.id, query.phase, query.issuedNs, "sql", query.text, null, query.fileCount ?? null, query.planNs ?? null, query.permitNs ?? null, query.executeNs ?? null, query.endToEndNs ?? null,
  null, null, query.phase === "success", query.endToEndNs === undefined, query.phase === "cancel", null,
];

function queries({ log }: ServerTablesOptions, only: string | undefined): SystemTable {
  return { columns: QUERIES, rows: log.entries().filter(({ database }) => only === undefined || database === only).map(queryRow) };
}

function parquetFiles({ source }: ServerTablesOptions, database: DatabaseDefinition | undefined): SystemTable {
  return {
    columns: [text("table_name"), text("path"), unsigned("size_bytes"), unsigned("row_count"), whole("min_time"), whole("max_time")],
    rows: tablesOf(database).flatMap((table) =>
      (source.tableSnapshot(table.databaseId, table.id)?.files ?? []).map((file) => [table.name, file.path, BigInt(file.sizeBytes), BigInt(file.rowCount), file.timeMin, file.timeMax]),
    ),
  };
}

const KIND_OF: Readonly<Record<ColumnType, string>> = { time: "time", tag: "tag", bool: "boolean", int64: "integer", uint64: "uinteger", float64: "float", utf8: "string" };

function influxdbSchema(database: DatabaseDefinition | undefined): SystemTable {
  return {
    columns: [text("measurement"), text("key"), text("data_type")],
    rows: tablesOf(database).flatMap((table) => [...table.columns].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, type }) => [table.name, name, KIND_OF[type]])),
  };
}

const tablesOf = (database: DatabaseDefinition | undefined): TableDefinition[] => [...(database?.tables.values() ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));

const allDatabases = ({ catalog: { state } }: ServerTablesOptions): DatabaseDefinition[] => [...state.databases.values(), ...state.deletedDatabases.values()];

function databases(options: ServerTablesOptions): SystemTable {
  return {
    columns: [text("database_name"), unsigned("retention_period_ns"), yes("deleted"), time("hard_deletion_time")],
    rows: allDatabases(options).map((database) => [database.name, database.retentionNs ?? null, database.deleted, null]),
  };
}

function tables(options: ServerTablesOptions): SystemTable {
  const { caches } = options.catalog.state;
  const cachesOf = (table: TableDefinition, kind: "last" | "distinct"): bigint => BigInt((caches.get(table.id) ?? []).filter((cache) => cache.kind === kind).length);
  return {
    columns: [
      text("database_name"), text("table_name"), unsigned("column_count"), text("series_key_columns"), unsigned("last_cache_count"), unsigned("distinct_cache_count"), yes("deleted"), time("hard_deletion_time"),
    ],
    rows: allDatabases(options).flatMap((database) =>
      [...database.tables.values(), ...database.deletedTables.values()].map((table) => [
        database.name, table.name, BigInt(table.columns.length), table.seriesKey.join(", "), cachesOf(table, "last"), cachesOf(table, "distinct"), database.deleted || table.deleted, null,
      ]),
    ),
  };
}

function nodes({ node }: ServerTablesOptions): SystemTable {
  return {
    columns: [text("node_id"), unsigned("node_catalog_id"), text("instance_id"), { name: "mode", type: "utf8", listOf: "utf8" }, unsigned("core_count"), text("state"), time("updated_at"), text("cli_params")],
    rows: [[node.nodeId, 0n, node.instanceId, JSON.stringify(["core"]), BigInt(node.coreCount), "running", node.startedNs, node.cliParams]],
  };
}

/** One level: files are not rewritten into longer chunks. */
function generationDurations({ node }: ServerTablesOptions): SystemTable {
  return { columns: [unsigned("level"), unsigned("duration_seconds")], rows: [[1n, node.gen1DurationNs / NS_PER_SECOND]] };
}

type Make = (options: ServerTablesOptions, database: DatabaseDefinition | undefined) => SystemTable;
const EVERYWHERE: Readonly<Record<string, Make>> = { influxdb_schema: (_options, database) => influxdbSchema(database), parquet_files: parquetFiles, queries: (options) => queries(options, undefined) };
const INTERNAL_ONLY: Readonly<Record<string, Make>> = { databases, generation_durations: generationDurations, nodes, tables };

/** Adds these tables to the others. */
export function withServerTables(others: SystemTableSource, options: ServerTablesOptions): SystemTableSource {
  const own = (database: string): Readonly<Record<string, Make>> => (database === INTERNAL_DATABASE ? { ...EVERYWHERE, ...INTERNAL_ONLY } : EVERYWHERE);
  return {
    names: (database) => [...others.names(database), ...Object.keys(own(database))].sort(),
    table: (database, name, confined) => {
      // A plugin that was granted "_internal" sees the server's tables whole.
      if (name === "queries" && confined === true && database !== INTERNAL_DATABASE) return queries(options, database);
      const makers = own(database);
      return Object.hasOwn(makers, name) ? (makers[name] as Make)(options, options.catalog.state.databases.get(database)) : others.table(database, name, confined);
    },
    prepare: async (database) => others.prepare?.(database),
  };
}
