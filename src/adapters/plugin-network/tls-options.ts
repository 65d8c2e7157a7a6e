/** TLS settings of a plugin in the words of `node:tls`. What is costly to prepare is kept for the next connection. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import * as tls from "node:tls";
import { NetworkError, type TlsSettings } from "../../ports/plugin-network.ts";
import {
  CIPHERS_LENGTH_MAX, CONTEXT_TEXT_LENGTH, HOST_TRUST_TEXT_LENGTH, PASSPHRASE_LENGTH_MAX, PROTOCOL_LENGTH_MAX, PROTOCOLS_MAX, SECURE_CONTEXTS_MAX,
  SECURE_CONTEXTS_TEXT_LENGTH_MAX, SERVER_NAME_LENGTH_MAX, TRUST_CERTIFICATES_AT_ONCE, TRUST_CERTIFICATES_MAX, TRUST_TEXT_LENGTH_MAX,
} from "./limits.ts";
import { ownChain, ownKey } from "./tls-identity.ts";

const CERTIFICATE = /-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----[^-]*-----END \1-----/g;

interface Kept {
  readonly context: Promise<tls.SecureContext>;
  readonly textLength: number;
}

/** What one run may still have prepared, in characters. */
export interface PreparingBudget {
  textLength: number;
}

export class TlsOptions {
  /** By the hash of what they were made of; the last used is the last. */
  readonly #contexts = new Map<string, Kept>();
  #textLength = 0;
  #lastPiece: Promise<void> = Promise.resolve();

  /** Rejects with `NetworkError` `SSL_ERROR`, or what `node:tls` throws when certificate, key or ciphers are unusable. */
  async for(settings: TlsSettings, budget: PreparingBudget): Promise<tls.ConnectionOptions> {
    checkLengths(settings);
    const { serverName, verify, checkName, alpn } = settings;
    return {
      secureContext: await this.#context(settings, budget),
      // An empty one sends none: without it some runtimes make one up.
      servername: serverName === undefined || isIP(serverName) !== 0 ? "" : serverName,
      rejectUnauthorized: verify,
      checkServerIdentity: (_host, certificate) => (checkName && serverName !== undefined ? tls.checkServerIdentity(serverName, certificate) : undefined),
      ...(alpn === undefined || alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
    };
  }

  #context(settings: TlsSettings, budget: PreparingBudget): Promise<tls.SecureContext> {
    const { defaultTrust, trust, certificate, key, passphrase, ciphers, versionMin, versionMax } = settings;
    const parts = JSON.stringify([defaultTrust, trust, certificate, key, passphrase, ciphers, versionMin, versionMax]);
    const hash = createHash("sha256").update(parts).digest("base64");
    const known = this.#contexts.get(hash);
    const kept = known ?? this.#begin(settings, budget, parts.length);
    this.#forget(hash);
    this.#contexts.set(hash, kept);
    this.#textLength += kept.textLength;
    if (known === undefined) kept.context.catch(() => void (this.#contexts.get(hash) === kept && this.#forget(hash)));
    for (const oldest of this.#contexts.keys()) {
      if (this.#contexts.size <= SECURE_CONTEXTS_MAX && this.#textLength <= SECURE_CONTEXTS_TEXT_LENGTH_MAX) break;
      this.#forget(oldest);
    }
    return kept.context;
  }

  #forget(hash: string): void {
    this.#textLength -= this.#contexts.get(hash)?.textLength ?? 0;
    this.#contexts.delete(hash);
  }

  #begin(settings: TlsSettings, budget: PreparingBudget, length: number): Kept {
    const textLength = CONTEXT_TEXT_LENGTH + length + (settings.defaultTrust && isNamed(settings.trust) ? HOST_TRUST_TEXT_LENGTH : 0);
    if (textLength > budget.textLength) throw new NetworkError("SSL_ERROR", "[SSL] one run has used too many different certificates and settings");
    budget.textLength -= textLength;
    return { textLength, context: prepare(settings, () => this.#nextPiece()) };
  }

  /** Pieces of all preparations come one after another, each in a turn of the event loop of its own. */
  #nextPiece(): Promise<void> {
    this.#lastPiece = this.#lastPiece.then(() => new Promise((resolve) => void setImmediate(resolve)));
    return this.#lastPiece;
  }
}

function checkLengths({ serverName = "", trust = "", passphrase = "", ciphers = "", alpn = [] }: TlsSettings): void {
  const isOk =
    serverName.length <= SERVER_NAME_LENGTH_MAX && !/[\s\p{C}]/u.test(serverName) && passphrase.length <= PASSPHRASE_LENGTH_MAX && ciphers.length <= CIPHERS_LENGTH_MAX &&
    alpn.length <= PROTOCOLS_MAX && alpn.every(({ length }) => length >= 1 && length <= PROTOCOL_LENGTH_MAX);
  if (!isOk) throw new NetworkError("SSL_ERROR", "[SSL] a name, password, list of ciphers or of protocols is longer than such things are");
  if (trust.length > TRUST_TEXT_LENGTH_MAX) throw new NetworkError("SSL_ERROR", `[SSL] what a connection trusts has at most ${TRUST_TEXT_LENGTH_MAX} characters`);
}

const isNamed = (text: string | undefined): text is string => text !== undefined && text.trim() !== "";

async function prepare(settings: TlsSettings, nextPiece: () => Promise<void>): Promise<tls.SecureContext> {
  const { defaultTrust, trust, certificate, key, passphrase, ciphers, versionMin, versionMax } = settings;
  const given = withoutUndefined({
    ...bounds(ciphers), passphrase, minVersion: versionMin, maxVersion: versionMax,
    cert: certificate === undefined ? undefined : ownChain(certificate), key: key === undefined ? undefined : ownKey(key),
  });
  const ca = trustedBy(defaultTrust, trust);
  await nextPiece();
  if (ca === undefined) return tls.createSecureContext(given);
  // Node takes 0.3 ms for each, which at once would stop everything else for long: it gets them by and by. The others are a
  // hundred times as fast, and do not take more later.
  const context = tls.createSecureContext({ ...given, ca: [] });
  const { addCACert } = (context.context ?? {}) as { readonly addCACert?: (certificate: string) => void };
  if (addCACert === undefined || isOtherRuntime) return tls.createSecureContext({ ...given, ca: [...ca] });
  for (let at = 0; at < ca.length; at += TRUST_CERTIFICATES_AT_ONCE) {
    for (const each of ca.slice(at, at + TRUST_CERTIFICATES_AT_ONCE)) addCACert.call(context.context, each);
    await nextPiece();
  }
  return context;
}

/**
 * What only OpenSSL, and so only Node, would do for a peer, on the thread that serves everybody: Diffie-Hellman in groups that the peer
 * chooses (2 s for one of 10,000 bits, also among TLS 1.3's own the large ones), and handshakes again as often as it asks for them.
 */
function bounds(ciphers: string | undefined): tls.SecureContextOptions {
  if (isOtherRuntime) return ciphers === undefined ? {} : { ciphers };
  const list = ciphers ?? tls.DEFAULT_CIPHERS;
  // A list of TLS 1.3's names alone means that nothing older is spoken; one more entry would change that.
  const isOlderNamed = list.split(":").some((name) => name !== "" && !name.startsWith("TLS_"));
  return { ciphers: isOlderNamed ? `${list}:!kDHE` : list, ecdhCurve: curves(), secureOptions: SSL_OP_NO_RENEGOTIATION };
}

const SSL_OP_NO_RENEGOTIATION = 0x4000_0000;

let curvesKnown: string | undefined;

/** OpenSSL's own by preference without `ffdhe…`; the first is not known before 3.5. */
function curves(): string {
  return (curvesKnown ??= [`X25519MLKEM768:${OLDER_CURVES}`].find(isKnownCurves) ?? OLDER_CURVES);
}

const OLDER_CURVES = "X25519:P-256:P-384:P-521";

function isKnownCurves(ecdhCurve: string): boolean {
  try {
    tls.createSecureContext({ ecdhCurve });
    return true;
  } catch {
    return false;
  }
}

const isOtherRuntime = "Deno" in globalThis || "Bun" in globalThis;

/** Undefined: the runtime's own store, which is cheaper than to name what is in it. */
function trustedBy(defaultTrust: boolean, trust: string | undefined): readonly string[] | undefined {
  if (!isNamed(trust)) return defaultTrust ? undefined : [];
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
