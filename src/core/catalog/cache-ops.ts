/** Catalog changes of caches, and their JSON. */
import { assert } from "../errors/assert.ts";
import type { CacheDefinition, CacheKind, TableCaches } from "./cache-definitions.ts";
import { asArray, asObject, corruptCatalog, type JsonObject, oneOf, text, whole } from "./json.ts";

export type CacheOp =
  | { readonly kind: "create-cache"; readonly tableId: number; readonly cache: CacheDefinition }
  | { readonly kind: "delete-cache"; readonly tableId: number; readonly cacheKind: CacheKind; readonly name: string };

interface CacheState {
  readonly caches: TableCaches;
  readonly lastCacheId: number;
}

export function applyCacheOp(state: CacheState, op: CacheOp): CacheState {
  const own = state.caches.get(op.tableId) ?? [];
  if (op.kind === "create-cache") {
    assert(!own.some(({ kind, name }) => kind === op.cache.kind && name === op.cache.name), "a created cache is new");
    return { caches: new Map(state.caches).set(op.tableId, [...own, op.cache]), lastCacheId: Math.max(state.lastCacheId, op.cache.id) };
  }
  const rest = own.filter(({ kind, name }) => kind !== op.cacheKind || name !== op.name);
  assert(rest.length + 1 === own.length, "a deleted cache exists");
  return { ...state, caches: rest.length === 0 ? withoutTables(state.caches, [op.tableId]) : new Map(state.caches).set(op.tableId, rest) };
}

/** A deleted table takes its caches with it. */
export function withoutTables(caches: TableCaches, tableIds: Iterable<number>): TableCaches {
  const next = new Map(caches);
  for (const id of tableIds) next.delete(id);
  return next;
}

export const encodeCaches = (caches: TableCaches): unknown => [...caches].map(([tableId, list]) => ({ tableId, list }));

export function decodeCaches(value: unknown): TableCaches {
  return new Map(asArray(value, "caches").map((entry) => {
    const object = asObject(entry, "caches of a table");
    return [whole(object, "tableId"), asArray(object["list"], "list").map(decodeCache)];
  }));
}

export function decodeCache(value: unknown): CacheDefinition {
  const object = asObject(value, "cache");
  const base = { id: whole(object, "id"), name: text(object, "name") };
  if (oneOf(object, "kind", ["last", "distinct"]) === "distinct") {
    return { kind: "distinct", ...base, columns: names(object, "columns"), cardinalityMax: whole(object, "cardinalityMax"), ageSecondsMax: whole(object, "ageSecondsMax") };
  }
  return {
    kind: "last", ...base, keyColumns: names(object, "keyColumns"), valueColumns: object["valueColumns"] === undefined ? undefined : names(object, "valueColumns"),
    count: whole(object, "count"), ttlSeconds: whole(object, "ttlSeconds"),
  };
}

function names(object: JsonObject, member: string): string[] {
  return asArray(object[member], member).map((name) => {
    if (typeof name !== "string") throw corruptCatalog(`'${member}' holds something else than texts`);
    return name;
  });
}
