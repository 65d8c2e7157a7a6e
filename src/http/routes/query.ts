/** SQL queries (spec: http-api §7). */
import * as v from "valibot";
import { DatabaseError, isDatabaseError } from "../../core/errors/database-error.ts";
import type { ResultFormat } from "../../core/query/format-result.ts";
import { readBody } from "../body.ts";
import { decodeJson, decodeQuery, invalid } from "../decode.ts";
import { renderReply } from "../render-query.ts";
import type { Reply } from "../reply.ts";
import { chooseFormat, formatWord } from "../result-format.ts";
import type { Route, RouteContext } from "../route.ts";
import type { JsonScalar } from "../services.ts";

const PARAMETERS = v.record(
  v.string(),
  v.union(
    [v.string(), v.number(), v.boolean(), v.null()],
    "invalid query parameter: must be null, a boolean, a number or a string",
  ),
);

const IN_URL = v.object({
  db: v.string(),
  q: v.string(),
  format: v.optional(formatWord),
  params: v.optional(v.string()),
});

const IN_BODY = v.object({
  db: v.string(),
  q: v.string(),
  format: v.optional(v.nullable(formatWord)),
  params: v.optional(v.nullable(PARAMETERS)),
});

interface SqlRequest {
  readonly db: string;
  readonly q: string;
  readonly format: ResultFormat | undefined;
  readonly parameters: Readonly<Record<string, JsonScalar>>;
}

async function queryFromUrl(request: Request, context: RouteContext): Promise<Reply> {
  const url = new URL(request.url);
  if (url.search.length <= 1) {
    throw invalid("missing query parameters 'db' and 'q'", "add ?db=<database>&q=<SQL> to the URL");
  }
  const { db, q, format, params } = decodeQuery(IN_URL, url.searchParams);
  const parameters = params === undefined ? {} : decodeJson(PARAMETERS, new TextEncoder().encode(params));
  return answer(request, context, { db, q, format, parameters });
}

/** The body is JSON whatever its content type says. */
async function queryFromBody(request: Request, context: RouteContext): Promise<Reply> {
  const { db, q, format, params } = decodeJson(IN_BODY, await readBody(request, context.options));
  return answer(request, context, { db, q, format: format ?? undefined, parameters: params ?? {} });
}

async function answer(request: Request, { services }: RouteContext, sql: SqlRequest): Promise<Reply> {
  const format = chooseFormat(sql.format, request.headers.get("accept"));
  const stream = await services.queries
    .query({
      database: sql.db,
      sql: sql.q,
      parameters: new Map(Object.entries(sql.parameters)),
      signal: request.signal,
    })
    .catch((error: unknown) => {
      throw unknownDatabase(error, sql.db) ?? error;
    });
  return renderReply(stream, format);
}

/** The one query error that is JSON. */
function unknownDatabase(error: unknown, database: string): DatabaseError | undefined {
  if (!isDatabaseError(error) || error.code !== "database.not_found") return undefined;
  return new DatabaseError("query.database_not_found", {
    message: `query error: database not found: ${database}`,
    hint: error.hint ?? "databases are created by writing to them, or with: influxdb3 create database <NAME>",
    cause: error,
  });
}

const ANSWERED = { status: 200, types: ["application/json", "application/jsonl", "text/csv", "text/plain"] } as const;
const DOC = { tag: "Query", summary: "Query with SQL", success: ANSWERED, failures: [404, 405, 429, 500] } as const;

export const QUERY_ROUTES: readonly Route[] = [
  { method: "GET", path: "/api/v3/query_sql", handle: queryFromUrl, doc: { ...DOC, query: IN_URL } },
  { method: "POST", path: "/api/v3/query_sql", handle: queryFromBody, doc: { ...DOC, json: IN_BODY } },
];
