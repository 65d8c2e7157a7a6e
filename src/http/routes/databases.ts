/** Databases and tables (spec: http-api §10). */
import * as v from "valibot";
import { parseRetentionPeriod } from "../../core/config/retention-period.ts";
import type { QueryStream, ResultBatch } from "../../core/query/query-stream.ts";
import { arrowName, BOOLEAN, UTF8, type SqlType } from "../../core/query/types.ts";
import { booleanWord, decodeJsonRequest, decodeParameters, decodeQuery, invalid } from "../decode.ts";
import { EMPTY_OK, NO_CONTENT, type Reply } from "../reply.ts";
import { renderReply } from "../render-query.ts";
import { formatWord } from "../result-format.ts";
import type { Route, RouteContext, RouteDoc } from "../route.ts";
import type { FieldType, HardDeleteTime } from "../services.ts";

const LIST = v.object({ format: formatWord, show_deleted: v.optional(booleanWord, "false") });

function listDatabases(request: Request, { services }: RouteContext): Promise<Reply> {
  const { format, show_deleted: showDeleted } = decodeQuery(LIST, new URL(request.url).searchParams);
  const databases = [...services.catalog.state.databasesById.values()]
    .filter(({ deleted }) => showDeleted || !deleted)
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  const names: ListColumn = { name: "iox::database", type: UTF8, values: databases.map(({ name }) => name) };
  const deleted: ListColumn = { name: "deleted", type: BOOLEAN, values: databases.map((database) => database.deleted) };
  return renderReply(streamOf(showDeleted ? [names, deleted] : [names]), format);
}

interface ListColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly values: readonly (string | boolean)[];
}

/** Rows that are at hand, as a query's answer. */
function streamOf(columns: readonly ListColumn[]): QueryStream {
  const batch: ResultBatch = { rowCount: columns[0]?.values.length ?? 0, columns: columns.map(({ values }) => values) };
  return {
    columns: columns.map(({ name, type }) => ({ name, type: arrowName(type), sqlType: type })),
    batches: (async function* () {
      yield batch;
    })(),
    close: () => Promise.resolve(),
  };
}

const CREATE_DATABASE = v.object({ db: v.string(), retention_period: v.optional(v.nullable(v.string())) });

async function createDatabase(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const { db, retention_period: period } = await decodeJsonRequest(CREATE_DATABASE, request, options);
  const retentionNs = period === undefined || period === null ? undefined : retentionOf(period);
  await services.catalog.createDatabase(db, retentionNs === undefined ? {} : { retentionNs });
  return EMPTY_OK;
}

function retentionOf(text: string): bigint | undefined {
  const period = parseRetentionPeriod(text);
  if (period === undefined) throw invalid(`Cannot parse the given human time: ${text}`, "write a number and a unit, as in 30d or 12h, or none");
  return period === "none" ? undefined : period;
}

const UPDATE_DATABASE = v.object({ db: v.string(), retention_period: v.nullable(v.string()) });

/** `null` clears the period. */
async function updateDatabase(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const { db, retention_period: period } = await decodeJsonRequest(UPDATE_DATABASE, request, options);
  await services.catalog.setRetention(db, period === null ? undefined : retentionOf(period));
  return EMPTY_OK;
}

const SET_RETENTION = v.object({ db: v.string(), duration: v.string() });
const CLEAR_RETENTION = v.object({ db: v.string() });

async function setRetention(request: Request, { services }: RouteContext): Promise<Reply> {
  const { db, duration } = decodeQuery(SET_RETENTION, new URL(request.url).searchParams);
  await services.catalog.setRetention(db, retentionOf(duration));
  return NO_CONTENT;
}

async function clearRetention(request: Request, { services }: RouteContext): Promise<Reply> {
  const { db } = decodeQuery(CLEAR_RETENTION, new URL(request.url).searchParams);
  await services.catalog.setRetention(db, undefined);
  return NO_CONTENT;
}

const DELETE_DATABASE = v.object({ db: v.string(), hard_delete_at: v.optional(v.string(), "default") });
const DELETE_TABLE = v.object({ db: v.string(), table: v.string(), hard_delete_at: v.optional(v.string(), "default") });

async function deleteDatabase(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const schemas = { query: DELETE_DATABASE, json: DELETE_DATABASE };
  const { db, hard_delete_at: hardDeleteAt } = await decodeParameters(schemas, request, options);
  await services.catalog.deleteDatabase(db, parseHardDelete(hardDeleteAt));
  return EMPTY_OK;
}

async function deleteTable(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const schemas = { query: DELETE_TABLE, json: DELETE_TABLE };
  const { db, table, hard_delete_at: hardDeleteAt } = await decodeParameters(schemas, request, options);
  await services.catalog.deleteTable(db, table, parseHardDelete(hardDeleteAt));
  return EMPTY_OK;
}

const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/;
const NS_PER_MS = 1_000_000n;

function parseHardDelete(at: string): HardDeleteTime {
  if (at === "default" || at === "never" || at === "now") return at;
  const match = RFC3339.exec(at);
  const [, date, clock, fraction = "", zone] = match ?? [];
  const ms = Date.parse(`${date}T${clock}${zone?.toUpperCase()}`);
  if (match === null || Number.isNaN(ms)) throw invalid(`Cannot parse the timestamp: ${at}`, "use never, now, default or a time such as 2026-01-31T00:00:00Z");
  return BigInt(ms) * NS_PER_MS + BigInt(fraction.padEnd(9, "0"));
}

const FIELD_TYPES = ["utf8", "int64", "uint64", "float64", "bool"] as const satisfies readonly FieldType[];

const CREATE_TABLE = v.object({
  db: v.string(),
  table: v.string(),
  tags: v.array(v.string()),
  fields: v.optional(v.array(v.object({ name: v.string(), type: v.picklist(FIELD_TYPES, unknownFieldType) })), []),
  retention_period: v.optional(v.nullable(v.string())),
});

function unknownFieldType(issue: v.BaseIssue<unknown>): string {
  return `unknown variant \`${String(issue.input)}\`, expected one of ${FIELD_TYPES.map((type) => `\`${type}\``).join(", ")}`;
}

async function createTable(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const { db, table, tags, fields, retention_period: period } = await decodeJsonRequest(CREATE_TABLE, request, options);
  const retentionNs = period === undefined || period === null ? undefined : retentionOf(period);
  await services.catalog.createTable(db, { table, tags, fields, ...(retentionNs === undefined ? {} : { retentionNs }) });
  return EMPTY_OK;
}

const UPDATE_TABLE = v.object({ db: v.string(), table: v.string(), retention_period: v.nullable(v.string()) });

/** As the reference's Enterprise edition has it. `null` and `none`: the table follows its database again. */
async function updateTable(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const { db, table, retention_period: period } = await decodeJsonRequest(UPDATE_TABLE, request, options);
  await services.catalog.setTableRetention(db, table, period === null ? undefined : retentionOf(period));
  return EMPTY_OK;
}

const doc = (summary: string, more: Partial<RouteDoc>): RouteDoc => ({ tag: "Databases and tables", summary, success: { status: 200 }, ...more });
const rows = { status: 200, types: ["application/json", "application/jsonl", "text/csv", "text/plain"], schema: v.array(v.looseObject({ "iox::database": v.string() })) } as const;

export const DATABASE_ROUTES: readonly Route[] = [
  { method: "GET", path: "/api/v3/configure/database", handle: listDatabases, doc: doc("List the databases", { query: LIST, success: rows }) },
  { method: "POST", path: "/api/v3/configure/database", handle: createDatabase, doc: doc("Create a database", { json: CREATE_DATABASE, failures: [409, 415, 422] }) },
  { method: "PUT", path: "/api/v3/configure/database", handle: updateDatabase, doc: doc("Change the retention period of a database", { json: UPDATE_DATABASE, failures: [404, 415] }) },
  { method: "DELETE", path: "/api/v3/configure/database", handle: deleteDatabase, doc: doc("Delete a database", { query: DELETE_DATABASE, json: DELETE_DATABASE, eitherPlace: true, failures: [404, 409, 415] }) },
  { method: "POST", path: "/api/v3/configure/database/retention_period", handle: setRetention, doc: doc("Set the retention period of a database", { query: SET_RETENTION, success: { status: 204 }, failures: [404] }) },
  { method: "DELETE", path: "/api/v3/configure/database/retention_period", handle: clearRetention, doc: doc("Keep a database's rows for ever", { query: CLEAR_RETENTION, success: { status: 204 }, failures: [404] }) },
  { method: "POST", path: "/api/v3/configure/table", handle: createTable, doc: doc("Create a table", { json: CREATE_TABLE, failures: [409, 415, 422] }) },
  { method: "PUT", path: "/api/v3/configure/table", handle: updateTable, doc: doc("Change the retention period of a table", { json: UPDATE_TABLE, failures: [404, 415] }) },
  { method: "DELETE", path: "/api/v3/configure/table", handle: deleteTable, doc: doc("Delete a table", { query: DELETE_TABLE, json: DELETE_TABLE, eitherPlace: true, failures: [404, 409, 415] }) },
];
