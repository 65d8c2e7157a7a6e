/**
 * Prepares a statement whose columns have exactly the types that the front end derived: vectors are read as raw memory,
 * so a width that differs would be garbage. Where the engine chose another type, the column is cast.
 */
import { assert } from "../../../core/errors/assert.ts";
import { engineName, type SqlType } from "../../../core/query/types.ts";
import type { EngineQuery } from "../../../ports/query-engine.ts";
import { api, type Connection, type PreparedStatement } from "./bindings.ts";

/** `duckdb_type` codes by engine name. */
const TYPE_IDS: Readonly<Record<string, number>> = {
  BOOLEAN: 1, TINYINT: 2, SMALLINT: 3, INTEGER: 4, BIGINT: 5, UTINYINT: 6, USMALLINT: 7, UINTEGER: 8, UBIGINT: 9, FLOAT: 10, DOUBLE: 11,
  DATE: 13, TIME: 14, INTERVAL: 15, VARCHAR: 17, BLOB: 18,
};
const LIST = 24;
const STRUCT = 25;

function expectedId(type: SqlType): number {
  if (type.kind === "list") return LIST;
  if (type.kind === "struct") return STRUCT;
  // Decimals arrive as text (`compile.ts`).
  return type.kind === "decimal" ? (TYPE_IDS["VARCHAR"] as number) : (TYPE_IDS[engineName(type)] as number);
}

function mismatches(prepared: PreparedStatement, types: readonly SqlType[]): boolean[] {
  const count = api.prepared_statement_column_count(prepared);
  assert(count === types.length, "the engine returns as many columns as were planned");
  return types.map((type, index) => (api.prepared_statement_column_type(prepared, index) as number) !== expectedId(type) || type.kind === "list");
}

export async function prepareTyped(connection: Connection, query: EngineQuery): Promise<PreparedStatement> {
  const prepared = await api.prepare(connection, query.sql);
  const wrong = mismatches(prepared, query.types);
  if (!wrong.includes(true)) return prepared;
  api.destroy_prepare_sync(prepared);
  const items = query.types.map((type, index) => (wrong[index] === true ? `CAST(c${index} AS ${engineName(type)}) AS c${index}` : `c${index}`));
  return api.prepare(connection, `SELECT ${items.join(", ")} FROM (${query.sql})`);
}
