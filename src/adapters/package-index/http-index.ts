/** A package index over HTTP, with credentials from the URL, redirects, and folders of wheels for `--find-links`. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { INDEX_PAGE_BYTES_MAX } from "../../core/packages/limits.ts";
import { type IndexFile, parseSimplePage, SIMPLE_ACCEPT } from "../../core/packages/simple-index.ts";
import type { PackageIndex } from "../../ports/package-index.ts";
import { REDIRECTS_MAX, REQUEST_MS_MAX, TRIES_MAX, TRY_AGAIN_MS } from "./limits.ts";

interface Answer {
  readonly status: number;
  readonly url: string;
  readonly contentType: string;
  readonly body: Uint8Array;
}

type Progress = (bytes: number, total: number | undefined) => void;

/** `tryAgainMs`: pause before a second try. */
export function createHttpPackageIndex({ tryAgainMs = TRY_AGAIN_MS }: { readonly tryAgainMs?: number } = {}): PackageIndex {
  const get = (url: string, options: GetOptions): Promise<Answer> => getWithRetries(url, options, tryAgainMs);
  return {
    async project(indexUrl, name) {
      const answer = await get(`${indexUrl.replace(/\/+$/, "")}/${name}/`, { bytesMax: INDEX_PAGE_BYTES_MAX, accept: SIMPLE_ACCEPT });
      if (answer.status === 404) return undefined;
      return page(answer);
    },
    async links(location) {
      if (/^https?:/i.test(location)) return page(await get(location, { bytesMax: INDEX_PAGE_BYTES_MAX, accept: SIMPLE_ACCEPT }));
      return folderOf(location.startsWith("file:") ? fileURLToPath(location) : location);
    },
    async download(url, { bytesMax, onProgress }) {
      if (url.startsWith("file:")) return readLocal(fileURLToPath(url), bytesMax);
      const answer = await get(url, { bytesMax, ...(onProgress === undefined ? {} : { onProgress }) });
      if (answer.status !== 200) throw unavailable(url, `it answered ${answer.status}`);
      return answer.body;
    },
  };
}

function page({ status, url, contentType, body }: Answer): readonly IndexFile[] {
  if (status !== 200) throw unavailable(url, `it answered ${status}`);
  const files = parseSimplePage(new TextDecoder().decode(body), contentType, (href) => absolute(href, url));
  if (files === undefined) throw unavailable(url, "its answer is no page of a package index");
  return files;
}

function absolute(href: string, base: string): string | undefined {
  if (!URL.canParse(href, base)) return undefined;
  const url = new URL(href, base);
  return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
}

async function folderOf(folder: string): Promise<readonly IndexFile[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw unavailable(folder, messageOf(error));
  });
  return names.filter((name) => name.endsWith(".whl") || name.endsWith(".tar.gz")).map((fileName) => ({
    fileName, url: pathToFileURL(join(folder, fileName)).href, sha256: undefined, requiresPython: undefined, yanked: undefined, metadata: undefined,
  }));
}

async function readLocal(path: string, bytesMax: number): Promise<Uint8Array> {
  if ((await stat(path)).size > bytesMax) throw tooLarge(path, bytesMax);
  return readFile(path);
}

interface GetOptions {
  readonly bytesMax: number;
  readonly accept?: string;
  readonly onProgress?: Progress;
}

/** Tries again what may pass: broken connections and statuses of 500 and above. */
async function getWithRetries(url: string, options: GetOptions, tryAgainMs: number): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await follow(url, options);
      if (answer.status < 500 || attempt >= TRIES_MAX) return answer;
    } catch (error) {
      if (error instanceof DatabaseError) throw error;
      if (attempt >= TRIES_MAX) throw unavailable(url, innermost(error), error);
    }
    await new Promise((resolve) => setTimeout(resolve, tryAgainMs * attempt));
  }
}

/** Credentials go to the host that they were given for, and to no other that it sends us to. */
async function follow(first: string, { bytesMax, accept, onProgress }: GetOptions): Promise<Answer> {
  const { url: start, authorization } = withoutCredentials(first);
  const { origin } = new URL(start);
  let url = start;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const response = await fetch(url, {
      redirect: "manual",
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
      headers: { "user-agent": "tidemark", ...(accept === undefined ? {} : { accept }), ...(authorization !== undefined && new URL(url).origin === origin ? { authorization } : {}) },
    });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null) {
      return { status: response.status, url, contentType: response.headers.get("content-type") ?? "", body: await bodyOf(response, url, { bytesMax, ...(onProgress === undefined ? {} : { onProgress }) }) };
    }
    await response.body?.cancel();
    const next = absolute(location, url);
    if (next === undefined || (url.startsWith("https:") && next.startsWith("http:"))) throw unavailable(first, "it redirects to an address that is not safe");
    url = next;
  }
  throw unavailable(first, `it redirects more than ${REDIRECTS_MAX} times`);
}

async function bodyOf(response: Response, url: string, { bytesMax, onProgress }: GetOptions): Promise<Uint8Array> {
  const declared = Number(response.headers.get("content-length") ?? Number.NaN);
  const total = Number.isNaN(declared) ? undefined : declared;
  if (total !== undefined && total > bytesMax) throw tooLarge(url, bytesMax);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > bytesMax) throw tooLarge(url, bytesMax);
    chunks.push(chunk);
    onProgress?.(size, total);
  }
  return Buffer.concat(chunks, size);
}

function withoutCredentials(text: string): { readonly url: string; readonly authorization: string | undefined } {
  if (!URL.canParse(text)) throw unavailable(text, "it is no URL");
  const url = new URL(text);
  const { username, password } = url;
  url.username = url.password = "";
  const authorization = username === "" && password === "" ? undefined : `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`;
  return { url: url.href, authorization };
}

function innermost(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return messageOf(current);
}

/** Never with the credentials that the URL may hold. */
const shown = (url: string): string => url.replace(/\/\/[^/@]*@/, "//");

function unavailable(url: string, why: string, cause?: unknown): DatabaseError {
  return new DatabaseError("package.index_unavailable", {
    message: `The package index "${shown(url)}" cannot be read: ${why}`,
    hint: "check --index-url and the network, or give a folder of wheels: --no-index --find-links DIR",
    ...(cause === undefined ? {} : { cause }),
  });
}

function tooLarge(url: string, bytesMax: number): DatabaseError {
  return new DatabaseError("package.corrupt", { message: `"${shown(url)}" is larger than ${bytesMax} bytes`, hint: "packages of that size are not installed" });
}
