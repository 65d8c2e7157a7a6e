/** Plans of deletion: when the data of a deleted table or database goes for good, and what is due now. */
import { DatabaseError } from "../errors/database-error.ts";
import type { DatabaseDefinition, Deletion, TableDefinition } from "./definitions.ts";
import type { DeletionOp } from "./deletion-ops.ts";
import { deletedName } from "./names.ts";
import type { CatalogOp } from "./ops.ts";
import { changeableDatabase, missingResource } from "./plan.ts";
import type { CatalogState } from "./state.ts";

/** When data goes for good; undefined: never. `isExplicit`: the caller named a time, so that of an earlier deletion may change. */
export interface EraseTime {
  readonly atNs: bigint | undefined;
  readonly isExplicit: boolean;
}

const deletionMembers = (nowNs: bigint, { atNs }: EraseTime): Deletion => ({ deletedAtNs: nowNs, ...(atNs === undefined ? {} : { hardDeleteAtNs: atNs }) });

/** A database that is deleted already gets another time, when one is named. */
export function planDeleteDatabase(state: CatalogState, name: string, nowNs: bigint, when: EraseTime): CatalogOp[] {
  const deleted = state.databases.has(name) ? undefined : state.deletedDatabases.get(name);
  if (deleted !== undefined && when.isExplicit) return reschedule({ databaseId: deleted.id }, deleted, name, when);
  const { id } = changeableDatabase(state, name);
  const newName = deletedName(name, nowNs, (other) => state.deletedDatabases.has(other) || state.databases.has(other));
  return [{ kind: "delete-database", id, newName, ...deletionMembers(nowNs, when) }];
}

export function planDeleteTable(state: CatalogState, databaseName: string, tableName: string, nowNs: bigint, when: EraseTime): CatalogOp[] {
  const database = changeableDatabase(state, databaseName);
  const deleted = database.tables.has(tableName) ? undefined : database.deletedTables.get(tableName);
  if (deleted !== undefined && when.isExplicit) return reschedule({ databaseId: database.id, tableId: deleted.id }, deleted, tableName, when);
  const table = database.tables.get(tableName);
  if (table === undefined) throw deleted === undefined ? missingResource(tableName) : alreadyDeleted(tableName);
  const newName = deletedName(tableName, nowNs, (other) => database.deletedTables.has(other) || database.tables.has(other));
  return [{ kind: "delete-table", tableId: table.id, newName, ...deletionMembers(nowNs, when) }];
}

function reschedule(target: { readonly databaseId: number; readonly tableId?: number }, { deletion }: { readonly deletion?: Deletion }, name: string, { atNs }: EraseTime): CatalogOp[] {
  if (deletion?.erasedAtNs !== undefined || deletion?.hardDeleteAtNs === atNs) throw alreadyDeleted(name);
  return [{ kind: "schedule-erase", ...target, ...(atNs === undefined ? {} : { hardDeleteAtNs: atNs }) }];
}

const alreadyDeleted = (name: string): DatabaseError =>
  new DatabaseError("resource.deleted", { message: `attempted to modify resource that was already deleted: ${name}` });

/** Data to erase: a whole database, or one table of a database that stays. */
export interface Erasure {
  readonly databaseId: number;
  readonly tableId?: number;
  readonly name: string;
  readonly tableIds: readonly number[];
}

const isDue = ({ deletion }: { readonly deletion?: Deletion }, nowNs: bigint): boolean =>
  deletion !== undefined && deletion.erasedAtNs === undefined && deletion.hardDeleteAtNs !== undefined && deletion.hardDeleteAtNs <= nowNs;

const allTables = (database: DatabaseDefinition): readonly TableDefinition[] => [...database.tables.values(), ...database.deletedTables.values()];

export function dueErasures(state: CatalogState, nowNs: bigint): readonly Erasure[] {
  const due: Erasure[] = [];
  for (const database of state.databasesById.values()) {
    if (isDue(database, nowNs)) due.push({ databaseId: database.id, name: database.name, tableIds: allTables(database).map(({ id }) => id) });
    else {
      for (const table of database.deletedTables.values()) {
        if (isDue(table, nowNs)) due.push({ databaseId: database.id, tableId: table.id, name: table.name, tableIds: [table.id] });
      }
    }
  }
  return due;
}

/** The ops that forget what was erased `graceNs` ago. */
export function planForget(state: CatalogState, nowNs: bigint, graceNs: bigint): DeletionOp[] {
  const isOver = ({ deletion }: { readonly deletion?: Deletion }): boolean => deletion?.erasedAtNs !== undefined && deletion.erasedAtNs + graceNs <= nowNs;
  const ops: DeletionOp[] = [];
  for (const database of state.databasesById.values()) {
    if (isOver(database)) ops.push({ kind: "forget", databaseId: database.id });
    else for (const table of database.deletedTables.values()) if (isOver(table)) ops.push({ kind: "forget", databaseId: database.id, tableId: table.id });
  }
  return ops;
}
