// Goal: what `--allow-net` opens, and what no trick of spelling, resolving or rebinding opens.
import { describe, expect, test } from "vitest";
import { parseGrants } from "./grants.ts";
import { decideNetwork, type NetworkDecision } from "./network-grants.ts";

const OWN_PORT = 8181;

function decide(grants: string, host: string, port: number | undefined, address?: string): NetworkDecision {
  const net = parseGrants([["net", grants]]).net ?? [];
  return decideNetwork(net, { host, port, address, isSelf: (name, at) => at === OWN_PORT && ["127.0.0.1", "localhost", "tidemark.example"].includes(name) });
}
const allows = (...question: Parameters<typeof decide>): boolean => decide(...question).allowed;
const reason = (...question: Parameters<typeof decide>): string | undefined => {
  const decision = decide(...question);
  return decision.allowed ? undefined : decision.reason;
};

describe("names", () => {
  test.each([
    ["example.org", "example.org", 443, true], ["example.org", "EXAMPLE.org.", 80, true], ["example.org", "www.example.org", 80, false],
    ["example.org", "example.org.evil.net", 80, false], ["example.org", "evil-example.org", 80, false], ["example.org:443", "example.org", 443, true],
    ["example.org:443", "example.org", 80, false], ["*.example.org", "a.b.example.org", 1, true], ["*.example.org", "example.org", 1, false],
    ["*.example.org", "evilexample.org", 1, false], ["*.example.org:443", "a.example.org", 443, true], ["*.example.org:443", "a.example.org", 80, false],
    ["*", "anything", 9, true], ["*:443", "anything", 443, true], ["*:443", "anything", 80, false], ["bücher.example", "xn--bcher-kva.example", 1, true],
    ["xn--bcher-kva.example", "BÜCHER。example", 1, true], ["paypal.example", "pаypal.example", 1, false], ["none", "example.org", 80, false],
    ["example.org", "example.org\u0000.evil.net", 80, false], ["example.org", "example.org/", 80, false], ["example.org", "evil.net#example.org", 80, false],
    ["example.org", "user@example.org", 80, false], ["*.example.org", ".example.org", 80, false], ["*.example.org", "a..example.org", 80, false], ["*", "", 80, false],
    ["example.org", "example.org", 0, false], ["example.org", "example.org", 65_536, false], ["example.org", "example.org", 1.5, false], ["example.org", "example.org", undefined, true],
    ["example.org:443", "example.org", undefined, true], ["other.org", "example.org", undefined, false], ["10.0.0.0/8", "example.org", undefined, false], ["self", "self", OWN_PORT, false],
  ] as const)("with %s, %j port %s before it is resolved: %s", (grants, host, port, expected) => {
    expect(allows(grants, host, port)).toBe(expected);
  });

  test("the host to connect to is the canonical one", () => {
    expect(decide("*", "ＥXAMPLE．org.", 80)).toEqual({ allowed: true, host: "example.org" });
    expect(decide("*", "0x7f.1", 80)).toEqual({ allowed: true, host: "127.0.0.1" });
    expect(decide("*", "[::FFFF:7f00:1]", 80)).toEqual({ allowed: true, host: "127.0.0.1" });
    expect(decide("*", "[2001:DB8:0::1]", 80)).toEqual({ allowed: true, host: "2001:db8::1" });
  });
});

describe("addresses", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1", true], ["127.0.0.1", "127.1", true], ["127.0.0.1", "::ffff:127.0.0.1", true], ["127.0.0.1", "0177.0.0.1", true], ["127.0.0.1", "127.0.0.2", false],
    ["127.0.0.1", "１２７.0.0.1", true], ["10.0.0.0/8", "10.200.3.4", true], ["10.0.0.0/8", "11.0.0.1", false], ["10.0.0.0/8", "[::ffff:a01:1]", true], ["[::1]", "[::1]", true], ["::1", "::1", true],
    ["[::1]", "0:0:0:0:0:0:0:1", true], ["[fd12::]/16", "fd12:3::4", true], ["[fd12::]/16", "fd13::1", false], ["fd12::/16", "fd12::1", true], ["example.org", "93.184.215.14", false], ["*", "8.8.8.8", true], ["*", "10.0.0.1", true],
    ["*", "1.2.3.4.5", false], ["*", "256.1.1.1", false], ["*", "0x", true],
  ] as const)("with %s, %s: %s", (grants, host, expected) => {
    expect(allows(grants, host, 80)).toBe(expected);
  });

  test("ports of addresses and ranges count", () => {
    expect(allows("[::1]:8181", "::1", 8181)).toBe(true);
    expect(allows("[::1]:8181", "::1", 80)).toBe(false);
    expect(allows("10.0.0.0/8:443", "10.0.0.1", 443)).toBe(true);
    expect(allows("10.0.0.0/8:443", "10.0.0.1", 80)).toBe(false);
  });
});

describe("what a name resolves to", () => {
  test.each([
    ["example.org", "93.184.215.14", true], ["example.org", "2606:4700::1111", true],
    // Rebinding: the owner of the name points it into the operator's network.
    ["example.org", "127.0.0.1", false], ["example.org", "10.0.0.1", false], ["example.org", "::1", false], ["example.org", "::ffff:192.168.0.1", false], ["example.org", "64:ff9b::a00:1", false], ["example.org", "0.0.0.0", false],
    ["*.org", "127.0.0.1", false], ["example.org,10.0.0.1", "10.0.0.1", true], ["example.org:443,10.0.0.0/8:443", "10.0.0.1", true], ["example.org:443,10.0.0.0/8:80", "10.0.0.1", false], ["10.0.0.1", "10.0.0.1", false], ["*", "10.0.0.1", true],
    ["example.org", "not an address", false],
  ] as const)("with %s, example.org:443 at %s: %s", (grants, address, expected) => {
    expect(allows(grants, "example.org", 443, address)).toBe(expected);
  });

  test("names of the operator's own resolver may lead into private networks", () => {
    expect(allows("nas.lan", "nas.lan", 80, "192.168.1.2")).toBe(true);
    expect(allows("influxdb", "influxdb", 8086, "172.18.0.3")).toBe(true);
    expect(allows("localhost:1883", "localhost", 1883, "::1")).toBe(true);
    expect(allows("127.0.0.1:1883", "localhost", 1883, "127.0.0.1")).toBe(true);
    expect(allows("127.0.0.1:1883", "localhost", 1883, "::1")).toBe(false);
  });
});

describe("link-local addresses and metadata services", () => {
  const EVIL = ["169.254.169.254", "169.254.170.2", "fe80::1", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376"];
  test.each(EVIL)("%s is reached by no wider grant", (address) => {
    for (const grants of ["*", "*:80", "169.254.0.0/16", "0.0.0.0/0", "[::]/0", "[fe80::]/10", "100.64.0.0/10", "*,metadata.google.internal"]) expect(allows(grants, address, 80)).toBe(false);
    for (const grants of ["*", "metadata.google.internal", "169.254.0.0/16,metadata.google.internal"]) expect(allows(grants, "metadata.google.internal", 80, address)).toBe(false);
  });

  test("but by exactly that address, and at its port", () => {
    expect(allows("169.254.169.254", "169.254.169.254", 80)).toBe(true);
    expect(allows("169.254.169.254/32:80", "2852039166", 80)).toBe(true);
    expect(allows("169.254.169.254:80", "169.254.169.254", 8080)).toBe(false);
    expect(allows("169.254.169.254", "169.254.169.253", 80)).toBe(false);
    expect(allows("[fe80::1]", "fe80::1%eth0", 80)).toBe(true);
    expect(allows("169.254.169.254", "metadata.google.internal", 80, "169.254.169.254")).toBe(false);
    expect(allows("169.254.169.254,metadata.google.internal", "metadata.google.internal", 80, "169.254.169.254")).toBe(true);
  });
});

describe("self", () => {
  test("reaches this server and nothing else", () => {
    expect(allows("self", "127.0.0.1", OWN_PORT)).toBe(true);
    expect(allows("self", "127.1", OWN_PORT)).toBe(true);
    expect(allows("self", "localhost", OWN_PORT)).toBe(true);
    expect(allows("self", "localhost", OWN_PORT, "127.0.0.1")).toBe(true);
    expect(allows("self", "tidemark.example", OWN_PORT)).toBe(true);
    expect(allows("self", "127.0.0.1", 8182)).toBe(false);
    expect(allows("self", "example.org", OWN_PORT)).toBe(false);
    expect(allows("self", "tidemark.example", OWN_PORT, "10.0.0.1")).toBe(false);
    expect(allows("none", "127.0.0.1", OWN_PORT)).toBe(false);
  });
});

test("an address of this server that is closed is reached by no grant", () => {
  const isClosed = (address: string, port: number): boolean => address === "127.0.0.1" && port === 8182;
  const ask = (host: string, port: number, address?: string): boolean => decideNetwork(["*", "self", "127.0.0.1"], { host, port, address, isSelf: () => true, isClosed }).allowed;
  expect([ask("127.0.0.1", 8182), ask("0x7f.1", 8182), ask("::ffff:127.0.0.1", 8182), ask("rebound.example", 8182, "127.0.0.1"), ask("localhost", 8182, "127.0.0.1")]).toEqual(Array(5).fill(false));
  expect([ask("127.0.0.1", 8183), ask("10.0.0.1", 8182)]).toEqual([true, true]);
});

describe("reasons", () => {
  test("name the flag and what to give it", () => {
    expect(reason("none", "Example.ORG.", 443)).toBe("the network address example.org:443 is not granted to this trigger (grant it with --allow-net example.org:443 on create trigger or update trigger)");
    expect(reason("none", "::1", 443)).toContain("--allow-net [::1]:443 on");
    expect(reason("none", "example.org", undefined)).toContain("--allow-net example.org on");
    expect(reason("example.org:443", "example.org", 443, "10.0.0.1")).toBe(
      "example.org:443 leads to 10.0.0.1:443, which is in a private network: the network address 10.0.0.1:443 is not granted to this trigger (grant it with --allow-net example.org:443,10.0.0.1:443 on create trigger or update trigger)",
    );
    expect(reason("*", "169.254.169.254", 80)).toMatch(/^the network address 169\.254\.169\.254:80 is not granted.*; it is link-local or a cloud's metadata service and must be named itself$/);
    expect(reason("*", "a b", 80)).toBe("'a b' is neither the name of a host nor an address");
    expect(reason("*", "x".repeat(10_000), 80)?.length).toBeLessThan(400);
  });

  test("what the trigger has stays in the flag, which replaces it", () => {
    expect(reason("a.org,b.org:1", "example.org", 443)).toContain("--allow-net a.org,b.org:1,example.org:443 on");
    expect(reason(Array.from({ length: 200 }, (_, n) => `host${n}.org`).join(","), "example.org", 443)).toContain("--allow-net example.org:443 beside what it has on");
  });

  test("what a reason says to grant is what was missing", () => {
    for (const [grants, host, port, address] of [["none", "example.org", 443, undefined], ["example.org", "example.org", 443, "10.0.0.1"], ["*", "fe80::1", 80, undefined], ["*", "m.example", 80, "169.254.169.254"], ["none", "::ffff:1.2.3.4", 1, undefined]] as const) {
      const [, flag] = /--allow-net (\S+) on/.exec(reason(grants, host, port, address) ?? "") ?? [];
      expect(allows(flag ?? "", host, port, address)).toBe(true);
    }
  });
});
