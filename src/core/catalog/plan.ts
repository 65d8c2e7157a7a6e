/**
 * Plans of catalog changes: each checks a request against a state and gives the ops that do it, or throws with the
 * reference's text. Nothing here changes anything.
 */
import type { ColumnType } from "../columns/column-type.ts";
import { DatabaseError } from "../errors/database-error.ts";
import type { ColumnDefinition, DatabaseDefinition, TriggerChange, TriggerDefinition } from "./definitions.ts";
import type { CatalogLimits } from "./limits.ts";
import { checkCatalogDatabaseName } from "./names.ts";
import type { CatalogOp } from "./ops.ts";
import { type CatalogState, INTERNAL_DATABASE, liveDatabaseCount, liveTableCount } from "./state.ts";

export interface TableRequest {
  readonly table: string;
  readonly tags: readonly string[];
  readonly fields: readonly { readonly name: string; readonly type: Exclude<ColumnType, "tag" | "time"> }[];
  readonly retentionNs?: bigint;
}

const exists = (): DatabaseError =>
  new DatabaseError("resource.exists", { message: "attempted to create a resource that already exists", hint: "choose another name, or delete the other one first" });

export const missingResource = (name: string): DatabaseError =>
  new DatabaseError("resource.not_found", { message: `the requested resource was not found: ${name}`, hint: "check the name: capitals and small letters differ" });

export const databaseLimitText = (limit: number): string => `Adding a new database would exceed limit of ${limit} databases`;
export const tableLimitText = (count: number, limit: number): string =>
  `Update to schema would exceed number of tables limit: attempted to create table but already have ${count} table(s) (limit: ${limit})`;
export const columnLimitText = (limit: number): string => `Update to schema would exceed number of columns per table limit of ${limit} columns`;
export const tagLimitText = (limit: number): string => `Update to schema would exceed number of tag columns per table limit of ${limit} columns`;
const COLUMNS_HINT = "names that come from data belong into a tag; or start the server with a larger --num-total-columns-per-table-limit";
export const reservedText = (name: string): string => `'${name}' is a reserved column`;

/** Columns that no table may be given. */
export const RESERVED_COLUMNS: ReadonlySet<string> = new Set(["time", "__chunk_order"]);

function refuseInternal(name: string): void {
  if (name === INTERNAL_DATABASE) throw new DatabaseError("database.internal", { message: "cannot modify internal db", hint: "_internal belongs to the server: it can only be queried" });
}

/** The op that makes a database, or throws `database.limit`. The name is not checked. */
export function planNewDatabase(state: CatalogState, limits: CatalogLimits, name: string): CatalogOp & { kind: "create-database" } {
  if (liveDatabaseCount(state) >= limits.databasesMax) {
    throw new DatabaseError("database.limit", { message: databaseLimitText(limits.databasesMax), hint: "delete a database, or start the server with a larger --num-database-limit" });
  }
  return { kind: "create-database", id: state.lastDatabaseId + 1, name };
}

export function planCreateDatabase(state: CatalogState, limits: CatalogLimits, name: string, retentionNs?: bigint): CatalogOp[] {
  checkCatalogDatabaseName(name);
  refuseInternal(name);
  if (state.databases.has(name)) throw exists();
  return [{ ...planNewDatabase(state, limits, name), ...(retentionNs === undefined ? {} : { retentionNs }) }];
}

/** A database that may be changed. `absent` makes the error when there is none. */
export function changeableDatabase(state: CatalogState, name: string, absent: (name: string) => DatabaseError = missingResource): DatabaseDefinition {
  refuseInternal(name);
  const database = state.databases.get(name);
  if (database !== undefined) return database;
  if (state.deletedDatabases.has(name)) {
    throw new DatabaseError("resource.deleted", { message: `attempted to modify resource that was already deleted: ${name}` });
  }
  throw absent(name);
}

export function planSetRetention(state: CatalogState, name: string, retentionNs: bigint | undefined): CatalogOp[] {
  const { id } = changeableDatabase(state, name);
  return [{ kind: "set-retention", id, ...(retentionNs === undefined ? {} : { retentionNs }) }];
}

/** The database is made when it is absent (spec: http-api §10). */
export function planCreateTable(state: CatalogState, limits: CatalogLimits, databaseName: string, request: TableRequest): CatalogOp[] {
  const ops: CatalogOp[] = [];
  refuseInternal(databaseName);
  let database = state.databases.get(databaseName);
  if (database === undefined) {
    if (state.deletedDatabases.has(databaseName)) changeableDatabase(state, databaseName);
    const op = planNewDatabase(state, limits, databaseName);
    checkCatalogDatabaseName(databaseName);
    ops.push(op);
    database = { id: op.id, name: databaseName, deleted: false, tables: new Map(), deletedTables: new Map(), triggers: new Map() };
  }
  if (request.table === "") throw new DatabaseError("request.invalid", { message: "table name cannot be empty" });
  if (database.tables.has(request.table)) throw exists();
  const count = liveTableCount(state);
  if (count >= limits.tablesMax) throw new DatabaseError("table.limit", { message: tableLimitText(count, limits.tablesMax), hint: "delete a table, or start the server with a larger --num-table-limit" });
  const { retentionNs } = request;
  ops.push({
    kind: "create-table", databaseId: database.id, id: state.lastTableId + 1, name: request.table, columns: newColumns(request, limits), ...(retentionNs === undefined ? {} : { retentionNs }),
  });
  return ops;
}

function newColumns(request: TableRequest, limits: CatalogLimits): ColumnDefinition[] {
  const parts: [string, ColumnType][] = [...request.tags.map((name): [string, ColumnType] => [name, "tag"]), ...request.fields.map((field): [string, ColumnType] => [field.name, field.type])];
  const names = new Set<string>();
  for (const [name] of parts) {
    if (RESERVED_COLUMNS.has(name)) throw new DatabaseError("column.reserved", { message: reservedText(name), hint: "the server keeps this name for itself: choose another one" });
    if (name === "") throw new DatabaseError("request.invalid", { message: "column name cannot be empty" });
    if (names.has(name)) throw new DatabaseError("request.invalid", { message: `column '${name}' is given twice` });
    names.add(name);
  }
  if (parts.length > limits.columnsPerTableMax) throw new DatabaseError("column.limit", { message: columnLimitText(limits.columnsPerTableMax), hint: COLUMNS_HINT });
  if (request.tags.length > limits.tagColumnsPerTableMax) throw new DatabaseError("column.limit", { message: tagLimitText(limits.tagColumnsPerTableMax), hint: "turn tags that nobody filters or groups by into fields" });
  return [...parts, ["time", "time"] as [string, ColumnType]].map(([name, type], id) => ({ id, name, type }));
}

/** Undefined: as the database says. */
export function planSetTableRetention(state: CatalogState, databaseName: string, tableName: string, retentionNs: bigint | undefined): CatalogOp[] {
  const table = changeableDatabase(state, databaseName).tables.get(tableName);
  if (table === undefined) throw missingResource(tableName);
  return [{ kind: "set-table-retention", tableId: table.id, ...(retentionNs === undefined ? {} : { retentionNs }) }];
}

const databaseNotFound = (name: string): DatabaseError => new DatabaseError("database.not_found", { message: `Database not found ${name}`, hint: "'influxdb3 show databases' lists them; 'influxdb3 create database' or a write makes one" });

export function planCreateTrigger(state: CatalogState, limits: CatalogLimits, databaseName: string, trigger: Omit<TriggerDefinition, "id">): CatalogOp[] {
  const database = changeableDatabase(state, databaseName, databaseNotFound);
  if (database.triggers.has(trigger.name)) throw exists();
  if (database.triggers.size >= limits.triggersPerDatabaseMax) {
    throw new DatabaseError("trigger.limit", { message: `Adding a trigger would exceed limit of ${limits.triggersPerDatabaseMax} triggers per database`, hint: "delete triggers that nobody needs, or use another database" });
  }
  return [{ kind: "create-trigger", databaseId: database.id, trigger: { ...trigger, id: state.lastTriggerId + 1 } }];
}

/** An enabled trigger goes only with `force` (spec: processing-engine §4). */
export function planDeleteTrigger(state: CatalogState, databaseName: string, name: string, force: boolean): CatalogOp[] {
  const database = changeableDatabase(state, databaseName, databaseNotFound);
  const trigger = database.triggers.get(name);
  if (trigger === undefined) throw missingResource(name);
  if (!trigger.disabled && !force) {
    throw new DatabaseError("trigger.running", { message: `Cannot delete running plugin ${name}. Disable it first or use --force.` });
  }
  return [{ kind: "delete-trigger", databaseId: database.id, name }];
}

/** Members that are given replace those of the trigger. */
export function planUpdateTrigger(state: CatalogState, databaseName: string, name: string, change: TriggerChange): CatalogOp[] {
  const database = changeableDatabase(state, databaseName, databaseNotFound);
  const trigger = database.triggers.get(name);
  if (trigger === undefined) throw missingResource(name);
  return [{ kind: "update-trigger", databaseId: database.id, trigger: { ...trigger, ...change } }];
}

/** No ops when the trigger is in that state already. */
export function planSetTriggerDisabled(state: CatalogState, databaseName: string, name: string, disabled: boolean): CatalogOp[] {
  const database = changeableDatabase(state, databaseName, databaseNotFound);
  const trigger = database.triggers.get(name);
  if (trigger === undefined) throw missingResource(name);
  return trigger.disabled === disabled ? [] : [{ kind: "set-trigger-disabled", databaseId: database.id, name, disabled }];
}
