/**
 * The forms of `Authorization` (spec: http-api §3.1). A header that has none of them is refused even by a server that
 * runs without authentication.
 */
import { DatabaseError } from "../core/errors/database-error.ts";
import type { TokenDefinition } from "../core/tokens/token.ts";
import type { PeerOf } from "../ports/http-listener.ts";

export interface AuthenticationRules {
  /** The token's definition; throws `auth.unauthenticated`. Undefined: the server runs without authentication. */
  readonly authenticate?: (token: string | undefined) => TokenDefinition;
  /** Paths that need no token (`--disable-authz`). */
  readonly openPaths?: ReadonlySet<string>;
  /** Whether the other end of a connection is, or may be, a plugin of this server. */
  readonly isPlugin?: (peer: ReturnType<PeerOf>) => boolean;
}

interface CallingRequest {
  readonly path: string;
  /** What follows `?`. */
  readonly query: string | undefined;
  readonly authorization: string | undefined;
}

/** The first admin token is made without one (spec: http-api §2). */
const FIRST_TOKEN_PATH = "/api/v3/configure/token/admin";

/** There `p` in the URL wins over the header (spec: http-api §3.1). */
const V1_PATHS: ReadonlySet<string> = new Set(["/write", "/query"]);

/** Who calls; undefined where no token is asked for. Throws `auth.malformed`, also without authentication, and `auth.unauthenticated`. */
export function authenticateRequest(rules: AuthenticationRules, { path, query, authorization }: CallingRequest): TokenDefinition | undefined {
  const inUrl = V1_PATHS.has(path) ? new URLSearchParams(query ?? "").get("p") : null;
  const token = inUrl ?? tokenOf(authorization);
  if (rules.authenticate === undefined || rules.openPaths?.has(path) === true || path === FIRST_TOKEN_PATH) return undefined;
  return rules.authenticate(token);
}

/** The token that a request brings; undefined when it brings none. Throws `auth.malformed`. */
export function tokenOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const [scheme, value, extra] = header.split(" ");
  if (value === undefined || value === "" || extra !== undefined) throw malformed();
  if (scheme === "Bearer" || scheme === "Token") return value;
  if (scheme === "Basic") return basicPassword(value);
  throw malformed();
}

/** Split at the last colon; the user name is ignored but must not hold one itself. */
function basicPassword(encoded: string): string {
  const text = decodeBase64(encoded);
  const colon = text?.lastIndexOf(":") ?? -1;
  if (text === undefined || colon < 0 || text.indexOf(":") !== colon) throw malformed();
  return text.slice(colon + 1);
}

function decodeBase64(encoded: string): string | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded) || encoded.length % 4 !== 0) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0)));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function malformed(): DatabaseError {
  return new DatabaseError("auth.malformed", {
    message:
      '{"error": "Authorization header was malformed, the request was not in the form of \'Authorization: <auth-scheme> <token>\', supported auth-schemes are Bearer, Token and Basic"}',
    hint: "send \"Authorization: Bearer <token>\", or no such header",
  });
}
