/** TLS settings of a plugin in the words of `node:tls`. What is costly to prepare is kept for the next connection. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import * as tls from "node:tls";
import { NetworkError, type TlsSettings } from "../../ports/plugin-network.ts";
import { SECURE_CONTEXTS_MAX, TRUST_CERTIFICATES_MAX, TRUST_TEXT_LENGTH_MAX } from "./limits.ts";

const CERTIFICATE_BEGIN = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/g;

export class TlsOptions {
  /** By the hash of what they were made of; the last used is the last. */
  readonly #contexts = new Map<string, tls.SecureContext>();

  /** Throws `NetworkError` `SSL_ERROR`, or what `node:tls` throws when certificate, key or ciphers are unusable. */
  for(settings: TlsSettings): tls.ConnectionOptions {
    const { serverName, verify, checkName, alpn } = settings;
    return {
      secureContext: this.#context(settings),
      // An empty one sends none: without it some runtimes make one up.
      servername: serverName === undefined || isIP(serverName) !== 0 ? "" : serverName,
      rejectUnauthorized: verify,
      checkServerIdentity: (_host, certificate) => (checkName && serverName !== undefined ? tls.checkServerIdentity(serverName, certificate) : undefined),
      ...(alpn === undefined || alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
    };
  }

  #context({ defaultTrust, trust, certificate, key, passphrase, ciphers, versionMin, versionMax }: TlsSettings): tls.SecureContext {
    const parts = JSON.stringify([defaultTrust, trust, certificate, key, passphrase, ciphers, versionMin, versionMax]);
    const hash = createHash("sha256").update(parts).digest("base64");
    let context = this.#contexts.get(hash);
    if (context === undefined) {
      const ca = trustedBy(defaultTrust, trust);
      context = tls.createSecureContext({
        ...(ca === undefined ? {} : { ca: [...ca] }),
        ...withoutUndefined({ cert: certificate, key, passphrase, ciphers, minVersion: versionMin, maxVersion: versionMax }),
      });
    }
    this.#contexts.delete(hash);
    this.#contexts.set(hash, context);
    const [oldest] = this.#contexts.keys();
    if (this.#contexts.size > SECURE_CONTEXTS_MAX && oldest !== undefined) this.#contexts.delete(oldest);
    return context;
  }
}

/** Undefined: the runtime's own store, which is cheaper than to name what is in it. */
function trustedBy(defaultTrust: boolean, trust: string | undefined): readonly string[] | undefined {
  if (trust === undefined || trust.trim() === "") return defaultTrust ? undefined : [];
  const certificates = trust.match(CERTIFICATE_BEGIN)?.length ?? 0;
  if (certificates === 0) throw new NetworkError("SSL_ERROR", "[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found");
  if (certificates > TRUST_CERTIFICATES_MAX || trust.length > TRUST_TEXT_LENGTH_MAX) {
    throw new NetworkError("SSL_ERROR", `[SSL] at most ${TRUST_CERTIFICATES_MAX} certificates, with ${TRUST_TEXT_LENGTH_MAX} characters, can be trusted by a connection`);
  }
  return defaultTrust ? [...defaultCertificates(), trust] : [trust];
}

let known: readonly string[] | undefined;

/** What the runtime trusts when nothing is said, `NODE_EXTRA_CA_CERTS` included. */
function defaultCertificates(): readonly string[] {
  // Node 20 cannot tell it itself.
  const tell = (tls as { readonly getCACertificates?: (type: "default") => readonly string[] }).getCACertificates;
  known ??= tell?.("default") ?? [...tls.rootCertificates, ...extraCertificates()];
  return known;
}

function extraCertificates(): readonly string[] {
  const path = process.env["NODE_EXTRA_CA_CERTS"];
  if (path === undefined || path === "") return [];
  try {
    return [readFileSync(path, "utf8")];
  } catch {
    // Node itself warns about it when it starts.
    return [];
  }
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
