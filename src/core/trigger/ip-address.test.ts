// Goal: every spelling of an address is one value. Oracles: the URL parser of the runtime (canonical IPv6 texts, legacy forms of
// IPv4), node:net, and IANA's special-purpose registries.
import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressKind, endsInNumber, formatAddress, inRange, parseAddress, parseRange } from "./ip-address.ts";

const canonical = (text: string): string | undefined => {
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
};

/** What the URL standard makes of a host that ends in a number or stands in brackets. */
function hostOfUrl(host: string): string | undefined {
  try {
    return new URL(`http://${host}/`).hostname.replace(/^\[(.*)\]$/, "$1");
  } catch {
    return undefined;
  }
}

describe("addresses", () => {
  test("IPv6 texts are read and printed as the URL standard does", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 }), (groups) => {
        fc.pre(!(groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff));
        const text = groups.map((group) => group.toString(16)).join(":");
        expect(canonical(text)).toBe(hostOfUrl(`[${text}]`));
        expect(canonical(formatAddress(parseAddress(text) as bigint))).toBe(canonical(text));
      }),
    );
  });

  test("any text with colons is an address exactly when node:net says so", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(":", "::", "0", "f", "1234", "12345", "1.2.3.4", "."), { maxLength: 14 }).map((parts) => parts.join("")), (text) => {
        fc.pre(text.includes(":"));
        expect([text, parseAddress(text) !== undefined]).toEqual([text, isIP(text) === 6]);
      }),
      { numRuns: 2000 },
    );
  });

  test("legacy forms of IPv4 are what the URL standard, and inet_aton, make of them", () => {
    const part = fc.oneof(fc.integer({ min: 0, max: 300 }).map(String), fc.nat(0xffffffff).map((n) => `0x${n.toString(16)}`), fc.nat(0o777).map((n) => `0${n.toString(8)}`), fc.nat().map(String), fc.constantFrom("08", "0x", "1e3", ""));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(".")), (text) => {
        fc.pre(endsInNumber(text) && !text.startsWith("."));
        expect([text, canonical(text)]).toEqual([text, hostOfUrl(text)]);
      }),
      { numRuns: 2000 },
    );
  });

  test("mapped IPv4 is the IPv4 address, brackets and zones are no part of it", () => {
    expect(["::ffff:127.0.0.1", "::ffff:7f00:1", "[::FFFF:7f00:0001]", "127.0.0.1", "0x7f.1", "2130706433"].map(canonical)).toEqual(Array<string>(6).fill("127.0.0.1"));
    expect(["[fe80::1%eth0]", "fe80::1%25", "[127.0.0.1]", "[::1", "::1]", "1.2.3.4%eth0", "", "[]"].map(canonical)).toEqual(["fe80::1", "fe80::1", undefined, undefined, undefined, undefined, undefined, undefined]);
  });

  test("ranges hold what node:net's block list holds", () => {
    const address = fc.nat(0xffffffff).map((bits) => [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join("."));
    fc.assert(
      fc.property(address, address, fc.integer({ min: 1, max: 32 }), (around, inside, length) => {
        const list = new BlockList();
        list.addSubnet(around, length, "ipv4");
        const range = parseRange(`${around}/${length}`);
        for (const probe of [inside, around]) expect(inRange(parseAddress(probe) as bigint, range as NonNullable<typeof range>)).toBe(list.check(probe, "ipv4"));
      }),
    );
    expect(["1.2.3.4/33", "::/129", "1.2.3/", "x/8", "/8"].map(parseRange)).toEqual(Array(5).fill(undefined));
  });
});

describe("kinds", () => {
  test.each([
    // RFC 3927, RFC 4291 §2.5.6; documentation of AWS, Google, Azure, Alibaba and Oracle on their metadata services.
    ...["169.254.169.254", "169.254.170.2", "169.254.0.0", "169.254.255.255", "fe80::1", "febf::1", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"].map((text) => [text, "link-local"]),
    // The same in the forms of IPv6 that carry IPv4: mapped, compatible, NAT64, 6to4, translated.
    ...["::ffff:169.254.169.254", "::169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1", "::ffff:0:169.254.169.254"].map((text) => [text, "link-local"]),
    ...["0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "172.16.0.1", "172.31.255.255", "192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fc00::1", "fdff::1", "fec0::1", "ff02::1"].map((text) => [text, "private"]),
    ...["::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::808:808", "2002:7f00:1::", "2001::1", "::7f00:1"].map((text) => [text, "private"]),
    ...["8.8.8.8", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0", "169.253.255.255", "169.255.0.0", "2606:4700::1111", "64:ff9b::8.8.8.8", "2002:808:808::", "2a00::1"].map((text) => [text, "public"]),
  ])("%s is %s", (text, kind) => {
    expect(addressKind(parseAddress(text) as bigint)).toBe(kind);
  });
});
