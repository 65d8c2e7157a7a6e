/**
 * One entry of the grant `net`: `host`, `host:port`, an address, `[v6]:port`, `a.b.c.d/length`, `[v6]/length`, `*.domain`,
 * `self`, `*`. Whatever spelling it was given in, it is kept in one form.
 */
import { canonicalHostName } from "./host-name.ts";
import { endsInNumber, formatAddress, type IpRange, IPV4_PREFIX_LENGTH, isIpv4, parseAddress, parseRange } from "./ip-address.ts";

export type NetworkPlace =
  /** Every place that is no link-local one. */
  | { readonly kind: "any" }
  /** This server's own API. */
  | { readonly kind: "self" }
  | { readonly kind: "name"; readonly name: string }
  /** The names below a domain, not the domain itself. */
  | { readonly kind: "below"; readonly domain: string }
  | { readonly kind: "addresses"; readonly range: IpRange };

/** `port` undefined: every port. */
export type NetworkEntry = NetworkPlace & { readonly port: number | undefined };

export const PORT_MAX = 65_535;
const ADDRESS_BITS = 128;

/** `undefined`: cannot be granted. */
export function parseNetworkEntry(text: string): NetworkEntry | undefined {
  // An IPv6 address without brackets can have no port.
  if (/:.*:/.test(text) && !text.startsWith("[")) return parseNetworkEntry(text.replace(/^([^/]*)/, "[$1]"));
  const [, host = "", digits] = /^(\[[^\]]*\](?:\/\d+)?|[^:]*)(?::([1-9]\d{0,4}))?$/u.exec(text) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  const place = parsePlace(host);
  if (place === undefined || (port !== undefined && (port > PORT_MAX || place.kind === "self"))) return undefined;
  return { ...place, port };
}

function parsePlace(host: string): NetworkPlace | undefined {
  if (host === "*") return { kind: "any" };
  if (host === "self") return { kind: "self" };
  if (host.includes("/")) {
    const range = parseRange(host);
    return range === undefined ? undefined : { kind: "addresses", range };
  }
  const bare = host.startsWith("*.") ? host.slice(2) : host;
  const target = parseHost(bare);
  if (target === undefined) return undefined;
  if (bare !== host) return target.kind === "name" ? { kind: "below", domain: target.name } : undefined;
  return target.kind === "name" ? target : { kind: "addresses", range: { address: target.address, prefixLength: ADDRESS_BITS } };
}

/** What a plugin may name as the host of a connection. */
export type Host = { readonly kind: "name"; readonly name: string } | { readonly kind: "address"; readonly address: bigint };

/** `undefined`: neither a name nor an address. */
export function parseHost(text: string): Host | undefined {
  const address = parseAddress(text);
  if (address !== undefined) return { kind: "address", address };
  const name = canonicalHostName(text);
  if (name === undefined) return undefined;
  // Digits of another script are digits once the name is folded.
  if (!endsInNumber(name)) return { kind: "name", name };
  const folded = parseAddress(name);
  return folded === undefined ? undefined : { kind: "address", address: folded };
}

export const formatHost = (host: Host): string => (host.kind === "name" ? host.name : bracketed(host.address));

const bracketed = (address: bigint): string => (isIpv4(address) ? formatAddress(address) : `[${formatAddress(address)}]`);

function formatPlace(place: NetworkPlace): string {
  switch (place.kind) {
    case "any":
      return "*";
    case "self":
      return "self";
    case "name":
      return place.name;
    case "below":
      return `*.${place.domain}`;
    case "addresses":
      return formatRange(place.range);
  }
}

function formatRange({ address, prefixLength }: IpRange): string {
  if (prefixLength === ADDRESS_BITS) return bracketed(address);
  const ipv4 = isIpv4(address) && prefixLength >= IPV4_PREFIX_LENGTH;
  return ipv4 ? `${formatAddress(address)}/${prefixLength - IPV4_PREFIX_LENGTH}` : `[${formatAddress(address)}]/${prefixLength}`;
}

export const formatNetworkEntry = (entry: NetworkEntry): string => formatPlace(entry) + (entry.port === undefined ? "" : `:${entry.port}`);
