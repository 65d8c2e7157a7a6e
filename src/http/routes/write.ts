/** The write endpoints as routes; the work is in `write-handler.ts`, which the raw mount of the Node server shares. */
import { readRawBody } from "../body.ts";
import { createWriteHandler, failure, WRITE_PATHS, type WriteHandler } from "../write-handler.ts";
import type { Reply } from "../reply.ts";
import type { RouteContext } from "../route.ts";

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
    const body = await readRawBody(request, context.options.bodySizeMax);
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
