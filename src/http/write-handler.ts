/**
 * The write endpoints without `Request` objects (design §3 "Whole write path"): the Hono routes and the raw mount of
 * the Node server both call this, so both answer the same bytes.
 */
import { tokenOf } from "./authorization.ts";
import { decodeBody, type BodyRules } from "./body.ts";
import { errorReply, type ErrorShape } from "./error-reply.ts";
import { CORS_ON_SUCCESS, NO_CONTENT, type Reply, type ReplyHeaders } from "./reply.ts";
import type { Services } from "./services.ts";
import { writeParameters, type WritePath } from "./write-parameters.ts";

export const WRITE_PATHS: readonly WritePath[] = ["/api/v3/write_lp", "/api/v2/write", "/write"];

export interface WriteInput {
  readonly path: string;
  /** What follows `?`, not decoded; undefined when the URL has no `?`. */
  readonly query: string | undefined;
  /** Name in lower case. */
  header(name: string): string | undefined;
  /** As it came, still compressed. Not read after the reply resolved, so its memory may be reused. */
  readonly body: Uint8Array;
}

/** Never rejects: errors are replies. */
export type WriteHandler = (input: WriteInput) => Promise<WriteReply>;

export interface WriteReply {
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly body: string | undefined;
}

export function createWriteHandler(services: Pick<Services, "storage" | "clusterUuid">, rules: BodyRules): WriteHandler {
  const always: ReplyHeaders = { "cluster-uuid": services.clusterUuid };
  return async (input) => {
    try {
      await write(services, rules, input);
      return { status: NO_CONTENT.status, headers: { ...always, ...CORS_ON_SUCCESS }, body: undefined };
    } catch (error) {
      return textOnly(writeErrorReply(input.path, error), always);
    }
  };
}

/** The error body in the dialect of the endpoint (spec: http-api §6). */
export function writeErrorReply(path: string, error: unknown): Reply {
  return errorReply(error, SHAPES[path as WritePath]);
}

const SHAPES: Readonly<Record<WritePath, ErrorShape>> = {
  "/api/v3/write_lp": "v3",
  "/api/v2/write": "v2-write",
  "/write": "v1-write",
};

async function write(services: Pick<Services, "storage">, rules: BodyRules, input: WriteInput): Promise<void> {
  const query = new URLSearchParams(input.query ?? "");
  const inUrl = input.path === "/write" ? query.get("p") : null;
  if (inUrl === null) tokenOf(input.header("authorization"));
  const parameters = writeParameters(input.path as WritePath, query, (input.query ?? "") !== "");
  const body = await decodeBody(input.body, input.header("content-encoding"), rules);
  await services.storage.write({ ...parameters, body });
}

function textOnly(reply: Reply, always: ReplyHeaders): WriteReply {
  return { status: reply.status, headers: { ...reply.headers, ...always }, body: reply.body as string };
}
