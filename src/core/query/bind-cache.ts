/** `last_cache('table'[, 'cache'])` and `distinct_cache(…)` in FROM (spec: query §2.5). */
import type { CacheKind } from "../catalog/cache-definitions.ts";
import type { ExpressionScope, Scan } from "./bind-context.ts";
import { planError } from "./sql-error.ts";
import type { Relation } from "./syntax.ts";

export const TABLE_FUNCTIONS: ReadonlyMap<string, CacheKind> = new Map([["last_cache", "last"], ["distinct_cache", "distinct"]]);

/** The scan of the cache that a call names. Throws with the reference's words. */
export function cacheScan(relation: Extract<Relation, { kind: "table-function" }>, at: ExpressionScope): Scan {
  const position = at.context.position(relation.at);
  const kind = TABLE_FUNCTIONS.get(relation.name);
  if (kind === undefined) {
    throw planError(`table function '${relation.name}' not found`, { position, hint: "only tables, subqueries, last_cache('table'), distinct_cache('table'), generate_series(…), range(…) and unnest(…) can be read" });
  }
  const [table, name] = relation.arguments.map((argument, index) => {
    const { constant } = at.bind(argument, at);
    if (constant?.kind === "string") return constant.text;
    const what = index === 0 ? "first argument must be the table name as a string" : "second argument, if passed, must be the cache name as a string";
    throw planError(what, { position: at.context.position(argument.at) });
  });
  if (table === undefined || relation.arguments.length > 2) throw planError("first argument must be the table name as a string", { position, hint: `write it as ${relation.name}('table') or ${relation.name}('table', 'cache')` });
  const found = at.context.options.tables.cache?.(kind, table, name) ?? "no cache";
  if (found === "no table") throw planError(kind === "last" ? "provided table name is invalid" : `provided table name (${table}) is invalid`, { position, hint: "SHOW TABLES lists the tables" });
  if (found === "no cache") {
    throw planError(kind === "last" ? "could not find cache for the given arguments" : "could not find distinct value cache for the given arguments", {
      position, hint: `SELECT * FROM system.${kind}_caches lists them; a table with several needs the cache's name as second argument`,
    });
  }
  return at.context.scan("cache", found.name, found.table);
}
