/** The whole catalog state to and from a JSON value, for checkpoints. */
import { decodeCaches, encodeCaches } from "./cache-ops.ts";
import { decodeColumns, decodeTrigger, retention } from "./codec-ops.ts";
import type { DatabaseDefinition, Deletion, TableDefinition } from "./definitions.ts";
import { decodeDeletion, encodeDeletion } from "./deletion-ops.ts";
import { asArray, asObject, corruptCatalog, flag, type JsonObject, text, whole } from "./json.ts";
import { makeTable } from "./ops.ts";
import type { CatalogState } from "./state.ts";
import { decodeToken, encodeToken } from "./token-ops.ts";

export function encodeState(state: CatalogState): unknown {
  return {
    lastDatabaseId: state.lastDatabaseId,
    lastTableId: state.lastTableId,
    lastTriggerId: state.lastTriggerId,
    lastCacheId: state.lastCacheId,
    caches: encodeCaches(state.caches),
    lastTokenId: state.lastTokenId,
    tokens: [...state.tokens.values()].map(encodeToken),
    databases: [...state.databasesById.values()].map((database) => ({
      id: database.id,
      name: database.name,
      deleted: database.deleted,
      deletion: encodeDeletion(database.deletion),
      retentionNs: database.retentionNs?.toString(),
      triggers: [...database.triggers.values()],
      tables: [...database.tables.values(), ...database.deletedTables.values()].map(encodeTable),
    })),
  };
}

const encodeTable = ({ id, name, deleted, deletion, retentionNs, columns }: TableDefinition): unknown => ({
  id, name, deleted, deletion: encodeDeletion(deletion), retentionNs: retentionNs?.toString(), columns,
});

/** Throws `catalog.corrupt` when ids or names repeat or anything has the wrong shape. */
export function decodeState(value: unknown, sequence: number): CatalogState {
  const object = asObject(value, "state");
  const databases = asArray(object["databases"], "databases").map(decodeDatabase);
  const live = databases.filter((database) => !database.deleted);
  const deleted = databases.filter((database) => database.deleted);
  return {
    sequence,
    lastDatabaseId: whole(object, "lastDatabaseId"),
    lastTableId: whole(object, "lastTableId"),
    lastTriggerId: whole(object, "lastTriggerId"),
    lastCacheId: whole(object, "lastCacheId"),
    caches: decodeCaches(object["caches"]),
    lastTokenId: whole(object, "lastTokenId"),
    tokens: indexed(asArray(object["tokens"], "tokens").map(decodeToken), (token) => token.name),
    databases: indexed(live, (database) => database.name),
    deletedDatabases: indexed(deleted, (database) => database.name),
    databasesById: indexed(databases, (database) => database.id),
    tablesById: indexed(databases.flatMap((database) => [...database.tables.values(), ...database.deletedTables.values()]), (table) => table.id),
  };
}

function indexed<K, V>(values: readonly V[], key: (value: V) => K): ReadonlyMap<K, V> {
  const map = new Map(values.map((value) => [key(value), value]));
  if (map.size !== values.length) throw corruptCatalog("a name or id stands there twice");
  return map;
}

function decodeDatabase(value: unknown): DatabaseDefinition {
  const object = asObject(value, "database");
  const id = whole(object, "id");
  const tables = asArray(object["tables"], "tables").map((table) => decodeTable(asObject(table, "table"), id));
  return {
    id,
    name: text(object, "name"),
    ...deletedPart(object),
    ...retention(object),
    tables: indexed(tables.filter((table) => !table.deleted), (table) => table.name),
    deletedTables: indexed(tables.filter((table) => table.deleted), (table) => table.name),
    triggers: indexed(asArray(object["triggers"], "triggers").map(decodeTrigger), (trigger) => trigger.name),
  };
}

function decodeTable(object: JsonObject, databaseId: number): TableDefinition {
  return makeTable({ id: whole(object, "id"), databaseId, name: text(object, "name"), columns: decodeColumns(object), ...deletedPart(object), ...retention(object) });
}

function deletedPart(object: JsonObject): { readonly deleted: boolean; readonly deletion?: Deletion } {
  const deleted = flag(object, "deleted");
  return deleted ? { deleted, deletion: decodeDeletion(asObject(object["deletion"], "deletion")) } : { deleted };
}
