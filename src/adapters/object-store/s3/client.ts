/**
 * Requests to an S3 bucket: signed (AWS Signature Version 4, the body's hash included), each attempt with a time limit,
 * repeated with growing random pauses while the fault may pass, and never longer than a bound.
 */
import { AwsV4Signer } from "aws4fetch";
import type { DatabaseError } from "../../../core/errors/database-error.ts";
import { CONNECTIONS_DEFAULT, REQUEST_TIMEOUT_MS_DEFAULT, RETRIES_DEFAULT, RETRY_PAUSE_MS, RETRY_PAUSE_MS_MAX, RETRY_TIMEOUT_MS_DEFAULT } from "../limits.ts";
import { Slots } from "../slots.ts";
import { type Failure, failureOfAnswer, failureOfThrown, mayPass, storeError } from "./errors.ts";
import type { S3Credentials, S3Settings } from "./settings.ts";

export interface S3Request {
  /** For messages, such as "Reading 'n0/catalog'". */
  readonly what: string;
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Object path; undefined: the bucket itself. */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Statuses beside 2xx that are an answer and not a failure. */
  readonly accept?: readonly number[];
  /** Looks for a failure in an answer of status 200: some S3 calls tell it in the body. */
  readonly failureIn?: (body: string) => Failure | undefined;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** It took more than one attempt: an earlier one may have had its effect. */
  readonly repeated: boolean;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export class S3Client {
  readonly #settings: S3Settings;
  readonly #connections: Slots;
  /** Signing keys of the day. */
  #signingKeys = new Map<string, ArrayBuffer>();

  constructor(settings: S3Settings) {
    this.#settings = settings;
    this.#connections = new Slots(settings.connectionsMax ?? CONNECTIONS_DEFAULT);
  }

  /** Throws `object_store.unavailable`. */
  async send(request: S3Request): Promise<S3Answer> {
    const { clock, random, onRetry, retriesMax = RETRIES_DEFAULT, retryTimeoutMs = RETRY_TIMEOUT_MS_DEFAULT } = this.#settings;
    const startMs = clock.monotonicMs();
    for (let attempt = 0; ; attempt++) {
      const credentials = await this.#settings.credentials();
      const outcome = await this.#connections.use(() => this.#attempt(request, credentials));
      if (outcome.failure === undefined) return { ...outcome.answer, repeated: attempt > 0 };
      const pauseMs = random() * Math.min(RETRY_PAUSE_MS * 2 ** attempt, RETRY_PAUSE_MS_MAX);
      const late = clock.monotonicMs() + pauseMs - startMs > retryTimeoutMs;
      if (attempt >= retriesMax || late || !mayPass(outcome.failure)) throw this.error(request.what, outcome.failure, credentials);
      onRetry?.();
      await new Promise<void>((resolve) => void clock.after(pauseMs, resolve));
    }
  }

  error(what: string, failure: Failure, credentials?: S3Credentials): DatabaseError {
    return storeError(what, failure, this.#settings, credentials);
  }

  async #attempt(request: S3Request, credentials: S3Credentials | undefined): Promise<{ readonly failure: Failure } | { readonly failure: undefined; readonly answer: Omit<S3Answer, "repeated"> }> {
    const { clock, requestTimeoutMs = REQUEST_TIMEOUT_MS_DEFAULT } = this.#settings;
    const stop = new AbortController();
    const cancel = clock.after(requestTimeoutMs, () => stop.abort(new DOMException(`no answer within ${requestTimeoutMs} ms`, "TimeoutError")));
    try {
      const { url, headers } = await this.#signed(request, credentials);
      const response = await fetch(url, { method: request.method, headers, signal: stop.signal, redirect: "manual", ...(request.body === undefined ? {} : { body: request.body as Uint8Array<ArrayBuffer> }) });
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (!response.ok && request.accept?.includes(response.status) !== true) return { failure: failureOfAnswer(response.status, text(bytes)) };
      const told = response.ok ? request.failureIn?.(text(bytes)) : undefined;
      return told === undefined ? { failure: undefined, answer: { status: response.status, headers: response.headers, bytes } } : { failure: told };
    } catch (error) {
      return { failure: failureOfThrown(stop.signal.aborted ? stop.signal.reason : error) };
    } finally {
      cancel();
    }
  }

  async #signed(request: S3Request, credentials: S3Credentials | undefined): Promise<{ readonly url: URL; readonly headers: Headers }> {
    const { endpoint, bucket, region, clock } = this.#settings;
    const base = endpoint.pathname.endsWith("/") ? endpoint.pathname : `${endpoint.pathname}/`;
    const url = new URL(`${base}${bucket}${request.path === undefined ? "" : `/${request.path}`}`, endpoint);
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
    const headers = new Headers(request.headers);
    if (credentials === undefined) return { url, headers };
    headers.set("x-amz-content-sha256", await sha256(request.body ?? new Uint8Array()));
    const datetime = new Date(Number(clock.nowNs() / 1_000_000n)).toISOString().replace(/[:-]|\.\d{3}/g, "");
    // The keys of another day or of other credentials are not needed again.
    if (this.#signingKeys.size > 1) this.#signingKeys = new Map();
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const signer = new AwsV4Signer({
      method: request.method, url: url.href, headers, accessKeyId, secretAccessKey, region, service: "s3", datetime, cache: this.#signingKeys, ...(sessionToken === undefined ? {} : { sessionToken }),
    });
    return signer.sign();
  }
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
