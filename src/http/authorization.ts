/**
 * The forms of `Authorization` (spec: http-api §3.1). A header that has none of them is refused even by a server that
 * runs without authentication.
 */
import { DatabaseError } from "../core/errors/database-error.ts";

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
