/** What a handshake agreed on, in Python's words. */
import type { TLSSocket } from "node:tls";
import type { TlsDescription } from "../../ports/plugin-network.ts";
import { tlsError } from "./errors.ts";
import { PEER_CERTIFICATE_BYTES_MAX } from "./limits.ts";
import { describeCertificate } from "./peer-certificate.ts";

/** Throws `NetworkError` when the certificate is larger than `PEER_CERTIFICATE_BYTES_MAX`. */
export function describeTls(socket: TLSSocket, verified: boolean): TlsDescription {
  const cipher = socket.getCipher();
  const der = socket.getPeerCertificate().raw as Uint8Array | undefined;
  if (der !== undefined && der.length > PEER_CERTIFICATE_BYTES_MAX) throw tlsError("EXCESSIVE_MESSAGE_SIZE");
  return {
    version: socket.getProtocol() ?? "",
    cipher: { name: cipher.name, version: cipher.version, bits: secretBits(cipher.name) },
    alpn: typeof socket.alpnProtocol === "string" && socket.alpnProtocol !== "" ? socket.alpnProtocol : undefined,
    peer: der === undefined || !verified ? undefined : describeCertificate(der),
    peerDer: der === undefined ? undefined : Buffer.from(der).toString("base64"),
  };
}

/** The runtimes do not tell the length of the key, but every cipher has it in its name. */
function secretBits(name: string): number {
  if (/256|CHACHA20/.test(name.replace(/SHA\d+$/, ""))) return 256;
  return /DES-CBC3|3DES/.test(name) ? 112 : 128;
}
