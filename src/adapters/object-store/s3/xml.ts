/**
 * The little of S3's XML that we read. Answers come from outside, so what is not found is undefined and nothing is
 * evaluated: no DTD, no entity but the five of XML and numbers.
 */

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w{1,4}));/g, (whole, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}

/** Text of the first element of this name; its content has no elements. */
export function elementText(xml: string, name: string): string | undefined {
  const match = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml);
  return match === null ? undefined : unescape(match[1] as string);
}

export interface ListedPage {
  readonly keys: readonly string[];
  /** Undefined: the last page. */
  readonly nextToken: string | undefined;
}

/** Answer of ListObjectsV2 with `encoding-type=url`; undefined: it is none. */
export function readListing(xml: string): ListedPage | undefined {
  if (!xml.includes("<ListBucketResult")) return undefined;
  const encoded = elementText(xml, "EncodingType") === "url";
  const keys = [...xml.matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) => unescape(match[1] as string));
  const nextToken = elementText(xml, "IsTruncated") === "true" ? elementText(xml, "NextContinuationToken") : undefined;
  return { keys: encoded ? keys.map(decoded) : keys, nextToken };
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    return key;
  }
}
