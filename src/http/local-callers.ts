/**
 * Who may call a server without authentication that listens on this machine only. A web page from anywhere runs in a
 * browser on this machine, so a loopback address alone keeps nobody out: a browser tells the page's origin, and a page
 * that had its own name pointed at 127.0.0.1 (DNS rebinding) is known by the name in `Host`.
 */
import { isLoopback, parseBindAddress } from "../core/config/bind-address.ts";
import { DatabaseError } from "../core/errors/database-error.ts";

export interface CallerRules {
  /** Refuse requests of web pages that are not served by this machine. */
  readonly localCallersOnly?: boolean;
}

const HINT = "start the server with --without-auth if every web page and every host name may reach it";

/** Why the request is refused; undefined when it may go on. A request without these headers comes from no browser. */
export function strangerRefusal(rules: CallerRules, header: (name: string) => string | undefined): DatabaseError | undefined {
  if (rules.localCallersOnly !== true) return undefined;
  const host = header("host");
  if (host !== undefined && host !== "" && !isLocalAuthority(host)) {
    return refusal(`The host name "${host}" is not this machine's own, and the server runs without authentication`);
  }
  const origin = header("origin");
  if (origin !== undefined && !isLocalOrigin(origin)) {
    return refusal(`Web pages of "${origin}" may not use this server, which runs without authentication`);
  }
  // Images, forms and links of another site bring no origin with a GET; they cannot read the answer, but may cause a run.
  if (origin === undefined && header("sec-fetch-site") === "cross-site") {
    return refusal("Web pages of other sites may not use this server, which runs without authentication");
  }
  return undefined;
}

function refusal(message: string): DatabaseError {
  return new DatabaseError("auth.not_local", { message, hint: HINT });
}

/** `name`, `name:port`, `[::1]:port`. */
function isLocalAuthority(authority: string): boolean {
  const withPort = /:\d*$/.test(authority) && !authority.endsWith("]") ? authority.replace(/:\d*$/, ":1") : `${authority}:1`;
  const host = parseBindAddress(withPort)?.host;
  return host !== undefined && isLoopback(host.toLowerCase());
}

function isLocalOrigin(origin: string): boolean {
  const match = /^https?:\/\/([^/]+)$/i.exec(origin);
  return match?.[1] !== undefined && isLocalAuthority(match[1]);
}
