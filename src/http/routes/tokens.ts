/** Tokens (spec: http-api §3.4). A server without authentication answers 405 before it comes here. */
import * as v from "valibot";
import { authenticateRequest } from "../authorization.ts";
import { decodeJsonRequest, decodeParameters } from "../decode.ts";
import { EMPTY_OK, type Reply } from "../reply.ts";
import type { Route, RouteContext, RouteDoc } from "../route.ts";
import type { IssuedToken } from "../services.ts";

const PATH = "/api/v3/configure/token";
export const REGENERATE_PATH = `${PATH}/admin/regenerate`;

/** A century: beyond it an expiry is a mistake. */
const EXPIRY_SECONDS_MAX = 3_155_760_000;

/** The reference's content type is the bare word `json`, which its clients do not look at; ours is valid. */
export function issuedToken({ definition, text }: IssuedToken): Reply {
  const { id, name, hash, createdMs, expiryMs } = definition;
  const body = { id, name, token: text, hash, created_at: Number(createdMs), expiry: expiryMs === undefined ? null : Number(expiryMs) };
  return { status: 201, headers: { "content-type": "application/json", "cache-control": "no-store" }, body: JSON.stringify(body) };
}

async function createOperator(_request: Request, { services }: RouteContext): Promise<Reply> {
  return issuedToken(await services.tokens.createOperator());
}

async function regenerateOperator(request: Request, context: RouteContext): Promise<Reply> {
  return issuedToken(await context.services.tokens.regenerateOperator(callerId(request, context)));
}

const CREATE_NAMED = v.object({
  token_name: v.string(),
  expiry_secs: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1, "expiry_secs must be at least 1"), v.maxValue(EXPIRY_SECONDS_MAX, `expiry_secs must be at most ${EXPIRY_SECONDS_MAX}`)))),
});

async function createNamed(request: Request, context: RouteContext): Promise<Reply> {
  const { token_name: name, expiry_secs: expiry } = await decodeJsonRequest(CREATE_NAMED, request, context.options);
  const createdBy = callerId(request, context);
  return issuedToken(
    await context.services.tokens.createNamed(name, {
      ...(expiry === undefined || expiry === null ? {} : { expirySeconds: BigInt(expiry) }),
      ...(createdBy === undefined ? {} : { createdBy }),
    }),
  );
}

const DELETE = v.object({ token_name: v.string() });

async function deleteToken(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const { token_name: name } = await decodeParameters({ query: DELETE, json: DELETE }, request, options);
  await services.tokens.delete(name);
  return EMPTY_OK;
}

function callerId(request: Request, { options }: RouteContext): number | undefined {
  const authorization = request.headers.get("authorization") ?? undefined;
  return authenticateRequest(options, { path: new URL(request.url).pathname, query: undefined, authorization })?.id;
}

const ISSUED = {
  status: 201,
  types: ["application/json"],
  schema: v.object({ id: v.number(), name: v.string(), token: v.string(), hash: v.string(), created_at: v.number(), expiry: v.nullable(v.number()) }),
} as const;
const doc = (summary: string, more: Partial<RouteDoc>): RouteDoc => ({ tag: "Tokens", summary, success: ISSUED, failures: [405, 409], ...more });

export const TOKEN_ROUTES: readonly Route[] = [
  { method: "POST", path: `${PATH}/admin`, handle: createOperator, doc: doc("Make the first admin token; needs no token, works once", {}) },
  { method: "POST", path: REGENERATE_PATH, handle: regenerateOperator, doc: doc("Replace the operator token", { failures: [404, 405] }) },
  { method: "POST", path: `${PATH}/named_admin`, handle: createNamed, doc: doc("Make a named admin token", { json: CREATE_NAMED, failures: [405, 409, 415, 422] }) },
  { method: "DELETE", path: PATH, handle: deleteToken, doc: doc("Delete a named admin token", { query: DELETE, json: DELETE, eitherPlace: true, success: { status: 200 }, failures: [404, 405, 415] }) },
];
