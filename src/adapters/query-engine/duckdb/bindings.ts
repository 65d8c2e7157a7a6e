/** The low-level API and the type codes this adapter uses. One place, since the package's types are CommonJS. */
import duckdb from "@duckdb/node-bindings";

export const api: typeof duckdb = duckdb;

/** `duckdb_type` codes of the C API. */
export const TYPE_ID = { BOOLEAN: 1, UTINYINT: 6, USMALLINT: 7, BIGINT: 5, UBIGINT: 9, DOUBLE: 11, VARCHAR: 17 } as const;

export type { Connection, Database, DataChunk, LogicalType, PreparedStatement, Result, Vector } from "@duckdb/node-bindings";
