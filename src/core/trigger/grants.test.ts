import { describe, expect, test } from "vitest";
import { allowsDatabase, allowsNetwork, allowsSystem, denialText, effectiveGrants, formatGrant, parseGrants, PROFILES, type TriggerGrants } from "./grants.ts";

const granted = (own: Parameters<typeof parseGrants>[0]): TriggerGrants => effectiveGrants(PROFILES.strict, parseGrants(own));

describe("grants", () => {
  test("strict gives nothing; trusted gives network, databases, metrics and scratch, but no environment", () => {
    expect(PROFILES.strict).toEqual({ net: [], env: [], scratch: 0, sys: [], db: [] });
    expect(PROFILES.trusted).toEqual({ net: ["*"], env: [], scratch: 67_108_864, sys: ["cpu", "memory", "disk", "network"], db: ["*"] });
  });

  test("a trigger's own grant replaces the server's, the others stay", () => {
    expect(effectiveGrants(PROFILES.trusted, { net: [] })).toEqual({ ...PROFILES.trusted, net: [] });
  });

  test.each([
    ["example.org", "example.org", 443, true], ["example.org", "EXAMPLE.org.", 80, true], ["example.org", "www.example.org", 80, false],
    ["example.org", "example.org.evil.net", 80, false], ["example.org:443", "example.org", 443, true], ["example.org:443", "example.org", 80, false],
    ["*.example.org", "a.b.example.org", 1, true], ["*.example.org", "example.org", 1, false], ["*.example.org", "evilexample.org", 1, false],
    ["*", "anything", 9, true], ["*:443", "anything", 443, true], ["*:443", "anything", 80, false], ["127.0.0.1", "127.0.0.1", 1, true],
    ["[::1]:8181", "::1", 8181, true], ["[::1]:8181", "::1", 80, false], ["[::1]", "[::1]", 80, true],
  ])("net %s reaches %s port %s: %s", (entry, host, port, expected) => {
    expect(allowsNetwork(granted([["net", entry]]), { host, port })).toBe(expected);
  });

  test("net self reaches this server and nothing else", () => {
    const grants = granted([["net", "self"]]);
    expect(allowsNetwork(grants, { host: "127.0.0.1", port: 8181, isSelf: true })).toBe(true);
    expect(allowsNetwork(grants, { host: "127.0.0.1", port: 8182 })).toBe(false);
    expect(allowsNetwork(grants, { host: "self", port: 1 })).toBe(false);
  });

  test("databases: the own one always, others by name", () => {
    expect(allowsDatabase(PROFILES.strict, "own", "own")).toBe(true);
    expect(allowsDatabase(PROFILES.strict, "own", "other")).toBe(false);
    expect(allowsDatabase(granted([["db", "a,other"]]), "own", "other")).toBe(true);
    expect(allowsDatabase(PROFILES.trusted, "own", "_internal")).toBe(true);
  });

  test("system groups by name", () => {
    expect(allowsSystem(granted([["sys", ["cpu"]]]), "cpu")).toBe(true);
    expect(allowsSystem(granted([["sys", ["cpu"]]]), "disk")).toBe(false);
  });

  test.each([
    ["net", "http://x"], ["net", "a b"], ["net", "x:0"], ["net", "a.*"], ["env", "*"], ["env", "A-B"], ["sys", "gpu"], ["scratch", "-1"], ["scratch", "2gb"], ["db", "a b"], ["file", "/etc"],
  ])("%s %s is refused", (name, value) => {
    expect(() => parseGrants([[name, value]])).toThrow(/cannot be granted|no grant/);
  });

  test("print what they read", () => {
    expect(parseGrants([["net", "none"], ["scratch", "none"]])).toEqual({ net: [], scratch: 0 });
    const grants = granted([["net", "a:1,self"], ["scratch", "16mb"], ["db", []]]);
    expect([formatGrant(grants, "net"), formatGrant(grants, "scratch"), formatGrant(grants, "db")]).toEqual(["a:1,self", "16mb", ""]);
  });

  test("a denial names what, the grant's flag, and where it goes", () => {
    expect(denialText("net", "example.org:443")).toBe("the network address example.org:443 is not granted to this trigger (grant it with --allow-net example.org:443 on create trigger or update trigger)");
    expect(denialText("db", "other")).toMatch(/^the database 'other' is not granted.*--allow-db other/);
  });
});
