/** Where a server's certificate lies, and what the flags say about it (spec: cli §3.1). */
import { DatabaseError, messageOf } from "../errors/database-error.ts";

export type TlsVersion = "tls-1.2" | "tls-1.3";

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly minimumVersion: TlsVersion;
}

interface TlsSettings {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly minimumVersion: string | undefined;
}

/** Undefined: plain HTTP. Throws `server.misconfigured` when half of it is missing. */
export function parseTls(settings: TlsSettings, resolvePath: (path: string) => string): TlsFiles | undefined {
  const { cert, key, minimumVersion } = settings;
  if (cert === undefined && key === undefined) {
    if (minimumVersion === undefined) return undefined;
    throw misconfigured("--tls-minimum-version needs a certificate", "give --tls-cert and --tls-key too");
  }
  if (cert === undefined || key === undefined) {
    throw misconfigured("tls requires both a cert and a key file to be passed in to work", `give --tls-${cert === undefined ? "cert" : "key"} too`);
  }
  return { certFile: resolvePath(cert), keyFile: resolvePath(key), minimumVersion: minimumVersion === "tls-1.3" ? "tls-1.3" : "tls-1.2" };
}

/** What a runtime says of a certificate or key that it cannot use. */
export function tlsError(error: unknown): DatabaseError {
  return new DatabaseError("server.misconfigured", {
    message: `The TLS certificate or key cannot be used: ${messageOf(error)}`,
    hint: "both must be PEM, and the key must belong to the certificate",
    cause: error,
  });
}

const misconfigured = (message: string, hint: string): DatabaseError => new DatabaseError("server.misconfigured", { message, hint });
