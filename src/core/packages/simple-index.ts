/** One project's page of a package index: JSON (PEP 691) and HTML (PEP 503), with metadata files (PEP 658) and yanks (PEP 592). */
import { PROJECT_FILES_MAX } from "./limits.ts";

export interface IndexFile {
  readonly fileName: string;
  /** Absolute. */
  readonly url: string;
  /** Hex; undefined: the index gives none. */
  readonly sha256: string | undefined;
  readonly requiresPython: string | undefined;
  /** Why it was withdrawn; empty text: no reason. Undefined: it was not. */
  readonly yanked: string | undefined;
  /** `<url>.metadata` exists; its hash where it is known. */
  readonly metadata: { readonly sha256: string | undefined } | undefined;
}

export const SIMPLE_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/** Makes a link of the page absolute; undefined when it is no http or https URL. */
export type ResolveLink = (href: string) => string | undefined;

/** Undefined when the page is neither. */
export function parseSimplePage(text: string, contentType: string, resolve: ResolveLink): readonly IndexFile[] | undefined {
  return /json/i.test(contentType) ? parseJsonPage(text, resolve) : parseHtmlPage(text, resolve);
}

function parseJsonPage(text: string, resolve: ResolveLink): readonly IndexFile[] | undefined {
  let page: unknown;
  try {
    page = JSON.parse(text);
  } catch {
    return undefined;
  }
  const files = isRecord(page) ? page["files"] : undefined;
  if (!Array.isArray(files)) return undefined;
  return files.slice(0, PROJECT_FILES_MAX).flatMap((file): IndexFile[] => {
    if (!isRecord(file) || typeof file["filename"] !== "string" || typeof file["url"] !== "string") return [];
    const url = resolve(file["url"]);
    if (url === undefined) return [];
    const yanked = file["yanked"];
    const metadata = file["core-metadata"] ?? file["dist-info-metadata"] ?? file["data-dist-info-metadata"];
    return [{
      fileName: file["filename"], url, sha256: sha256Of(file["hashes"]), requiresPython: textOf(file["requires-python"]),
      yanked: yanked === true ? "" : textOf(yanked), metadata: metadata === true || isRecord(metadata) ? { sha256: sha256Of(metadata) } : undefined,
    }];
  });
}

/** Every `<a href>`: the index writes little else, and nothing of it is shown to anyone. */
function parseHtmlPage(text: string, resolve: ResolveLink): readonly IndexFile[] {
  const files: IndexFile[] = [];
  for (const [, attributes = "", label = ""] of text.matchAll(/<a\b([^>]*)>([^<]*)<\/a\s*>/gi)) {
    if (files.length >= PROJECT_FILES_MAX) break;
    const attribute = attributesOf(attributes);
    const href = attribute.get("href");
    const url = href === undefined ? undefined : resolve(href);
    if (url === undefined) continue;
    const metadata = attribute.get("data-core-metadata") ?? attribute.get("data-dist-info-metadata");
    files.push({
      fileName: label.trim(), url: url.split("#")[0] as string, sha256: /^#sha256=([0-9a-f]{64})$/i.exec(url.slice(url.indexOf("#")))?.[1]?.toLowerCase(),
      requiresPython: attribute.get("data-requires-python"), yanked: attribute.get("data-yanked"),
      metadata: metadata === undefined ? undefined : { sha256: /^sha256=([0-9a-f]{64})$/i.exec(metadata)?.[1]?.toLowerCase() },
    });
  }
  return files;
}

function attributesOf(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/([a-zA-Z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/g)].map((match) => [(match[1] as string).toLowerCase(), unescapeHtml(match[2] ?? match[3] ?? match[4] ?? "")]));
}

const ENTITIES: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&#39;": "'", "&#x27;": "'" };
const unescapeHtml = (text: string): string => text.replaceAll(/&(?:lt|gt|amp|quot|#39|#x27);/gi, (entity) => ENTITIES[entity.toLowerCase()] as string);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

function sha256Of(hashes: unknown): string | undefined {
  const digest = isRecord(hashes) ? hashes["sha256"] : undefined;
  return typeof digest === "string" && /^[0-9a-f]{64}$/i.test(digest) ? digest.toLowerCase() : undefined;
}
