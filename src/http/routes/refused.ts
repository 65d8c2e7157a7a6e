/**
 * Routes of the reference that stand behind features we do not have yet. They refuse with a sentence instead of
 * pretending or hiding; each leaves this table when its feature comes.
 */
import { DatabaseError } from "../../core/errors/database-error.ts";
import { errorReply } from "../error-reply.ts";
import type { Route } from "../route.ts";

type Methods = readonly Route["method"][];

const CONFIGURE = "/api/v3/configure";

const REFUSED: readonly (readonly [methods: Methods, path: string, sentence: string, hint?: string])[] = [
  [["GET", "POST"], "/api/v3/query_influxql", "InfluxQL is not supported yet", "query with SQL at /api/v3/query_sql"],
];

function refusal(sentence: string, hint: string | undefined): DatabaseError {
  return new DatabaseError("request.not_supported", { message: sentence, ...(hint === undefined ? {} : { hint }) });
}

function refuse(sentence: string, hint: string | undefined): never {
  throw refusal(sentence, hint);
}

const INFLUXQL = refusal("InfluxQL is not supported yet", "query with SQL at /api/v3/query_sql");

export const REFUSED_ROUTES: readonly Route[] = REFUSED.flatMap(([methods, path, sentence, hint]) =>
  methods.map((method): Route => ({ method, path, handle: () => refuse(sentence, hint) })),
).concat(
  // v1 clients only understand JSON (spec: http-api §14), and v1 errors carry the CORS header (§2).
  (["GET", "POST"] as const).map((method): Route => ({ method, path: "/query", handle: () => errorReply(INFLUXQL, "json") })),
);
