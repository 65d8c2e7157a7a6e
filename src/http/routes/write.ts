/** The write endpoints as routes; the work is in `write-handler.ts`, which the raw mount of the Node server shares. */
import * as v from "valibot";
import { readRawBody } from "../body.ts";
import { createWriteHandler, failure, WRITE_PATHS, type WriteHandler } from "../write-handler.ts";
import type { Reply } from "../reply.ts";
import type { DocumentedRoute } from "../openapi.ts";
import type { RouteContext, RouteDoc } from "../route.ts";
import { UNIT_WORDS, V3_PARAMETERS } from "../write-parameters.ts";

export interface WriteRoute {
  readonly path: string;
  /** The reply is complete: errors and headers are in it. */
  handle(request: Request): Promise<Reply>;
}

export function writeRoutes(context: RouteContext): readonly WriteRoute[] {
  const handleWrite = createWriteHandler(context.services, context.options);
  return WRITE_PATHS.map((path) => ({ path, handle: (request) => handle(path, request, context, handleWrite) }));
}

async function handle(path: string, request: Request, context: RouteContext, handleWrite: WriteHandler): Promise<Reply> {
  try {
    const body = await readRawBody(request, context.options);
    const queryStart = request.url.indexOf("?");
    return await handleWrite({
      path,
      query: queryStart < 0 ? undefined : request.url.slice(queryStart + 1),
      header: (name) => request.headers.get(name) ?? undefined,
      body,
    });
  } catch (error) {
    return failure(path, error, context.services);
  }
}

const LINES = "text/plain";
const unit = v.optional(v.picklist(Object.keys(UNIT_WORDS) as (keyof typeof UNIT_WORDS)[]), "ns");
const doc = (summary: string, query: RouteDoc["query"], failures: readonly number[]): RouteDoc => ({
  tag: "Write", summary, ...(query === undefined ? {} : { query }), bodyType: LINES, success: { status: 204 }, failures: [413, 429, 500, 503, ...failures],
});

/** For the OpenAPI document; the parameters of v1 and v2 are read by hand, so that their texts are the reference's. */
export const WRITE_DOCS: readonly DocumentedRoute[] = [
  { method: "POST", path: "/api/v3/write_lp", doc: doc("Write line protocol", V3_PARAMETERS, [422]) },
  { method: "POST", path: "/api/v2/write", doc: doc("Write line protocol, as InfluxDB 2 takes it", v.object({ bucket: v.string(), org: v.optional(v.string()), precision: unit }), []) },
  {
    method: "POST", path: "/write",
    doc: doc("Write line protocol, as InfluxDB 1 takes it", v.object({ db: v.string(), rp: v.optional(v.string()), precision: unit, u: v.optional(v.string()), p: v.optional(v.string()) }), [422]),
  },
];
