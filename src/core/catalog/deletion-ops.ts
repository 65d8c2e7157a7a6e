/**
 * Changes of what was deleted softly: when its data goes for good, that it has gone, and that the catalog forgets it.
 * Without a table they concern the whole database.
 */
import { assert } from "../errors/assert.ts";
import type { DatabaseDefinition, Deletion, TableDefinition } from "./definitions.ts";
import { corruptCatalog, type JsonObject, optionalBigint, optionalWhole, whole } from "./json.ts";
import type { CatalogState } from "./state.ts";

interface Target {
  readonly databaseId: number;
  readonly tableId?: number;
}

export type DeletionOp = Target &
  (
    | { readonly kind: "schedule-erase"; readonly hardDeleteAtNs?: bigint }
    | { readonly kind: "mark-erased"; readonly erasedAtNs: bigint }
    | { readonly kind: "forget" }
  );

export function applyDeletionOp(state: CatalogState, op: DeletionOp): CatalogState {
  if (op.kind === "forget") return forget(state, op);
  const change = (deletion: Deletion): Deletion => {
    if (op.kind === "mark-erased") return { ...deletion, erasedAtNs: op.erasedAtNs };
    const { hardDeleteAtNs: _, ...rest } = deletion;
    return op.hardDeleteAtNs === undefined ? rest : { ...rest, hardDeleteAtNs: op.hardDeleteAtNs };
  };
  const database = databaseOf(state, op.databaseId);
  if (op.tableId === undefined) return withDatabase(state, { ...database, deletion: change(deletionOf(database)) });
  const table = tableOf(state, op.tableId, database);
  return withDeletedTable(state, database, { ...table, deletion: change(deletionOf(table)) });
}

function forget(state: CatalogState, op: DeletionOp): CatalogState {
  const database = databaseOf(state, op.databaseId);
  const tablesById = new Map(state.tablesById);
  if (op.tableId !== undefined) {
    const table = tableOf(state, op.tableId, database);
    deletionOf(table);
    const deletedTables = new Map(database.deletedTables);
    assert(deletedTables.delete(table.name), "a forgotten table was deleted");
    tablesById.delete(table.id);
    return { ...withDatabase(state, { ...database, deletedTables }), tablesById };
  }
  deletionOf(database);
  for (const table of [...database.tables.values(), ...database.deletedTables.values()]) tablesById.delete(table.id);
  const deletedDatabases = new Map(state.deletedDatabases);
  const databasesById = new Map(state.databasesById);
  assert(deletedDatabases.delete(database.name) && databasesById.delete(database.id), "a forgotten database was deleted");
  return { ...state, deletedDatabases, databasesById, tablesById };
}

function databaseOf(state: CatalogState, id: number): DatabaseDefinition {
  const database = state.databasesById.get(id);
  assert(database !== undefined, "a changed database exists");
  return database;
}

function tableOf(state: CatalogState, id: number, database: DatabaseDefinition): TableDefinition {
  const table = state.tablesById.get(id);
  assert(table !== undefined && table.databaseId === database.id, "a changed table exists in its database");
  return table;
}

function deletionOf({ deletion }: { readonly deletion?: Deletion }): Deletion {
  assert(deletion !== undefined, "only what was deleted is erased");
  return deletion;
}

function withDatabase(state: CatalogState, database: DatabaseDefinition): CatalogState {
  const maps = { databasesById: new Map(state.databasesById).set(database.id, database) };
  return database.deleted
    ? { ...state, ...maps, deletedDatabases: new Map(state.deletedDatabases).set(database.name, database) }
    : { ...state, ...maps, databases: new Map(state.databases).set(database.name, database) };
}

function withDeletedTable(state: CatalogState, database: DatabaseDefinition, table: TableDefinition): CatalogState {
  const next = withDatabase(state, { ...database, deletedTables: new Map(database.deletedTables).set(table.name, table) });
  return { ...next, tablesById: new Map(state.tablesById).set(table.id, table) };
}

/** 64-bit members as texts. */
export function encodeDeletionOp(op: DeletionOp): unknown {
  if (op.kind === "schedule-erase") return { ...op, hardDeleteAtNs: op.hardDeleteAtNs?.toString() };
  return op.kind === "mark-erased" ? { ...op, erasedAtNs: op.erasedAtNs.toString() } : op;
}

export function decodeDeletionOp(kind: DeletionOp["kind"], object: JsonObject): DeletionOp {
  const tableId = optionalWhole(object, "tableId");
  const target: Target = { databaseId: whole(object, "databaseId"), ...(tableId === undefined ? {} : { tableId }) };
  if (kind === "forget") return { kind, ...target };
  if (kind === "mark-erased") return { kind, ...target, erasedAtNs: requiredBigint(object, "erasedAtNs") };
  const hardDeleteAtNs = optionalBigint(object, "hardDeleteAtNs");
  return { kind, ...target, ...(hardDeleteAtNs === undefined ? {} : { hardDeleteAtNs }) };
}

export function encodeDeletion(deletion: Deletion | undefined): unknown {
  if (deletion === undefined) return undefined;
  return { deletedAtNs: deletion.deletedAtNs.toString(), hardDeleteAtNs: deletion.hardDeleteAtNs?.toString(), erasedAtNs: deletion.erasedAtNs?.toString() };
}

export function decodeDeletion(object: JsonObject): Deletion {
  const hardDeleteAtNs = optionalBigint(object, "hardDeleteAtNs");
  const erasedAtNs = optionalBigint(object, "erasedAtNs");
  return {
    deletedAtNs: requiredBigint(object, "deletedAtNs"),
    ...(hardDeleteAtNs === undefined ? {} : { hardDeleteAtNs }),
    ...(erasedAtNs === undefined ? {} : { erasedAtNs }),
  };
}

function requiredBigint(object: JsonObject, name: string): bigint {
  const value = optionalBigint(object, name);
  if (value === undefined) throw corruptCatalog(`'${name}' is missing`);
  return value;
}
