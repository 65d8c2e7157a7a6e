/** Catalog changes as values, and how each makes the next state. A log record is a list of them. */
import { assert } from "../errors/assert.ts";
import { applyCacheOp, type CacheOp, withoutTables } from "./cache-ops.ts";
import type { ColumnDefinition, DatabaseDefinition, Deletion, TableDefinition, TriggerDefinition } from "./definitions.ts";
import { applyDeletionOp, type DeletionOp } from "./deletion-ops.ts";
import type { CatalogState } from "./state.ts";
import { applyTokenOp, type TokenOp } from "./token-ops.ts";

export type CatalogOp =
  | { readonly kind: "create-database"; readonly id: number; readonly name: string; readonly retentionNs?: bigint }
  | ({ readonly kind: "delete-database"; readonly id: number; readonly newName: string } & Deletion)
  | { readonly kind: "set-retention"; readonly id: number; readonly retentionNs?: bigint }
  | { readonly kind: "create-table"; readonly databaseId: number; readonly id: number; readonly name: string; readonly columns: readonly ColumnDefinition[]; readonly retentionNs?: bigint }
  | { readonly kind: "set-table-retention"; readonly tableId: number; readonly retentionNs?: bigint }
  | { readonly kind: "add-columns"; readonly tableId: number; readonly columns: readonly ColumnDefinition[] }
  | ({ readonly kind: "delete-table"; readonly tableId: number; readonly newName: string } & Deletion)
  | DeletionOp
  | { readonly kind: "create-trigger"; readonly databaseId: number; readonly trigger: TriggerDefinition }
  | { readonly kind: "delete-trigger"; readonly databaseId: number; readonly name: string }
  | { readonly kind: "set-trigger-disabled"; readonly databaseId: number; readonly name: string; readonly disabled: boolean }
  | CacheOp
  /** The trigger of this name as it is from now on. */
  | { readonly kind: "update-trigger"; readonly databaseId: number; readonly trigger: TriggerDefinition }
  | TokenOp;

/** The state after one log record. */
export function applyRecord(state: CatalogState, sequence: number, ops: readonly CatalogOp[]): CatalogState {
  assert(sequence === state.sequence + 1, "catalog records apply in order");
  return { ...ops.reduce(applyOp, state), sequence };
}

/** The state after one op. Throws `internal.invariant` when the op does not fit the state. */
export function applyOp(state: CatalogState, op: CatalogOp): CatalogState {
  switch (op.kind) {
    case "create-database":
      return createDatabase(state, op);
    case "delete-database":
      return deleteDatabase(state, op);
    case "set-retention": {
      const { retentionNs: _, ...rest } = databaseOf(state, op.id);
      return withDatabase(state, op.retentionNs === undefined ? rest : { ...rest, retentionNs: op.retentionNs });
    }
    case "create-table":
      return createTable(state, op);
    case "set-table-retention": {
      const { retentionNs: _, ...rest } = tableOf(state, op.tableId);
      return withTable(state, databaseOf(state, rest.databaseId), op.retentionNs === undefined ? rest : { ...rest, retentionNs: op.retentionNs });
    }
    case "add-columns":
      return addColumns(state, op);
    case "delete-table":
      return deleteTable(state, op);
    case "schedule-erase":
    case "mark-erased":
    case "forget":
      return applyDeletionOp(state, op);
    case "create-trigger": {
      const database = databaseOf(state, op.databaseId);
      assert(!database.triggers.has(op.trigger.name), "a created trigger is new");
      const next = withDatabase(state, { ...database, triggers: withEntry(database.triggers, op.trigger.name, op.trigger) });
      return { ...next, lastTriggerId: Math.max(next.lastTriggerId, op.trigger.id) };
    }
    case "delete-trigger": {
      const database = databaseOf(state, op.databaseId);
      return withDatabase(state, { ...database, triggers: withoutEntry(database.triggers, op.name) });
    }
    case "create-token":
    case "replace-token":
    case "delete-token":
      return applyTokenOp(state, op);
    case "create-cache":
    case "delete-cache":
      tableOf(state, op.tableId);
      return { ...state, ...applyCacheOp(state, op) };
    case "set-trigger-disabled":
      return changeTrigger(state, op, { disabled: op.disabled });
    case "update-trigger":
      return changeTrigger(state, { databaseId: op.databaseId, name: op.trigger.name }, op.trigger);
  }
}

function changeTrigger(state: CatalogState, op: { readonly databaseId: number; readonly name: string }, change: Partial<TriggerDefinition>): CatalogState {
  const database = databaseOf(state, op.databaseId);
  const trigger = database.triggers.get(op.name);
  assert(trigger !== undefined, "a changed trigger exists");
  return withDatabase(state, { ...database, triggers: withEntry(database.triggers, op.name, { ...trigger, ...change }) });
}

function createDatabase(state: CatalogState, op: CatalogOp & { kind: "create-database" }): CatalogState {
  assert(!state.databases.has(op.name) && !state.databasesById.has(op.id), "a created database is new");
  const database: DatabaseDefinition = {
    id: op.id,
    name: op.name,
    deleted: false,
    ...(op.retentionNs === undefined ? {} : { retentionNs: op.retentionNs }),
    tables: new Map(),
    deletedTables: new Map(),
    triggers: new Map(),
  };
  return { ...withDatabase(state, database), lastDatabaseId: Math.max(state.lastDatabaseId, op.id) };
}

function deleteDatabase(state: CatalogState, op: CatalogOp & { kind: "delete-database" }): CatalogState {
  const old = databaseOf(state, op.id);
  const database: DatabaseDefinition = { ...old, name: op.newName, deleted: true, deletion: deletionOf(op) };
  return {
    ...state,
    caches: withoutTables(state.caches, [...old.tables.values()].map((table) => table.id)),
    databases: withoutEntry(state.databases, old.name),
    deletedDatabases: withEntry(state.deletedDatabases, database.name, database),
    databasesById: withEntry(state.databasesById, database.id, database),
  };
}

function createTable(state: CatalogState, op: CatalogOp & { kind: "create-table" }): CatalogState {
  const database = databaseOf(state, op.databaseId);
  assert(!database.tables.has(op.name) && !state.tablesById.has(op.id), "a created table is new");
  const table = makeTable({ id: op.id, databaseId: op.databaseId, name: op.name, columns: op.columns, deleted: false, ...retentionOf(op) });
  return { ...withTable(state, database, table), lastTableId: Math.max(state.lastTableId, op.id) };
}

function addColumns(state: CatalogState, op: CatalogOp & { kind: "add-columns" }): CatalogState {
  const old = tableOf(state, op.tableId);
  for (const column of op.columns) assert(!old.columnsByName.has(column.name), "an added column is new");
  const table = makeTable({ ...old, columns: [...old.columns, ...op.columns] });
  return withTable(state, databaseOf(state, old.databaseId), table);
}

function deleteTable(state: CatalogState, op: CatalogOp & { kind: "delete-table" }): CatalogState {
  const old = tableOf(state, op.tableId);
  const database = databaseOf(state, old.databaseId);
  const table: TableDefinition = { ...old, name: op.newName, deleted: true, deletion: deletionOf(op) };
  const next: DatabaseDefinition = {
    ...database,
    tables: withoutEntry(database.tables, old.name),
    deletedTables: withEntry(database.deletedTables, table.name, table),
  };
  return { ...withDatabase(state, next), tablesById: withEntry(state.tablesById, table.id, table), caches: withoutTables(state.caches, [table.id]) };
}

const deletionOf = ({ deletedAtNs, hardDeleteAtNs }: Deletion): Deletion => ({ deletedAtNs, ...(hardDeleteAtNs === undefined ? {} : { hardDeleteAtNs }) });

const retentionOf = ({ retentionNs }: { readonly retentionNs?: bigint }): { readonly retentionNs?: bigint } => (retentionNs === undefined ? {} : { retentionNs });

/** A table with its derived parts. */
export function makeTable(parts: Omit<TableDefinition, "columnsByName" | "seriesKey">): TableDefinition {
  return {
    id: parts.id,
    databaseId: parts.databaseId,
    name: parts.name,
    columns: parts.columns,
    columnsByName: new Map(parts.columns.map((column) => [column.name, column])),
    seriesKey: parts.columns.filter((column) => column.type === "tag").map((column) => column.name),
    deleted: parts.deleted,
    ...(parts.deletion === undefined ? {} : { deletion: parts.deletion }),
    ...retentionOf(parts),
  };
}

function databaseOf(state: CatalogState, id: number): DatabaseDefinition {
  const database = state.databasesById.get(id);
  assert(database !== undefined && !database.deleted, "a changed database exists");
  return database;
}

function tableOf(state: CatalogState, id: number): TableDefinition {
  const table = state.tablesById.get(id);
  assert(table !== undefined && !table.deleted, "a changed table exists");
  return table;
}

function withDatabase(state: CatalogState, database: DatabaseDefinition): CatalogState {
  return { ...state, databases: withEntry(state.databases, database.name, database), databasesById: withEntry(state.databasesById, database.id, database) };
}

function withTable(state: CatalogState, database: DatabaseDefinition, table: TableDefinition): CatalogState {
  const next = withDatabase(state, { ...database, tables: withEntry(database.tables, table.name, table) });
  return { ...next, tablesById: withEntry(state.tablesById, table.id, table) };
}

function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

function withoutEntry<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  const next = new Map(map);
  assert(next.delete(key), "a removed entry exists");
  return next;
}
