import { describe, expect, test } from "vitest";
import { allowsDatabase, allowsSystem, denialText, effectiveGrants, formatGrant, parseGrants, PROFILES, type TriggerGrants } from "./grants.ts";

const granted = (own: Parameters<typeof parseGrants>[0]): TriggerGrants => effectiveGrants(PROFILES.strict, parseGrants(own));

describe("grants", () => {
  test("strict gives nothing; trusted gives network, databases, metrics, plugin files and scratch, but no environment", () => {
    expect(PROFILES.strict).toEqual({ net: [], env: [], scratch: 0, sys: [], db: [], files: [] });
    expect(PROFILES.trusted).toEqual({ net: ["*"], env: [], scratch: 67_108_864, sys: ["cpu", "memory", "disk", "network"], db: ["*"], files: ["*"] });
  });

  test("a trigger's own grant replaces the server's, the others stay", () => {
    expect(effectiveGrants(PROFILES.trusted, { net: [] })).toEqual({ ...PROFILES.trusted, net: [] });
  });

  test("entries of net are kept in one form", () => {
    expect(parseGrants([["net", "EXAMPLE.org.:443, bücher.example, [0:0::1]:80, 010.1.2.3/8, example.org:443"]])).toEqual({
      net: ["example.org:443", "xn--bcher-kva.example", "[::1]:80", "8.0.0.0/8"],
    });
  });

  test("databases: the own one always, others by name", () => {
    expect(allowsDatabase(PROFILES.strict, "own", "own")).toBe(true);
    expect(allowsDatabase(PROFILES.strict, "own", "other")).toBe(false);
    expect(allowsDatabase(granted([["db", "a,other"]]), "own", "other")).toBe(true);
    expect(allowsDatabase(PROFILES.trusted, "own", "_internal")).toBe(true);
  });

  test("files by path below the plugin folder", () => {
    expect(parseGrants([["files", "limits.toml, certs/, models/v1.2/model.bin"]])).toEqual({ files: ["limits.toml", "certs/", "models/v1.2/model.bin"] });
  });

  test("system groups by name", () => {
    expect(allowsSystem(granted([["sys", ["cpu"]]]), "cpu")).toBe(true);
    expect(allowsSystem(granted([["sys", ["cpu"]]]), "disk")).toBe(false);
  });

  test.each([
    ["net", "http://x"], ["net", "a b"], ["net", "x:0"], ["net", "a.*"], ["net", "self:80"], ["net", "a..b"], ["net", "*.1"], ["net", "1.2.3.256"], ["net", "[::1"], ["net", "x:65536"], ["net", "10.0.0.0/33"], ["env", "*"], ["env", "A-B"], ["sys", "gpu"], ["scratch", "-1"], ["scratch", "2gb"], ["db", "a b"], ["db", "a\u001b[2K"], ["db", "a\u202eb"], ["file", "/etc"], ["files", "/etc"], ["files", "../x"], ["files", "a/../b"], ["files", ".venv"], ["files", "a/.gh"], ["files", "a//b"], ["files", "c:\\x"],
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
