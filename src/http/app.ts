/**
 * The HTTP API as a Hono app that knows only `Request` and `Response`. The pipeline of every request is the one of
 * spec http-api §2, after a look at who calls (`local-callers.ts`): OPTIONS, disabled token endpoints, authorization header, exact match, handler, decoration.
 */
import { Hono, type Context } from "hono";
import { DatabaseError } from "../core/errors/database-error.ts";
import type { PeerOf } from "../ports/http-listener.ts";
import { authenticateRequest } from "./authorization.ts";
import { errorReply, toDatabaseError } from "./error-reply.ts";
import { pluginRefusal } from "./plugin-callers.ts";
import { strangerRefusal } from "./local-callers.ts";
import { CORS_ON_SUCCESS, toResponse, type Reply, type ReplyHeaders } from "./reply.ts";
import type { EdgeOptions, Route, RouteContext } from "./route.ts";
import { CACHE_ROUTES } from "./routes/caches.ts";
import { logRequest } from "./request-log.ts";
import { DATABASE_ROUTES } from "./routes/databases.ts";
import { ENGINE_ROUTES } from "./routes/engine.ts";
import { HEALTH_ROUTES } from "./routes/health.ts";
import { openApiRoute } from "./routes/openapi.ts";
import { PACKAGE_ROUTES } from "./routes/packages.ts";
import { PLUGIN_FILE_ROUTES } from "./routes/plugin-files.ts";
import { PLUGIN_ROUTES } from "./routes/plugins.ts";
import { QUERY_ROUTES } from "./routes/query.ts";
import { REFUSED_ROUTES } from "./routes/refused.ts";
import { TOKEN_ROUTES } from "./routes/tokens.ts";
import { TRIGGER_ROUTES } from "./routes/triggers.ts";
import { writeRoutes } from "./routes/write.ts";
import type { Services } from "./services.ts";
import { failure } from "./write-handler.ts";

const FAMILIES: readonly Route[] = [
  ...HEALTH_ROUTES,
  ...QUERY_ROUTES,
  ...DATABASE_ROUTES,
  ...CACHE_ROUTES,
  ...TRIGGER_ROUTES,
  ...PLUGIN_ROUTES,
  ...PLUGIN_FILE_ROUTES,
  ...ENGINE_ROUTES,
  ...PACKAGE_ROUTES,
  ...TOKEN_ROUTES,
  ...REFUSED_ROUTES,
];
export const ROUTES: readonly Route[] = [...FAMILIES, openApiRoute(FAMILIES)];

const PREFLIGHT: Reply = {
  status: 204,
  headers: {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "*",
    "access-control-allow-headers": "*",
    "access-control-max-age": "86400",
  },
  body: undefined,
};

/** The app may be asked without a server. */
const unknownPeer: PeerOf = () => undefined;

const NOT_FOUND = new DatabaseError("request.no_such_path", { message: "Not found", hint: "GET /openapi.json lists every path and its methods" });
const TOKENS_DISABLED = new DatabaseError("request.not_supported", {
  message: "endpoint disabled, started without auth",
  hint: "start the server without --without-auth to use tokens",
});

/** What the middlewares of one request tell each other. */
interface Notes {
  /** What the server gives with each request. */
  readonly Bindings: { readonly peer?: PeerOf };
  readonly Variables: { startedMs: number };
}

export function createApp(services: Services, options: EdgeOptions): Hono<Notes> {
  const context: RouteContext = { services, options };
  const always: ReplyHeaders = { "cluster-uuid": services.clusterUuid };
  // The headers are complete before the response is made: changed afterwards, the Node server adds a default content type.
  const answer = (c: Context<Notes>, reply: Reply, extra: ReplyHeaders = always, error?: unknown): Response => {
    const { method, path } = c.req;
    return toResponse(reply, { ...extra, ...logRequest(options, { method, path, status: reply.status, startedMs: c.get("startedMs"), error }) });
  };
  const app = new Hono<Notes>();
  app.use("*", async (c, next) => {
    c.set("startedMs", options.monotonicMs());
    const refusal = strangerRefusal(options, (name) => c.req.header(name));
    if (refusal !== undefined) return answer(c, failure(c.req.path, refusal, services), {}, refusal);
    if (c.req.method === "OPTIONS") return answer(c, PREFLIGHT);
    beforeMatch(c, options, peerOf(c));
    return next();
  });
  for (const { path, handle } of writeRoutes(context)) {
    // Logged by their handler, since it also serves the raw mount.
    app.post(path, async (c) => toResponse(await handle(c.req.raw), {}));
  }
  for (const { method, path, handle } of ROUTES) {
    app.on(method, path, async (c) => answer(c, await handle(c.req.raw, context, peerOf(c)), { ...always, ...CORS_ON_SUCCESS }));
  }
  app.notFound((c) => answer(c, errorReply(NOT_FOUND)));
  app.onError((error, c) => answer(c, errorReply(toDatabaseError(error)), always, error));
  return app;
}

/** A token that nobody checked is none. */
function refusePlugin(path: string, { isPlugin }: EdgeOptions, peer: ReturnType<PeerOf>): void {
  const refusal = isPlugin?.(peer) === true ? pluginRefusal(path) : undefined;
  if (refusal !== undefined) throw refusal;
}

const peerOf = (c: Context<Notes>): PeerOf => (c.env as Notes["Bindings"] | undefined)?.peer ?? unknownPeer;

function beforeMatch(c: Context<Notes>, options: EdgeOptions, peer: PeerOf): void {
  const { method, path } = c.req;
  if (options.authenticate === undefined && path.startsWith("/api/v3/configure/token")) throw TOKENS_DISABLED;
  const token = authenticateRequest(options, { path, query: new URL(c.req.url).search.slice(1), authorization: c.req.header("authorization") });
  if (token === undefined) refusePlugin(path, options, peer());
  // Hono would answer HEAD with the GET route; the reference matches methods exactly.
  if (method === "HEAD") throw NOT_FOUND;
}
