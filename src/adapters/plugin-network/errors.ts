/**
 * Failures of sockets and of TLS by the names and in the words that Python has for them. Nothing else of what the runtime
 * says is repeated: it may name files of the host.
 */
import { isIP } from "node:net";
import { NetworkError } from "../../ports/plugin-network.ts";

/** The system's words (glibc). */
const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Cannot assign requested address",
  EAFNOSUPPORT: "Address family not supported by protocol",
  ECONNABORTED: "Software caused connection abort",
  ECONNREFUSED: "Connection refused",
  ECONNRESET: "Connection reset by peer",
  EHOSTDOWN: "Host is down",
  EHOSTUNREACH: "No route to host",
  EINVAL: "Invalid argument",
  EMFILE: "Too many open files",
  ENETDOWN: "Network is down",
  ENETUNREACH: "Network is unreachable",
  ENOBUFS: "No buffer space available",
  ENOTCONN: "Transport endpoint is not connected",
  EPIPE: "Broken pipe",
  ETIMEDOUT: "Connection timed out",
};

export const systemError = (code: string): NetworkError => new NetworkError(code, SYSTEM_WORDS[code] ?? code);

/** OpenSSL 3's words for the results of a verification, by the names that the runtimes give them. */
const VERIFICATION_WORDS: Readonly<Record<string, string>> = {
  CERT_CHAIN_TOO_LONG: "certificate chain too long",
  CERT_HAS_EXPIRED: "certificate has expired",
  CERT_NOT_YET_VALID: "certificate is not yet valid",
  CERT_REJECTED: "certificate rejected",
  CERT_REVOKED: "certificate revoked",
  CERT_SIGNATURE_FAILURE: "certificate signature failure",
  CERT_UNTRUSTED: "certificate not trusted",
  DEPTH_ZERO_SELF_SIGNED_CERT: "self-signed certificate",
  INVALID_CA: "invalid CA certificate",
  INVALID_PURPOSE: "unsuitable certificate purpose",
  PATH_LENGTH_EXCEEDED: "path length constraint exceeded",
  SELF_SIGNED_CERT_IN_CHAIN: "self-signed certificate in certificate chain",
  UNABLE_TO_GET_ISSUER_CERT: "unable to get issuer certificate",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unable to get local issuer certificate",
  // Node goes on after the first finding and tells the last; Python stops at the first, which is this.
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unable to get local issuer certificate",
};

export const verificationError = (words: string): NetworkError => new NetworkError("CERTIFICATE_VERIFY_FAILED", `certificate verify failed: ${words}`);

/** `name`: what the certificate was to be for. */
export function nameMismatch(name: string): NetworkError {
  const what = isIP(name) === 0 ? "Hostname mismatch" : "IP address mismatch";
  return verificationError(`${what}, certificate is not valid for '${name}'.`);
}

/** `reason`: OpenSSL's, such as `WRONG_VERSION_NUMBER`. */
export const tlsError = (reason: string, words: string = reason.toLowerCase().replaceAll("_", " ")): NetworkError => new NetworkError("SSL_ERROR", `[SSL: ${reason}] ${words}`);

export const unexpectedEnd = (): NetworkError => tlsError("UNEXPECTED_EOF_WHILE_READING", "EOF occurred in violation of protocol");

/** `serverName`: what the certificate of the peer is to be for, where it is looked at. */
export function networkError(error: unknown, serverName?: string): NetworkError {
  if (error instanceof NetworkError) return error;
  const { code, message } = partsOf(error);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return nameMismatch(serverName ?? "");
  const words = VERIFICATION_WORDS[code];
  if (words !== undefined) return verificationError(words);
  if (message.includes("before secure TLS connection")) return unexpectedEnd();
  const reason = reasonOf(code, message);
  if (reason !== undefined) return tlsError(reason);
  if (/^E[A-Z]+$/.test(code) && code !== "EPROTO") return systemError(code);
  return code.startsWith("ERR_TLS") || code === "EPROTO" ? new NetworkError("SSL_ERROR", "[SSL] TLS failed") : new NetworkError("EIO", "the connection failed");
}

function partsOf(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: "", message: "" };
  return { code: "code" in error ? String(error.code) : "", message: error.message };
}

/** `ERR_SSL_…` of all runtimes, `ERR_OSSL_…` where a key or certificate is unusable; else the last part of OpenSSL's own line. */
function reasonOf(code: string, message: string): string | undefined {
  const named = /^ERR_O?SSL_([A-Z0-9_]+)$/.exec(code)?.[1];
  if (named !== undefined) return named;
  const told = /error:[0-9A-Fa-f]+:[^:]*:[^:]*:([^:\n]+)/.exec(message)?.[1];
  return told?.trim().toUpperCase().replaceAll(" ", "_");
}
