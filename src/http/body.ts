/**
 * Request bodies: whole, bounded before and after inflating, and only in encodings we know (spec: http-api §4).
 */
import { DatabaseError, messageOf } from "../core/errors/database-error.ts";
import type { Inflations } from "./inflations.ts";

/**
 * Inflates every member of a gzip stream. Resolves to undefined when the result would exceed `sizeMax` bytes, and
 * rejects when the stream is corrupt.
 */
export type Gunzip = (bytes: Uint8Array, sizeMax: number) => Promise<Uint8Array | undefined>;

export interface BodyRules {
  readonly bodySizeMax: number;
  /** A larger body is read as it comes, where the runtime would take memory for all that is announced; undefined: it does not. */
  readonly wholeBodySizeMax?: number | undefined;
  readonly gunzip: Gunzip;
  readonly isUtf8: (bytes: Uint8Array) => boolean;
  /** Bounds the inflated bodies of writes; undefined: there is no bound. */
  readonly inflations?: Inflations | undefined;
  /** Frees bytes at once that nobody needs any more. */
  readonly discard?: ((bytes: Uint8Array) => void) | undefined;
}

export async function readBody(request: Request, rules: BodyRules): Promise<Uint8Array> {
  return decodeBody(await readRawBody(request, rules), request.headers.get("content-encoding") ?? undefined, rules);
}

/** The body as it came. Throws `request.too_large`. */
export async function readRawBody(request: Request, { bodySizeMax: sizeMax, wholeBodySizeMax = sizeMax }: Pick<BodyRules, "bodySizeMax" | "wholeBodySizeMax">): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  const isDeclared = declared !== null;
  if (isDeclared && Number(declared) > sizeMax) throw tooLarge(sizeMax);
  if (isDeclared && Number(declared) <= wholeBodySizeMax) return new Uint8Array(await request.arrayBuffer());
  return request.body === null ? new Uint8Array() : readStream(request.body, sizeMax);
}

async function readStream(stream: ReadableStream<Uint8Array>, sizeMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > sizeMax) {
      void reader.cancel();
      throw tooLarge(sizeMax);
    }
    chunks.push(part.value);
  }
  return joinChunks(chunks, size);
}

function joinChunks(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** Undoes `Content-Encoding`. Throws `request.invalid` and `request.too_large`. */
export async function decodeBody(raw: Uint8Array, encoding: string | undefined, rules: BodyRules): Promise<Uint8Array> {
  if (raw.length > rules.bodySizeMax) throw tooLarge(rules.bodySizeMax);
  if (encoding === undefined || encoding === "identity") return raw;
  if (encoding !== "gzip") {
    throw new DatabaseError("request.invalid", {
      message: `unacceptable content-encoding: ${encoding}`,
      hint: "send the body as it is, or compressed with gzip",
    });
  }
  const inflated = await rules.gunzip(raw, rules.bodySizeMax).catch((error: unknown) => {
    throw new DatabaseError("request.invalid", { message: `error decoding gzip stream: ${messageOf(error)}`, hint: "compress the body with gzip, or leave out the header content-encoding", cause: error });
  });
  if (inflated === undefined) throw tooLarge(rules.bodySizeMax);
  return inflated;
}

export function tooLarge(sizeMax: number): DatabaseError {
  return new DatabaseError("request.too_large", {
    message: `max request size (${sizeMax} bytes) exceeded`,
    hint: "send smaller batches, or start the server with a larger --max-http-request-size",
  });
}
