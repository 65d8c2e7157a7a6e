/**
 * Addresses of the internet protocol as values that compare. An IPv4 address is its IPv4-mapped IPv6 address, so that no
 * second spelling of one address exists. Texts: RFC 4291 §2.2, RFC 5952; IPv4 in all forms that `inet_aton`, and with it the
 * resolvers of operating systems, accept (`127.1`, `0x7f000001`, `017700000001`), since a check that does not know a form
 * that the resolver knows can be walked around.
 */

/** 128 bits. */
export type IpAddress = bigint;

export interface IpRange {
  readonly address: IpAddress;
  /** 0 … 128, of the 128 bits also for IPv4. */
  readonly prefixLength: number;
}

const MAPPED_PREFIX = 0xffffn << 32n;
const IPV4_BITS = 0xffff_ffffn;
/** Bits in front of an IPv4 address in its mapped form. */
export const IPV4_PREFIX_LENGTH = 96;

const fromIpv4 = (bits: bigint): IpAddress => MAPPED_PREFIX | bits;
export const isIpv4 = (address: IpAddress): boolean => address >> 32n === 0xffffn;

/** `undefined`: not an address. IPv6 with or without brackets; a zone (`%eth0`) is no part of the address. */
export function parseAddress(text: string): IpAddress | undefined {
  if (text.startsWith("[") !== text.endsWith("]")) return undefined;
  const bare = text.startsWith("[") ? text.slice(1, -1) : text;
  if (bare.includes(":")) return parseIpv6(bare.replace(/%[A-Za-z0-9._~-]{1,32}$/, ""));
  return text === bare ? parseIpv4(text) : undefined;
}

/** Whether a host ends in a number: then it is an IPv4 address or nothing, as resolvers and the URL standard have it. */
export const endsInNumber = (host: string): boolean => /(?:^|\.)(?:\d+|0[xX][0-9A-Fa-f]*)\.?$/.test(host);

function parseIpv4(text: string): IpAddress | undefined {
  const parts = text.replace(/\.$/, "").split(".");
  if (parts.length > 4) return undefined;
  const numbers = parts.map(parseNumber);
  const last = numbers.pop();
  if (last === undefined || numbers.some((number) => number === undefined || number > 255)) return undefined;
  if (last >= 256 ** (4 - numbers.length)) return undefined;
  return fromIpv4(numbers.reduce<bigint>((bits, number, index) => bits | (BigInt(number ?? 0) << BigInt(24 - 8 * index)), BigInt(last)));
}

function parseNumber(text: string): number | undefined {
  if (/^0[xX][0-9A-Fa-f]{0,16}$/.test(text)) return Number.parseInt(text.slice(2) || "0", 16);
  if (/^0[0-7]{0,22}$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}

function parseIpv6(text: string): IpAddress | undefined {
  const dotted = /^(.*:)(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text);
  if (dotted !== null) {
    const [, head = "", tail = ""] = dotted;
    const ipv4 = tail.split(".").some((part) => part.length > 1 && part.startsWith("0")) ? undefined : parseIpv4(tail);
    if (ipv4 === undefined) return undefined;
    return parseIpv6(`${head}${((ipv4 >> 16n) & 0xffffn).toString(16)}:${(ipv4 & 0xffffn).toString(16)}`);
  }
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [left = [], right = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...left, ...Array<string>(missing).fill("0"), ...right];
  if (!groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return undefined;
  return groups.reduce<bigint>((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/** The one text of an address (RFC 5952), IPv6 without brackets. */
export function formatAddress(address: IpAddress): string {
  if (isIpv4(address)) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((address >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  const zeros = longestZeros(groups);
  if (zeros.length < 2) return groups.join(":");
  return `${groups.slice(0, zeros.at).join(":")}::${groups.slice(zeros.at + zeros.length).join(":")}`;
}

function longestZeros(groups: readonly string[]): { readonly at: number; readonly length: number } {
  let best = { at: 0, length: 0 };
  for (let at = 0; at < groups.length; at += 1) {
    let length = 0;
    while (groups[at + length] === "0") length += 1;
    if (length > best.length) best = { at, length };
  }
  return best;
}

export function inRange(address: IpAddress, range: IpRange): boolean {
  const shift = BigInt(128 - range.prefixLength);
  return address >> shift === range.address >> shift;
}

/** `address/length`; `undefined`: not a range. */
export function parseRange(text: string): IpRange | undefined {
  const [, head = "", digits = ""] = /^(.+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseAddress(head);
  if (address === undefined) return undefined;
  const prefixLength = Number(digits) + (isIpv4(address) && !head.includes(":") ? IPV4_PREFIX_LENGTH : 0);
  if (prefixLength > 128) return undefined;
  const shift = BigInt(128 - prefixLength);
  return { address: (address >> shift) << shift, prefixLength };
}

/** What kind of place an address is. */
export type AddressKind = "public" | "private" | "link-local";

const ranges = (...texts: readonly string[]): readonly IpRange[] => texts.map((text) => parseRange(text)).filter((range) => range !== undefined);

/**
 * Reachable from one machine or link only, and asked by clouds' machines for their secrets: link-local (RFC 3927, RFC 4291)
 * and the addresses of metadata services that lie elsewhere (AWS and Google over IPv6, Azure, Alibaba, Oracle).
 */
const LINK_LOCAL = ranges("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "fd20:ce::254/128", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32");

/** IANA's special-purpose registries without what is globally reachable; multicast, broadcast and what is reserved besides. */
const PRIVATE = ranges(
  "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
  "::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "2001::/23", "fc00::/7", "fec0::/10", "ff00::/8",
);

/** Forms of IPv6 that a gateway or the system turns into IPv4, and how many bits are behind the IPv4 address. */
const EMBEDDING: readonly (readonly [IpRange, bigint])[] = [
  ["::/96", 0n], ["::ffff:0:0:0/96", 0n], ["64:ff9b::/96", 0n], ["2002::/16", 80n],
].flatMap(([text, behind]) => ranges(text as string).map((range): readonly [IpRange, bigint] => [range, behind as bigint]));

export function addressKind(address: IpAddress): AddressKind {
  if (LINK_LOCAL.some((range) => inRange(address, range))) return "link-local";
  if (PRIVATE.some((range) => inRange(address, range))) return "private";
  const embedding = EMBEDDING.find(([range]) => inRange(address, range));
  return embedding === undefined ? "public" : addressKind(fromIpv4((address >> embedding[1]) & IPV4_BITS));
}
