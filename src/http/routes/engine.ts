/** Requests to plugins: `/api/v3/engine/<path>` (spec: processing-engine §8). The plugin decides the answer. */
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { PeerOf } from "../../ports/http-listener.ts";
import type { NamedText } from "../../ports/plugin-runtime.ts";
import { readBody } from "../body.ts";
import type { Reply } from "../reply.ts";
import type { Route, RouteContext, RouteDoc } from "../route.ts";
import type { EngineResponse } from "../services.ts";

const PREFIX = "/api/v3/engine/";

async function runRequest(request: Request, { services, options }: RouteContext, peer: PeerOf): Promise<Reply> {
  const url = new URL(request.url);
  const caller = peer();
  const body = await readBody(request, options);
  const response = await services.processing.request({
    path: url.pathname.slice(PREFIX.length),
    query: [...url.searchParams],
    headers: [...request.headers].filter(([name]) => name !== "authorization"),
    body,
    peer: caller,
  });
  if (response === undefined) {
    throw new DatabaseError("request.no_such_path", {
      message: '{error: "not found"}', // the reference's literal, which is not JSON
      hint: "no enabled trigger has the specification \"request:<path>\" for this path",
    });
  }
  return pluginReply(response);
}

/** Statuses that HTTP or `Response` cannot carry become 500 with the body unchanged (spec §10.4). */
function pluginReply(response: EngineResponse): Reply {
  const status = response.status >= 200 && response.status <= 599 ? response.status : 500;
  const bodyless = status === 204 || status === 205 || status === 304;
  const { headers, repeated } = splitHeaders(response.headers);
  return { status, headers, body: bodyless ? undefined : response.body, repeatedHeaders: repeated };
}

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** The server frames the response; a plugin that could set these could desynchronise the connection. */
const FRAMING_HEADERS: ReadonlySet<string> = new Set(["connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"]);

function splitHeaders(pairs: readonly NamedText[]): { headers: Record<string, string>; repeated: NamedText[] } {
  const headers: Record<string, string> = {};
  const repeated: NamedText[] = [];
  for (const [givenName, givenValue] of pairs) {
    const name = givenName.toLowerCase();
    if (!HEADER_NAME.test(name) || FRAMING_HEADERS.has(name)) continue;
    const value = /^[\t\x20-\x7e\x80-\xff]*$/.test(givenValue) ? givenValue : "";
    if (name === "set-cookie") repeated.push([name, value]);
    else headers[name] = value;
  }
  return { headers, repeated };
}

const DOC: RouteDoc = {
  tag: "Triggers and plugins",
  summary: "Ask the plugin whose trigger has the specification request:<path>; it decides status, headers and body",
  success: { status: 200, types: ["*/*"] },
  failures: [404, 500, 503],
};

export const ENGINE_ROUTES: readonly Route[] = [
  { method: "GET", path: `${PREFIX}*`, handle: runRequest, doc: DOC },
  { method: "POST", path: `${PREFIX}*`, handle: runRequest, doc: { ...DOC, bodyType: "*/*" } },
];
