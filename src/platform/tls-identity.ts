/** Reads certificate and key of a server that speaks HTTPS. */
import { readFileSync } from "node:fs";
import type { TlsFiles } from "../core/config/tls.ts";
import { DatabaseError, messageOf } from "../core/errors/database-error.ts";
import type { TlsIdentity } from "../ports/http-listener.ts";

/** Throws `server.misconfigured` and names the file. */
export function readTlsIdentity({ certFile, keyFile, minimumVersion }: TlsFiles): TlsIdentity {
  return { cert: readPem(certFile, "--tls-cert"), key: readPem(keyFile, "--tls-key"), minimumVersion };
}

function readPem(path: string, flag: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new DatabaseError("server.misconfigured", { message: `The file "${path}" of ${flag} cannot be read: ${messageOf(error)}`, hint: "name a PEM file that the server may read", cause: error });
  }
  if (!text.includes("-----BEGIN ")) throw new DatabaseError("server.misconfigured", { message: `The file "${path}" of ${flag} is not PEM`, hint: "convert it with openssl" });
  return text;
}
