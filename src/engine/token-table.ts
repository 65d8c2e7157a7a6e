/** `system.tokens` of `_internal` (spec: query §5): hashes, never a token. */
import type { ColumnType } from "../core/columns/column-type.ts";
import type { CatalogState } from "../core/catalog/state.ts";
import type { SystemTable, SystemTableSource } from "./query-tables.ts";

const INTERNAL = "_internal";
const NAME = "tokens";
const NS_PER_MS = 1_000_000n;

const column = (name: string, type: ColumnType): SystemTable["columns"][number] => ({ name, type });

const COLUMNS = [
  column("token_id", "uint64"), column("name", "utf8"), column("hash", "utf8"), column("created_at", "time"), column("description", "utf8"),
  column("created_by_token_id", "uint64"), column("updated_at", "time"), column("updated_by_token_id", "uint64"), column("expiry", "time"), column("permissions", "utf8"),
];

/** Adds the table of tokens to the other system tables. */
export function withTokenTable(tables: SystemTableSource, catalog: { readonly state: CatalogState }): SystemTableSource {
  return {
    names: (database) => (database === INTERNAL ? [...tables.names(database), NAME].sort() : tables.names(database)),
    table: (database, name, confined) => (database === INTERNAL && name === NAME ? tokenTable(catalog.state) : tables.table(database, name, confined)),
    prepare: async (database) => tables.prepare?.(database),
  };
}

const id = (value: number | undefined): bigint | null => (value === undefined ? null : BigInt(value));
const timeNs = (ms: bigint | undefined): bigint | null => (ms === undefined ? null : ms * NS_PER_MS);

function tokenTable(state: CatalogState): SystemTable {
  return {
    columns: COLUMNS,
    rows: [...state.tokens.values()].map((token) => [
      BigInt(token.id), token.name, token.hash, timeNs(token.createdMs), null, id(token.createdBy), timeNs(token.updatedMs), id(token.updatedBy), timeNs(token.expiryMs), "*:*:*",
    ]),
  };
}
