/** Wheels and a package index of our own, for tests: no test needs a real one. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { zipSync } from "fflate";

export interface WheelOptions {
  readonly name: string;
  readonly version: string;
  readonly requires?: readonly string[];
  /** By path; default: one module that knows its version. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Default `py3-none-any`. */
  readonly tag?: string;
  readonly metadata?: readonly string[];
  /** Paths of RECORD that get a wrong hash, or are left out. */
  readonly wrongHashes?: readonly string[];
  readonly unrecorded?: readonly string[];
}

export interface BuiltWheel {
  readonly fileName: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly metadata: string;
}

const encoder = new TextEncoder();
const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64url");

export function buildWheel(options: WheelOptions): BuiltWheel {
  const { name, version, requires = [], tag = "py3-none-any" } = options;
  const module = name.replaceAll("-", "_");
  const files = options.files ?? { [`${module}/__init__.py`]: `__version__ = ${JSON.stringify(version)}\n` };
  const info = `${module}-${version}.dist-info`;
  const metadata = `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${[...requires.map((line) => `Requires-Dist: ${line}`), ...(options.metadata ?? [])].map((line) => `${line}\n`).join("")}\n`;
  const entries: Record<string, Uint8Array> = Object.fromEntries(Object.entries(files).map(([path, content]) => [path, typeof content === "string" ? encoder.encode(content) : content]));
  entries[`${info}/METADATA`] = encoder.encode(metadata);
  entries[`${info}/WHEEL`] = encoder.encode(`Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: ${tag}\n`);
  const record = Object.entries(entries)
    .filter(([path]) => options.unrecorded?.includes(path) !== true)
    .map(([path, bytes]) => `${path},sha256=${options.wrongHashes?.includes(path) === true ? digest(encoder.encode("x")) : digest(bytes)},${bytes.length}`);
  entries[`${info}/RECORD`] = encoder.encode(`${[...record, `${info}/RECORD,,`].join("\n")}\n`);
  const bytes = zipSync(entries, { mtime: new Date(2026, 0, 1) });
  return { fileName: `${module}-${version}-${tag}.whl`, bytes, sha256: createHash("sha256").update(bytes).digest("hex"), metadata };
}

export interface TestIndex {
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** Of the last request to each path. */
  readonly authorizations: Map<string, string | undefined>;
  add(wheel: BuiltWheel, more?: { readonly yanked?: string; readonly requiresPython?: string; readonly sha256?: string; readonly withMetadata?: boolean }): void;
  addFile(fileName: string): void;
  /** Answers this instead, once a path matches. */
  answerWith?: (path: string, request: IncomingMessage) => { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string | Uint8Array } | undefined;
  close(): Promise<void>;
}

interface Listed {
  readonly fileName: string;
  readonly bytes: Uint8Array;
  readonly sha256: string | undefined;
  readonly yanked: string | undefined;
  readonly requiresPython: string | undefined;
  readonly metadata: string | undefined;
}

const projectOf = (fileName: string): string => (fileName.split("-")[0] as string).toLowerCase().replaceAll(/[-_.]+/g, "-");

/** `html`: PEP 503 pages instead of JSON. */
export async function startIndex(style: "json" | "html" = "json"): Promise<TestIndex> {
  const files: Listed[] = [];
  const asked: string[] = [];
  const authorizations = new Map<string, string | undefined>();
  const index: TestIndex = {
    url: "",
    asked,
    authorizations,
    add: ({ fileName, bytes, sha256, metadata }, more = {}) =>
      void files.push({ fileName, bytes, sha256: more.sha256 ?? sha256, yanked: more.yanked, requiresPython: more.requiresPython, metadata: more.withMetadata === false ? undefined : metadata }),
    addFile: (fileName) => void files.push({ fileName, bytes: new Uint8Array(), sha256: undefined, yanked: undefined, requiresPython: undefined, metadata: undefined }),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  const server: Server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    authorizations.set(path, request.headers.authorization);
    const special = index.answerWith?.(path, request);
    if (special !== undefined) {
      response.writeHead(special.status, special.headers).end(special.body);
      return;
    }
    const project = /^\/simple\/([^/]+)\/$/.exec(path)?.[1];
    const found = project === undefined ? [] : files.filter(({ fileName }) => projectOf(fileName) === project);
    if (found.length > 0) response.writeHead(200, { "content-type": style === "json" ? "application/vnd.pypi.simple.v1+json" : "text/html" }).end(style === "json" ? jsonPage(project as string, found) : htmlPage(found));
    else if (path.startsWith("/files/")) sendFile(path.slice("/files/".length));
    else response.writeHead(404).end();

    function sendFile(name: string): void {
      const wanted = files.find(({ fileName }) => fileName === name.replace(/\.metadata$/, ""));
      const body = name.endsWith(".metadata") ? wanted?.metadata : wanted?.bytes;
      response.writeHead(body === undefined ? 404 : 200).end(body);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(index, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple` });
}

const metadataHash = (text: string): string => createHash("sha256").update(text).digest("hex");

const jsonPage = (name: string, files: readonly Listed[]): string =>
  JSON.stringify({
    meta: { "api-version": "1.1" }, name,
    files: files.map(({ fileName, sha256, yanked, requiresPython, metadata }) => ({
      filename: fileName, url: `../../files/${fileName}`, hashes: sha256 === undefined ? {} : { sha256 }, yanked: yanked ?? false,
      ...(requiresPython === undefined ? {} : { "requires-python": requiresPython }), ...(metadata === undefined ? {} : { "core-metadata": { sha256: metadataHash(metadata) } }),
    })),
  });

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const htmlPage = (files: readonly Listed[]): string =>
  `<!DOCTYPE html><html><body>${files
    .map(({ fileName, sha256, yanked, requiresPython, metadata }) => {
      const attributes = [yanked === undefined ? "" : ` data-yanked="${escape(yanked)}"`, requiresPython === undefined ? "" : ` data-requires-python="${escape(requiresPython)}"`, metadata === undefined ? "" : ` data-core-metadata="sha256=${metadataHash(metadata)}"`];
      return `<a href="../../files/${fileName}${sha256 === undefined ? "" : `#sha256=${sha256}`}"${attributes.join("")}>${fileName}</a>`;
    })
    .join("\n")}</body></html>`;
