/**
 * The write endpoints without `Request` objects (design §3 "Whole write path"): the Hono routes and the raw mount of
 * the Node server both call this, so both answer the same bytes.
 */
import { DatabaseError } from "../core/errors/database-error.ts";
import type { RawReply, RawRequest, RawRoutes } from "../ports/http-listener.ts";
import { authenticateRequest, type AuthenticationRules } from "./authorization.ts";
import { decodeBody, tooLarge, type BodyRules } from "./body.ts";
import { errorReply, type ErrorShape } from "./error-reply.ts";
import { strangerRefusal, type CallerRules } from "./local-callers.ts";
import { CORS_ON_SUCCESS, NO_CONTENT, type ReplyHeaders } from "./reply.ts";
import { logRequest, type RequestLogRules } from "./request-log.ts";
import type { Services } from "./services.ts";
import { type WriteParameters, writeParameters, type WritePath } from "./write-parameters.ts";

export const WRITE_PATHS: readonly WritePath[] = ["/api/v3/write_lp", "/api/v2/write", "/write"];

/** Never rejects: errors are replies. The body is as it came, still compressed. */
export type WriteHandler = (request: RawRequest) => Promise<RawReply>;

/** The same handler for a server that can serve these paths without `Request` objects. */
export function createRawWriteRoutes(services: WriteServices, rules: WriteRules): RawRoutes {
  return {
    paths: WRITE_PATHS,
    handle: createWriteHandler(services, rules),
    tooLarge: (path) => failure(path, tooLarge(rules.bodySizeMax), services),
    overloaded: (path) => failure(path, overloaded(), services),
  };
}

/** Spec: http-api §4 "Overload". */
export function overloaded(): DatabaseError {
  return new DatabaseError("request.overloaded", {
    message: "this service is overloaded, please try again later",
    hint: "send fewer writes at the same time, or smaller ones",
  });
}

type WriteServices = Pick<Services, "storage" | "clusterUuid">;
type WriteRules = BodyRules & CallerRules & AuthenticationRules & RequestLogRules;

export function createWriteHandler(services: WriteServices, rules: WriteRules): WriteHandler {
  const headers: ReplyHeaders = { "cluster-uuid": services.clusterUuid, ...CORS_ON_SUCCESS };
  return async (request) => {
    const { path } = request;
    const startedMs = rules.monotonicMs();
    try {
      await write(services, rules, request);
      logRequest(rules, { method: "POST", path, status: NO_CONTENT.status, startedMs });
      return { status: NO_CONTENT.status, headers, body: undefined };
    } catch (error) {
      const reply = failure(path, error, services);
      return { ...reply, headers: { ...reply.headers, ...logRequest(rules, { method: "POST", path, status: reply.status, startedMs, error }) } };
    }
  };
}

const SHAPES: Readonly<Record<WritePath, ErrorShape>> = {
  "/api/v3/write_lp": "v3-write",
  "/api/v2/write": "v2-write",
  "/write": "v1-write",
};

/** The error in the dialect of the endpoint (spec: http-api §6). */
export function failure(path: string, error: unknown, services: Pick<Services, "clusterUuid">): RawReply {
  const reply = errorReply(error, SHAPES[path as WritePath]);
  return { ...reply, headers: { ...reply.headers, "cluster-uuid": services.clusterUuid } };
}

async function write(services: WriteServices, rules: WriteRules, request: RawRequest): Promise<void> {
  const refusal = strangerRefusal(rules, (name) => request.header(name));
  if (refusal !== undefined) throw refusal;
  authenticateRequest(rules, { path: request.path, query: request.query, authorization: request.header("authorization") });
  const query = new URLSearchParams(request.query ?? "");
  const parameters = writeParameters(request.path as WritePath, query, (request.query ?? "") !== "");
  const encoding = request.header("content-encoding");
  if (encoding === undefined) return store(services, rules, parameters, request.body);
  const inflate = async (): Promise<void> => {
    const body = await decodeBody(request.body, encoding, rules);
    try {
      await store(services, rules, parameters, body);
    } finally {
      // Not read after the answer; the memory of a compressed body's text would pile up until the collector runs.
      if (body !== request.body) rules.discard?.(body);
    }
  };
  await (rules.inflations === undefined ? inflate() : rules.inflations.run(inflate));
}

async function store(services: WriteServices, rules: WriteRules, parameters: WriteParameters, body: Uint8Array): Promise<void> {
  if (!rules.isUtf8(body)) {
    throw new DatabaseError("request.invalid", { message: "body content is not valid utf8", hint: "send line protocol as UTF-8 text" });
  }
  await services.storage.write({ ...parameters, body, utf8Checked: true });
}
