/**
 * What a plugin may ask of its own server when the server has not made sure of a token. The grant `self` opens the connection; it is
 * not to be the way to the first operator token of a new server, nor, on a server without authentication, to triggers with more
 * grants, to plugin files and packages.
 */
import { DatabaseError } from "../core/errors/database-error.ts";

/** Data and the server's state; all other paths change or show how the server is set up. */
const OPEN_PATHS: ReadonlySet<string> = new Set([
  "/health", "/api/v1/health", "/ping", "/metrics", "/openapi.json", "/write", "/api/v2/write", "/api/v3/write_lp", "/query", "/api/v3/query_sql", "/api/v3/query_influxql",
]);
const OPEN_PREFIX = "/api/v3/engine/";

/** Why a plugin's request without a token that counts is refused; undefined: it may go on. */
export function pluginRefusal(path: string): DatabaseError | undefined {
  if (OPEN_PATHS.has(path) || path.startsWith(OPEN_PREFIX)) return undefined;
  return new DatabaseError("auth.plugin", {
    message: `A plugin may not ask its own server for ${path} without a token`,
    hint: "let the plugin send a token that the server knows; a server without authentication lets plugins read, write and call other plugins, and nothing else",
  });
}
