/** Last value caches and distinct value caches (spec: http-api §11). */
import * as v from "valibot";
import { decodeJsonRequest, decodeParameters } from "../decode.ts";
import { EMPTY_OK, jsonReply, type Reply } from "../reply.ts";
import type { Route, RouteContext, RouteDoc } from "../route.ts";

const PATHS = { last: "/api/v3/configure/last_cache", distinct: "/api/v3/configure/distinct_cache" } as const;
const CREATED = 201;

const maybe = <Output>(schema: v.GenericSchema<unknown, Output>): v.GenericSchema<unknown, Output | undefined> =>
  v.pipe(v.optional(v.nullable(schema)), v.transform((value) => value ?? undefined));

const CREATE_LAST = v.object({
  db: v.string(), table: v.string(), name: maybe(v.string()), key_columns: maybe(v.array(v.string())), value_columns: maybe(v.array(v.string())),
  count: maybe(v.number()), ttl: maybe(v.number()),
});

async function createLast(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const { db, table, name, key_columns: keyColumns, value_columns: valueColumns, count, ttl } = await decodeJsonRequest(CREATE_LAST, request, options);
  return jsonReply(await services.caches.createLast({ database: db, table, name, keyColumns, valueColumns, count, ttlSeconds: ttl }), CREATED);
}

const CREATE_DISTINCT = v.object({
  db: v.string(), table: v.string(), name: maybe(v.string()), columns: v.array(v.string()), max_cardinality: maybe(v.number()), max_age: maybe(v.number()),
});

async function createDistinct(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const { db, table, name, columns, max_cardinality: cardinalityMax, max_age: ageSecondsMax } = await decodeJsonRequest(CREATE_DISTINCT, request, options);
  return jsonReply(await services.caches.createDistinct({ database: db, table, name, columns, cardinalityMax, ageSecondsMax }), CREATED);
}

const DELETE = v.object({ db: v.string(), table: v.string(), name: v.string() });

const deleteCache = (kind: "last" | "distinct") => async (request: Request, { services, options }: RouteContext): Promise<Reply> => {
  const { db, table, name } = await decodeParameters({ query: DELETE, json: DELETE }, request, options);
  await services.caches.delete(kind, { database: db, table, name });
  return EMPTY_OK;
};

const described = { status: CREATED, types: ["application/json"], schema: v.looseObject({ name: v.string() }) } as const;
const creates = (summary: string, json: NonNullable<RouteDoc["json"]>): RouteDoc => ({ tag: "Caches", summary, json, success: described, failures: [404, 409, 415, 422] });
const deletes = (summary: string): RouteDoc => ({ tag: "Caches", summary, query: DELETE, json: DELETE, eitherPlace: true, success: { status: 200 }, failures: [404, 415] });

export const CACHE_ROUTES: readonly Route[] = [
  { method: "POST", path: PATHS.last, handle: createLast, doc: creates("Create a last value cache", CREATE_LAST) },
  { method: "DELETE", path: PATHS.last, handle: deleteCache("last"), doc: deletes("Delete a last value cache") },
  { method: "POST", path: PATHS.distinct, handle: createDistinct, doc: creates("Create a distinct value cache", CREATE_DISTINCT) },
  { method: "DELETE", path: PATHS.distinct, handle: deleteCache("distinct"), doc: deletes("Delete a distinct value cache") },
];
