/**
 * Objects in a bucket of S3 or of a store that speaks its API. A conditional put carries a mark of its own: when a
 * repeated attempt meets an object, the mark tells whether an earlier attempt of ours had its effect and only the answer
 * was lost.
 */
import { DatabaseError } from "../../../core/errors/database-error.ts";
import type { ObjectStore } from "../../../ports/object-store.ts";
import { LIST_PAGES_MAX, PART_BYTES, PARTS_MAX } from "../limits.ts";
import { type S3Answer, S3Client } from "./client.ts";
import { type Failure, failureOfAnswer } from "./errors.ts";
import type { S3Settings } from "./settings.ts";
import { elementText, readListing } from "./xml.ts";

/** User metadata with the mark of a put. */
const MARK_HEADER = "x-amz-meta-tidemark-put";

const NOT_FOUND = 404;
const PRECONDITION_FAILED = 412;

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export function createS3ObjectStore(settings: S3Settings): ObjectStore {
  return new S3ObjectStore(settings);
}

class S3ObjectStore implements ObjectStore {
  readonly #client: S3Client;
  readonly #newMark: () => string;

  constructor(settings: S3Settings) {
    this.#client = new S3Client(settings);
    this.#newMark = settings.randomName;
  }

  async get(path: string): Promise<Uint8Array | undefined> {
    const what = `Reading '${path}'`;
    const answer = await this.#client.send({ what, method: "GET", path: checked(path), accept: [NOT_FOUND] });
    if (answer.status !== NOT_FOUND) return answer.bytes;
    const failure = failureOfAnswer(answer.status, text(answer.bytes));
    // A missing bucket is no missing object.
    if (failure.code === "NoSuchBucket") throw this.#client.error(what, failure);
    return undefined;
  }

  async put(path: string, bytes: Uint8Array, options?: { readonly ifAbsent?: boolean }): Promise<void> {
    checked(path);
    if (options?.ifAbsent === true) return this.#create(path, bytes);
    if (bytes.length > PART_BYTES) return this.#putInParts(path, bytes);
    await this.#client.send({ what: `Writing '${path}'`, method: "PUT", path, body: bytes });
  }

  /** What is created is small (catalog, manifests, one commit of the WAL), so it goes up in one request. */
  async #create(path: string, bytes: Uint8Array): Promise<void> {
    const mark = this.#newMark();
    const headers = { "if-none-match": "*", [MARK_HEADER]: mark };
    const answer = await this.#client.send({ what: `Creating '${path}'`, method: "PUT", path, headers, body: bytes, accept: [PRECONDITION_FAILED] });
    if (answer.status === PRECONDITION_FAILED && !(await this.#isOurs(path, mark))) {
      throw new DatabaseError("object_store.exists", { message: `Object '${path}' exists already`, details: { path } });
    }
  }

  async #isOurs(path: string, mark: string): Promise<boolean> {
    const answer = await this.#client.send({ what: `Looking at '${path}'`, method: "HEAD", path, accept: [NOT_FOUND] });
    return answer.status !== NOT_FOUND && answer.headers.get(MARK_HEADER) === mark;
  }

  /** A part that fails is sent again alone. An upload that fails for good is given up, so that its parts cost nothing. */
  async #putInParts(path: string, bytes: Uint8Array): Promise<void> {
    const what = `Writing '${path}' in parts`;
    const count = Math.ceil(bytes.length / PART_BYTES);
    if (count > PARTS_MAX) throw new DatabaseError("internal.invariant", { message: `Object '${path}' has ${bytes.length} bytes, more than ${PARTS_MAX} parts hold` });
    const mark = this.#newMark();
    const begun = await this.#client.send({ what, method: "POST", path, query: { uploads: "" }, headers: { [MARK_HEADER]: mark } });
    const uploadId = elementText(text(begun.bytes), "UploadId");
    if (uploadId === undefined) throw this.#client.error(what, { status: begun.status, code: "", text: "the answer names no upload" });
    try {
      const parts: string[] = [];
      for (let part = 1; part <= count; part++) {
        const body = bytes.subarray((part - 1) * PART_BYTES, part * PART_BYTES);
        const answer = await this.#client.send({ what, method: "PUT", path, query: { partNumber: String(part), uploadId }, body });
        parts.push(`<Part><PartNumber>${part}</PartNumber><ETag>${escaped(answer.headers.get("etag") ?? "")}</ETag></Part>`);
      }
      await this.#complete(path, what, { uploadId, mark, parts });
    } catch (error) {
      await this.#client.send({ what, method: "DELETE", path, query: { uploadId }, accept: [NOT_FOUND] }).catch(() => undefined);
      throw error;
    }
  }

  async #complete(path: string, what: string, { uploadId, mark, parts }: { readonly uploadId: string; readonly mark: string; readonly parts: readonly string[] }): Promise<void> {
    const body = new TextEncoder().encode(`<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join("")}</CompleteMultipartUpload>`);
    // S3 begins its answer before it is done, so a failure may come with status 200.
    const failureIn = (said: string): Failure | undefined => (said.includes("<Error>") ? failureOfAnswer(500, said) : undefined);
    const answer = await this.#client.send({ what, method: "POST", path, query: { uploadId }, body, accept: [NOT_FOUND], failureIn });
    // The upload is gone when an earlier attempt had its effect.
    if (answer.status === NOT_FOUND && !(await this.#isOurs(path, mark))) throw this.#client.error(what, failureOfAnswer(answer.status, text(answer.bytes)));
  }

  async list(prefix: string): Promise<readonly string[]> {
    const what = `Listing '${prefix}'`;
    const paths: string[] = [];
    let token: string | undefined;
    for (let page = 0; page < LIST_PAGES_MAX; page++) {
      const query = { "list-type": "2", prefix, "encoding-type": "url", ...(token === undefined ? {} : { "continuation-token": token }) };
      const answer: S3Answer = await this.#client.send({ what, method: "GET", query });
      const listing = readListing(text(answer.bytes));
      if (listing === undefined) throw this.#client.error(what, { status: answer.status, code: "", text: "the answer is no listing" });
      paths.push(...listing.keys);
      if (listing.nextToken === undefined) return paths.sort();
      token = listing.nextToken;
    }
    throw this.#client.error(what, { status: 200, code: "", text: `the listing has more than ${LIST_PAGES_MAX} pages` });
  }

  async delete(path: string): Promise<void> {
    await this.#client.send({ what: `Deleting '${path}'`, method: "DELETE", path: checked(path), accept: [NOT_FOUND] });
  }
}

const escaped = (value: string): string => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Throws `internal.invariant` for a path that only a fault of ours could make: it would be read as another URL. */
function checked(path: string): string {
  if (/^[A-Za-z0-9._=-]+(?:\/[A-Za-z0-9._=-]+)*$/.test(path) && !path.split("/").some((part) => part === "." || part === "..")) return path;
  throw new DatabaseError("internal.invariant", { message: `Object path '${path}' is not allowed` });
}
