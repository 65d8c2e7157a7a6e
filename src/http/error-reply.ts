/**
 * The one place where errors become responses. Bodies are the reference's (spec: http-api §6–§12): JSON only where it
 * answers JSON, there with our `code` and `hint` added; every error also carries both in headers, so that a client of
 * plain text can show them.
 */
import { DatabaseError, isDatabaseError, messageOf } from "../core/errors/database-error.ts";
import type { ErrorCode } from "../core/errors/codes.ts";
import { HEADER_TEXT_LENGTH_MAX, RETRY_AFTER_SECONDS } from "./limits.ts";
import type { Reply } from "./reply.ts";

/** Codes that the reference answers as `{"error": …}`; all others are plain text. */
const JSON_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "write.partial",
  "write.partial_limit",
  "write.rejected",
  "query.database_not_found",
  "database.limit",
  "table.limit",
  "column.limit",
  "plugin.raised",
  "plugin.memory_limit",
]);

/** Answered as JSON by the write endpoints only. */
const WRITE_JSON_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["database.invalid_name", "database.deleted"]);

/** A family may shape its bodies differently: v1 has JSON for its parameters, v2 has `code` and `message` of its own. */
export type ErrorShape = "v3" | "json" | "v1-write" | "v2-write" | "v3-write";

/** Anything that was thrown as one of ours; a stranger is our own fault and never shows a stack. */
export function toDatabaseError(error: unknown): DatabaseError {
  if (isDatabaseError(error)) return error;
  return new DatabaseError("internal.invariant", {
    message: `Internal error: ${messageOf(error)}`,
    hint: "this is a fault of Tidemark: please report it",
    cause: error,
  });
}

export interface ErrorReply extends Reply {
  readonly body: string;
}

export function errorReply(thrown: unknown, shape: ErrorShape = "v3"): ErrorReply {
  const error = toDatabaseError(thrown);
  return { status: statusOf(error, shape), headers: errorHeaders(error), body: errorBody(error, shape) };
}

/** v2 answers 400 to whatever the caller has to change, limits included (spec: http-api §6.2). */
function statusOf(error: DatabaseError, shape: ErrorShape): number {
  return shape === "v2-write" && !V2_CODE_BY_STATUS.has(error.status) && error.status < 500 ? 400 : error.status;
}

function errorBody(error: DatabaseError, shape: ErrorShape): string {
  // These are JSON to the letter, blank included, whatever the endpoint.
  if (error.code === "auth.malformed" || error.code === "auth.unauthenticated") return error.message;
  if (shape === "v2-write") return v2WriteBody(error);
  return isJson(error.code, shape) ? JSON.stringify(jsonErrorBody(error)) : error.message;
}

function isJson(code: ErrorCode, shape: ErrorShape): boolean {
  if (shape === "json" || JSON_CODES.has(code)) return true;
  if (shape === "v1-write" && code === "request.invalid") return true;
  return shape !== "v3" && WRITE_JSON_CODES.has(code);
}

/** `details.error` and `details.data` of a refused write replace the message (spec: http-api §6.1). */
function jsonErrorBody(error: DatabaseError): Record<string, unknown> {
  const data = error.details?.["data"];
  return {
    error: typeof error.details?.["error"] === "string" ? error.details["error"] : error.message,
    ...(data === undefined ? {} : { data }),
    code: error.code,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

const V2_CODE_BY_STATUS: ReadonlyMap<number, string> = new Map([
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "not found"],
  [413, "request too large"],
]);

/** Spec: http-api §6.2. `code` is the v2 API's own word there, so ours is in the header only. */
function v2WriteBody(error: DatabaseError): string {
  const code = error.status >= 500 ? "internal error" : (V2_CODE_BY_STATUS.get(error.status) ?? "invalid");
  return JSON.stringify({ code, message: v2Message(error), ...(error.hint === undefined ? {} : { hint: error.hint }) });
}

function v2Message(error: DatabaseError): string {
  const family = error.code.split(".")[0];
  if (family === "request" || family === "auth" || error.code === "internal.invariant") return error.message;
  const rejected = error.details?.["data"];
  if (typeof rejected !== "object" || rejected === null || !("error_message" in rejected)) {
    return `write buffer error: ${error.message}`;
  }
  const line = "line_number" in rejected ? ` (line ${String(rejected.line_number)})` : "";
  return `write buffer error: line protocol parse failed: ${String(rejected.error_message)}${line}`;
}

function errorHeaders(error: DatabaseError): Record<string, string> {
  return {
    "tidemark-code": error.code,
    ...(error.hint === undefined ? {} : { "tidemark-hint": headerText(error.hint) }),
    ...(error.fault === "capacity" ? { "retry-after": String(RETRY_AFTER_SECONDS) } : {}),
  };
}

/** Header values are visible ASCII. */
function headerText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, " ").slice(0, HEADER_TEXT_LENGTH_MAX).trim();
}
