/** Catalog ops, columns and triggers to and from JSON values. */
import { ARROW_TYPE, type ColumnType } from "../columns/column-type.ts";
import { decodeCache } from "./cache-ops.ts";
import { messageOf } from "../errors/database-error.ts";
import { type OwnGrants, parseGrants } from "../trigger/grants.ts";
import { type OwnLimits, parseLimits } from "../trigger/limits.ts";
import { asArray, asObject, corruptCatalog, flag, type JsonObject, oneOf, optionalBigint, text, whole } from "./json.ts";
import { decodeDeletion, decodeDeletionOp, encodeDeletion, encodeDeletionOp } from "./deletion-ops.ts";
import type { CatalogOp } from "./ops.ts";
import { decodeTokenOp, encodeTokenOp } from "./token-ops.ts";
import type { ColumnDefinition, TriggerDefinition } from "./definitions.ts";

const COLUMN_TYPES = Object.keys(ARROW_TYPE) as ColumnType[];

export function encodeOp(op: CatalogOp): unknown {
  switch (op.kind) {
    case "create-database":
    case "set-retention":
    case "create-table":
    case "set-table-retention":
      return { ...op, retentionNs: op.retentionNs?.toString() };
    case "delete-database":
    case "delete-table":
      return { ...op, ...(encodeDeletion(op) as object) };
    case "schedule-erase":
    case "mark-erased":
    case "forget":
      return encodeDeletionOp(op);
    case "create-token":
    case "replace-token":
    case "delete-token":
      return encodeTokenOp(op);
    default:
      return op;
  }
}

export const retention = (object: JsonObject): { retentionNs?: bigint } => {
  const retentionNs = optionalBigint(object, "retentionNs");
  return retentionNs === undefined ? {} : { retentionNs };
};

export function decodeOp(value: unknown): CatalogOp {
  const object = asObject(value, "op");
  const kind = text(object, "kind") as CatalogOp["kind"];
  switch (kind) {
    case "create-database":
      return { kind, id: whole(object, "id"), name: text(object, "name"), ...retention(object) };
    case "delete-database":
      return { kind, id: whole(object, "id"), newName: text(object, "newName"), ...decodeDeletion(object) };
    case "set-retention":
      return { kind, id: whole(object, "id"), ...retention(object) };
    case "create-table":
      return { kind, databaseId: whole(object, "databaseId"), id: whole(object, "id"), name: text(object, "name"), columns: decodeColumns(object), ...retention(object) };
    case "set-table-retention":
      return { kind, tableId: whole(object, "tableId"), ...retention(object) };
    case "add-columns":
      return { kind, tableId: whole(object, "tableId"), columns: decodeColumns(object) };
    case "delete-table":
      return { kind, tableId: whole(object, "tableId"), newName: text(object, "newName"), ...decodeDeletion(object) };
    case "schedule-erase":
    case "mark-erased":
    case "forget":
      return decodeDeletionOp(kind, object);
    case "create-trigger":
      return { kind, databaseId: whole(object, "databaseId"), trigger: decodeTrigger(object["trigger"]) };
    case "delete-trigger":
      return { kind, databaseId: whole(object, "databaseId"), name: text(object, "name") };
    case "set-trigger-disabled":
      return { kind, databaseId: whole(object, "databaseId"), name: text(object, "name"), disabled: flag(object, "disabled") };
    case "create-cache":
      return { kind, tableId: whole(object, "tableId"), cache: decodeCache(object["cache"]) };
    case "delete-cache":
      return { kind, tableId: whole(object, "tableId"), cacheKind: oneOf(object, "cacheKind", ["last", "distinct"]), name: text(object, "name") };
    case "update-trigger":
      return { kind, databaseId: whole(object, "databaseId"), trigger: decodeTrigger(object["trigger"]) };
    case "create-token":
    case "replace-token":
    case "delete-token":
      return decodeTokenOp(kind, object);
    default:
      throw corruptCatalog(`it holds an unknown change '${String(kind)}'`);
  }
}

export function decodeColumns(object: JsonObject): ColumnDefinition[] {
  return asArray(object["columns"], "columns").map((value) => {
    const column = asObject(value, "column");
    return { id: whole(column, "id"), name: text(column, "name"), type: oneOf(column, "type", COLUMN_TYPES) };
  });
}

export function decodeTrigger(value: unknown): TriggerDefinition {
  const object = asObject(value, "trigger");
  return {
    id: whole(object, "id"),
    name: text(object, "name"),
    pluginFileName: text(object, "pluginFileName"),
    specification: text(object, "specification"),
    arguments: object["arguments"] === undefined ? undefined : asArray(object["arguments"], "arguments").map(decodePair),
    runAsync: flag(object, "runAsync"),
    errorBehavior: oneOf(object, "errorBehavior", ["log", "retry", "disable"]),
    disabled: flag(object, "disabled"),
    ...(object["limits"] === undefined ? {} : { limits: decodeLimits(object) }),
    ...(object["grants"] === undefined ? {} : { grants: decodeGrants(object) }),
    ...(object["durable"] === undefined ? {} : { durable: flag(object, "durable") }),
  };
}

function decodeLimits(object: JsonObject): OwnLimits {
  return checked(() => parseLimits(Object.entries(asObject(object["limits"], "limits")).map(([name, value]) => [name, typeof value === "number" ? value : Number.NaN])));
}

function decodeGrants(object: JsonObject): OwnGrants {
  const values = Object.entries(asObject(object["grants"], "grants")).map(([name, value]): [string, number | string[]] => [
    name,
    typeof value === "number" ? value : asArray(value, "grant").map(String),
  ]);
  return checked(() => parseGrants(values));
}

function checked<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw corruptCatalog(messageOf(error), error);
  }
}

function decodePair(value: unknown): readonly [string, string] {
  const pair = asArray(value, "argument");
  const [name, argument] = pair;
  if (pair.length !== 2 || typeof name !== "string" || typeof argument !== "string") throw corruptCatalog("an argument is not a pair of texts");
  return [name, argument];
}
