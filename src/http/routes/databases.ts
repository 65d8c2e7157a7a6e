/** Databases and tables (spec: http-api §10). */
import * as v from "valibot";
import { parseDuration } from "../../core/config/humantime.ts";
import { DatabaseError } from "../../core/errors/database-error.ts";
import { booleanWord, decodeJsonRequest, decodeParameters, decodeQuery, invalid } from "../decode.ts";
import { EMPTY_OK, type Reply } from "../reply.ts";
import { formatWord, renderRows } from "../render-query.ts";
import type { Route, RouteContext } from "../route.ts";
import type { FieldType } from "../services.ts";

const LIST = v.object({ format: formatWord, show_deleted: v.optional(booleanWord, "false") });

async function listDatabases(request: Request, { services }: RouteContext): Promise<Reply> {
  const { format, show_deleted: showDeleted } = decodeQuery(LIST, new URL(request.url).searchParams);
  const { databases, databasesById } = services.catalog.state;
  if (!showDeleted) {
    const names = [...databases.keys()].sort();
    return renderRows([{ name: "iox::database", type: "utf8" }], names.map((name) => [name]), format);
  }
  const rows = [...databasesById.values()].map(({ name, deleted }) => [name, deleted]);
  rows.sort(([left], [right]) => (String(left) < String(right) ? -1 : 1));
  return renderRows([{ name: "iox::database", type: "utf8" }, { name: "deleted", type: "bool" }], rows, format);
}

const CREATE_DATABASE = v.object({ db: v.string(), retention_period: v.optional(v.nullable(v.string())) });

async function createDatabase(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const { db, retention_period: period } = await decodeJsonRequest(CREATE_DATABASE, request, options);
  const retentionNs = period === undefined || period === null ? undefined : retentionOf(period);
  await services.catalog.createDatabase(db, retentionNs === undefined ? {} : { retentionNs });
  return EMPTY_OK;
}

function retentionOf(period: string): bigint | undefined {
  if (period === "none") return undefined;
  const ns = parseDuration(period);
  if (ns === undefined) {
    throw invalid(`Cannot parse the given human time: ${period}`, "write a number and a unit, as in 30d or 12h");
  }
  return ns;
}

const DELETE_DATABASE = v.object({ db: v.string(), hard_delete_at: v.optional(v.string(), "default") });
const DELETE_TABLE = v.object({ db: v.string(), table: v.string(), hard_delete_at: v.optional(v.string(), "default") });

async function deleteDatabase(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const schemas = { query: DELETE_DATABASE, json: DELETE_DATABASE };
  const { db, hard_delete_at: hardDeleteAt } = await decodeParameters(schemas, request, options);
  checkHardDelete(hardDeleteAt);
  await services.catalog.deleteDatabase(db);
  return EMPTY_OK;
}

async function deleteTable(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const schemas = { query: DELETE_TABLE, json: DELETE_TABLE };
  const { db, table, hard_delete_at: hardDeleteAt } = await decodeParameters(schemas, request, options);
  checkHardDelete(hardDeleteAt);
  await services.catalog.deleteTable(db, table);
  return EMPTY_OK;
}

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** Deletes are soft until hard deletion exists; asking for more than that must not look done. */
function checkHardDelete(at: string): void {
  if (at === "default" || at === "never") return;
  if (at !== "now" && (!RFC3339.test(at) || Number.isNaN(Date.parse(at)))) {
    throw invalid(`Cannot parse the timestamp: ${at}`, "use never, now, default or a time such as 2026-01-31T00:00:00Z");
  }
  throw new DatabaseError("request.not_supported", {
    message: "Hard deletion is not supported yet",
    hint: "leave hard_delete_at out: the name is free again at once, the data stays on disk",
  });
}

const FIELD_TYPES = ["utf8", "int64", "uint64", "float64", "bool"] as const satisfies readonly FieldType[];

const CREATE_TABLE = v.object({
  db: v.string(),
  table: v.string(),
  tags: v.array(v.string()),
  fields: v.optional(v.array(v.object({ name: v.string(), type: v.picklist(FIELD_TYPES, unknownFieldType) })), []),
});

function unknownFieldType(issue: v.BaseIssue<unknown>): string {
  return `unknown variant \`${String(issue.input)}\`, expected one of ${FIELD_TYPES.map((type) => `\`${type}\``).join(", ")}`;
}

async function createTable(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const { db, table, tags, fields } = await decodeJsonRequest(CREATE_TABLE, request, options);
  await services.catalog.createTable(db, { table, tags, fields });
  return EMPTY_OK;
}

export const DATABASE_ROUTES: readonly Route[] = [
  { method: "GET", path: "/api/v3/configure/database", handle: listDatabases },
  { method: "POST", path: "/api/v3/configure/database", handle: createDatabase },
  { method: "DELETE", path: "/api/v3/configure/database", handle: deleteDatabase },
  { method: "POST", path: "/api/v3/configure/table", handle: createTable },
  { method: "DELETE", path: "/api/v3/configure/table", handle: deleteTable },
];
