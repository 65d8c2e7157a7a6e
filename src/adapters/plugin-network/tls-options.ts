/** TLS settings of a plugin in the words of `node:tls`. What is costly to prepare is kept for the next connection. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import * as tls from "node:tls";
import { NetworkError, type TlsSettings } from "../../ports/plugin-network.ts";
import { SECURE_CONTEXTS_MAX, TRUST_CERTIFICATES_AT_ONCE, TRUST_CERTIFICATES_MAX, TRUST_TEXT_LENGTH_MAX } from "./limits.ts";

const CERTIFICATE = /-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----[^-]*-----END \1-----/g;

export class TlsOptions {
  /** By the hash of what they were made of; the last used is the last. */
  readonly #contexts = new Map<string, Promise<tls.SecureContext>>();

  /** Rejects with `NetworkError` `SSL_ERROR`, or what `node:tls` throws when certificate, key or ciphers are unusable. */
  async for(settings: TlsSettings): Promise<tls.ConnectionOptions> {
    const { serverName, verify, checkName, alpn } = settings;
    return {
      secureContext: await this.#context(settings),
      // An empty one sends none: without it some runtimes make one up.
      servername: serverName === undefined || isIP(serverName) !== 0 ? "" : serverName,
      rejectUnauthorized: verify,
      checkServerIdentity: (_host, certificate) => (checkName && serverName !== undefined ? tls.checkServerIdentity(serverName, certificate) : undefined),
      ...(alpn === undefined || alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
    };
  }

  #context(settings: TlsSettings): Promise<tls.SecureContext> {
    const { defaultTrust, trust, certificate, key, passphrase, ciphers, versionMin, versionMax } = settings;
    const parts = JSON.stringify([defaultTrust, trust, certificate, key, passphrase, ciphers, versionMin, versionMax]);
    const hash = createHash("sha256").update(parts).digest("base64");
    const kept = this.#contexts.get(hash);
    const context = kept ?? prepare(settings);
    this.#contexts.delete(hash);
    this.#contexts.set(hash, context);
    if (kept === undefined) context.catch(() => this.#contexts.delete(hash));
    const [oldest] = this.#contexts.keys();
    if (this.#contexts.size > SECURE_CONTEXTS_MAX && oldest !== undefined) this.#contexts.delete(oldest);
    return context;
  }
}

async function prepare({ defaultTrust, trust, certificate, key, passphrase, ciphers, versionMin, versionMax }: TlsSettings): Promise<tls.SecureContext> {
  const given = withoutUndefined({ cert: certificate, key, passphrase, ciphers, minVersion: versionMin, maxVersion: versionMax });
  const ca = trustedBy(defaultTrust, trust);
  if (ca === undefined) return tls.createSecureContext(given);
  // Node takes 0.3 ms for each, which at once would stop everything else for long: it gets them by and by. The others are a
  // hundred times as fast, and do not take more later.
  const context = tls.createSecureContext({ ...given, ca: [] });
  const { addCACert } = (context.context ?? {}) as { readonly addCACert?: (certificate: string) => void };
  if (addCACert === undefined || isOtherRuntime) return tls.createSecureContext({ ...given, ca: [...ca] });
  for (let at = 0; at < ca.length; at += TRUST_CERTIFICATES_AT_ONCE) {
    for (const each of ca.slice(at, at + TRUST_CERTIFICATES_AT_ONCE)) addCACert.call(context.context, each);
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  return context;
}

const isOtherRuntime = "Deno" in globalThis || "Bun" in globalThis;

/** Undefined: the runtime's own store, which is cheaper than to name what is in it. */
function trustedBy(defaultTrust: boolean, trust: string | undefined): readonly string[] | undefined {
  if (trust === undefined || trust.trim() === "") return defaultTrust ? undefined : [];
  if (trust.length > TRUST_TEXT_LENGTH_MAX) throw new NetworkError("SSL_ERROR", `[SSL] what a connection trusts has at most ${TRUST_TEXT_LENGTH_MAX} characters`);
  const certificates = trust.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new NetworkError("SSL_ERROR", "[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found");
  if (certificates.length > TRUST_CERTIFICATES_MAX) throw new NetworkError("SSL_ERROR", `[SSL] a connection trusts at most ${TRUST_CERTIFICATES_MAX} certificates besides the host's`);
  return defaultTrust ? [...defaultCertificates(), ...certificates] : certificates;
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
