/**
 * A small S3 on loopback for tests: path-style objects, conditional puts, listing in pages, uploads in parts. It checks
 * every signature with a derivation of its own (AWS Signature Version 4, from node:crypto), and answers with errors,
 * silence or a cut line when it is told to.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono, type Context } from "hono";

export interface S3DoubleOptions {
  readonly bucket?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly region?: string;
  /** Keys of one listing page. */
  readonly pageSize?: number;
  /** False: as a store that ignores `If-None-Match`. */
  readonly conditionalPuts?: boolean;
}

export interface S3Call {
  readonly method: string;
  /** Key; empty for the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
}

/**
 * What happens to a call instead of its answer: `{ status, code }` answers so, before the effect; `refuse` closes the
 * line before the effect, `lose` after it; `hang` never answers, without effect.
 */
export type Fault = { readonly status: number; readonly code: string; readonly text?: string } | "refuse" | "lose" | "hang";

interface Stored {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Upload {
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly parts: Map<number, { readonly bytes: Uint8Array; readonly etag: string }>;
}

interface Outcome {
  readonly status: number;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
}

const MIN_PART_BYTES = 5_242_880;

const etagOf = (bytes: Uint8Array): string => `"${createHash("md5").update(bytes).digest("hex")}"`;
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const escapeXml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const failed = (status: number, code: string, message = code): Outcome => ({
  status, headers: { "content-type": "application/xml" }, body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message><RequestId>0</RequestId></Error>`,
});
const xml = (body: string): Outcome => ({ status: 200, headers: { "content-type": "application/xml" }, body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}` });

export class S3Double {
  readonly objects: Map<string, Stored> = new Map();
  readonly uploads: Map<string, Upload> = new Map();
  /** Every call that came in, faulty ones too. */
  readonly calls: S3Call[] = [];
  /** Asked for each call, in order. */
  fault: (call: S3Call, index: number) => Fault | undefined = () => undefined;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly #options: S3DoubleOptions;
  readonly #app = new Hono<{ Bindings: { incoming: IncomingMessage } }>();
  #server: Server | undefined;
  #port = 0;
  #uploadIds = 0;
  #conditional = 0;

  constructor(options: S3DoubleOptions = {}) {
    this.#options = options;
    this.bucket = options.bucket ?? "bucket";
    this.accessKeyId = options.accessKeyId ?? "AKIDEXAMPLE";
    this.secretAccessKey = options.secretAccessKey ?? "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    this.#app.all("*", (c) => this.#handle(c));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Flags of `serve` that use it. */
  get flags(): readonly string[] {
    return [
      "--object-store", "s3", "--bucket", this.bucket, "--aws-endpoint", this.url, "--aws-allow-http",
      "--aws-access-key-id", this.accessKeyId, "--aws-secret-access-key", this.secretAccessKey,
    ];
  }

  /** On the same port as before, once it had one. */
  async start(): Promise<this> {
    const server = createServer(getRequestListener(this.#app.fetch, { overrideGlobalObjects: false }));
    this.#server = server;
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    return this;
  }

  /** Objects stay; connections are cut. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  text(key: string): string | undefined {
    const stored = this.objects.get(key);
    return stored === undefined ? undefined : new TextDecoder().decode(stored.bytes);
  }

  async #handle(c: Context<{ Bindings: { incoming: IncomingMessage } }>): Promise<Response> {
    const url = new URL(c.req.url);
    const body = new Uint8Array(await c.req.arrayBuffer());
    const [, bucket, ...rest] = url.pathname.split("/").map(decodeURIComponent);
    const call: S3Call = { method: c.req.method, key: rest.join("/"), query: url.searchParams };
    this.calls.push(call);
    const fault = this.fault(call, this.calls.length - 1);
    const cut = (): Response => {
      c.env.incoming.socket.destroy();
      return new Response();
    };
    if (fault === "refuse") return cut();
    if (fault === "hang") return new Promise(() => undefined);
    const refusal = typeof fault === "object" ? failed(fault.status, fault.code, fault.text) : (this.#unsigned(c.req.raw, url, body) ?? (bucket === this.bucket ? undefined : failed(404, "NoSuchBucket", "The specified bucket does not exist")));
    const outcome = refusal ?? this.#answer(call, c.req.raw.headers, body);
    if (fault === "lose") return cut();
    return new Response(c.req.method === "HEAD" ? null : (outcome.body ?? null), { status: outcome.status, headers: outcome.headers ?? {} });
  }

  #answer(call: S3Call, headers: Headers, body: Uint8Array<ArrayBuffer>): Outcome {
    const { method, key, query } = call;
    if (key === "") return method === "GET" && query.get("list-type") === "2" ? this.#list(query) : failed(405, "MethodNotAllowed");
    if (method === "POST") return query.has("uploads") ? this.#beginUpload(key, headers) : this.#completeUpload(key, query, body);
    if (method === "PUT") return query.has("partNumber") ? this.#putPart(query, body) : this.#put(key, headers, body);
    if (method === "DELETE") {
      if (query.has("uploadId")) return this.uploads.delete(query.get("uploadId") ?? "") ? { status: 204 } : failed(404, "NoSuchUpload");
      this.objects.delete(key);
      return { status: 204 };
    }
    const stored = this.objects.get(key);
    if (stored === undefined) return failed(404, "NoSuchKey", "The specified key does not exist.");
    return { status: 200, headers: { etag: etagOf(stored.bytes), ...stored.metadata }, body: stored.bytes };
  }

  #put(key: string, headers: Headers, bytes: Uint8Array<ArrayBuffer>): Outcome {
    if (headers.get("if-none-match") === "*" && this.#options.conditionalPuts !== false) {
      this.#conditional++;
      if (this.objects.has(key)) return failed(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    }
    this.objects.set(key, { bytes, metadata: metadataOf(headers) });
    return { status: 200, headers: { etag: etagOf(bytes) } };
  }

  #list(query: URLSearchParams): Outcome {
    const prefix = query.get("prefix") ?? "";
    const after = query.get("continuation-token") === null ? "" : Buffer.from(query.get("continuation-token") ?? "", "base64").toString();
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, Math.min(Number(query.get("max-keys") ?? 1000), this.#options.pageSize ?? 1000));
    const truncated = page.length < keys.length;
    const shown = (key: string): string => escapeXml(query.get("encoding-type") === "url" ? encodeURIComponent(key) : key);
    return xml(
      `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${this.bucket}</Name><KeyCount>${page.length}</KeyCount><IsTruncated>${truncated}</IsTruncated>` +
        (truncated ? `<NextContinuationToken>${Buffer.from(page.at(-1) ?? "").toString("base64")}</NextContinuationToken>` : "") +
        (query.get("encoding-type") === "url" ? "<EncodingType>url</EncodingType>" : "") +
        page.map((key) => `<Contents><Key>${shown(key)}</Key><Size>${this.objects.get(key)?.bytes.length}</Size></Contents>`).join("") + "</ListBucketResult>",
    );
  }

  #beginUpload(key: string, headers: Headers): Outcome {
    const id = `upload-${++this.#uploadIds}`;
    this.uploads.set(id, { key, metadata: metadataOf(headers), parts: new Map() });
    return xml(`<InitiateMultipartUploadResult><Bucket>${this.bucket}</Bucket><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  }

  #putPart(query: URLSearchParams, bytes: Uint8Array): Outcome {
    const upload = this.uploads.get(query.get("uploadId") ?? "");
    if (upload === undefined) return failed(404, "NoSuchUpload");
    upload.parts.set(Number(query.get("partNumber")), { bytes, etag: etagOf(bytes) });
    return { status: 200, headers: { etag: etagOf(bytes) } };
  }

  #completeUpload(key: string, query: URLSearchParams, body: Uint8Array): Outcome {
    const id = query.get("uploadId") ?? "";
    const upload = this.uploads.get(id);
    if (upload === undefined || upload.key !== key) return failed(404, "NoSuchUpload", "The specified upload does not exist.");
    const listed = [...new TextDecoder().decode(body).matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)];
    const parts = listed.map((match) => ({ part: upload.parts.get(Number(match[1])), etag: match[2] }));
    if (parts.some(({ part, etag }) => part === undefined || part.etag !== etag)) return failed(400, "InvalidPart");
    if (parts.slice(0, -1).some(({ part }) => (part?.bytes.length ?? 0) < MIN_PART_BYTES)) return failed(400, "EntityTooSmall");
    this.objects.set(key, { bytes: new Uint8Array(Buffer.concat(parts.map(({ part }) => part?.bytes ?? new Uint8Array()))), metadata: upload.metadata });
    this.uploads.delete(id);
    return xml(`<CompleteMultipartUploadResult><Key>${escapeXml(key)}</Key></CompleteMultipartUploadResult>`);
  }

  /** Undefined: the signature is right. */
  #unsigned(request: Request, url: URL, body: Uint8Array): Outcome | undefined {
    const pattern = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
    const match = pattern.exec(request.headers.get("authorization") ?? "");
    if (match === null) return failed(403, "AccessDenied", "Access Denied");
    const [, keyId, day, region, signedHeaders, signature] = match as unknown as [string, string, string, string, string, string];
    if (keyId !== this.accessKeyId) return failed(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.");
    if (region !== (this.#options.region ?? "us-east-1")) return failed(400, "AuthorizationHeaderMalformed", `The authorization header is malformed; the region '${region}' is wrong`);
    const payloadHash = request.headers.get("x-amz-content-sha256") ?? "";
    if (payloadHash !== createHash("sha256").update(body).digest("hex")) return failed(400, "XAmzContentSHA256Mismatch");
    const names = signedHeaders.split(";");
    for (const needed of ["host", "x-amz-date", "x-amz-content-sha256"]) if (!names.includes(needed)) return failed(403, "AccessDenied", `${needed} is not signed`);
    const date = request.headers.get("x-amz-date") ?? "";
    const encode = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
    const search = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort().join("&");
    const canonical = [request.method, url.pathname.split("/").map((part) => encode(decodeURIComponent(part))).join("/"), search, ...names.map((name) => `${name}:${(request.headers.get(name) ?? "").trim()}`), "", signedHeaders, payloadHash].join("\n");
    const toSign = ["AWS4-HMAC-SHA256", date, `${day}/${region}/s3/aws4_request`, createHash("sha256").update(canonical).digest("hex")].join("\n");
    const key = [day, region, "s3", "aws4_request"].reduce<string | Buffer>((secret, step) => hmac(secret, step), `AWS4${this.secretAccessKey}`);
    const good = date.startsWith(day) && timingSafeEqual(hmac(key, toSign), Buffer.from(signature, "hex"));
    return good ? undefined : failed(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.");
  }

  /** Conditional puts seen. */
  get conditionalPuts(): number {
    return this.#conditional;
  }
}

function metadataOf(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith("x-amz-meta-")));
}
