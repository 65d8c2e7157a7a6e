// Goal: one form for every spelling of a name. Oracles: node:url's domainToASCII (UTS 46) for scripts where mapping is plain, and
// the samples of RFC 3492 §7.1.
import { domainToASCII } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalHostName, isLocalhost, isLocalName } from "./host-name.ts";

describe("names of hosts", () => {
  test.each([
    ["他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"],
    ["Pročprostěnemluvíčesky".toLowerCase(), "xn--proprostnemluvesky-uyb24dma41a"],
    ["почемужеонинеговорятпорусски", "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l"],
    ["3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b"],
  ])("%s is encoded as in RFC 3492", (text, expected) => {
    expect(canonicalHostName(text)).toBe(expected);
  });

  test("letters of many scripts are encoded as the URL standard does", () => {
    const letter = fc.constantFrom(..."abcxyz0189äöüñçéåøαβγπдежяабв東京日本語漢字한국어ไทย");
    fc.assert(
      fc.property(fc.array(fc.array(letter, { minLength: 1, maxLength: 12 }).map((letters) => `q${letters.join("")}`), { minLength: 1, maxLength: 3 }), (labels) => {
        const text = labels.join(".");
        expect(canonicalHostName(text)).toBe(domainToASCII(text));
      }),
    );
  });

  test("case, full-width letters, ideographic dots and the final dot make no other name", () => {
    expect(["EXAMPLE.org", "example.org.", "ｅｘａｍｐｌｅ．ｏｒｇ", "example。org", "example｡org.", "ExamPle.ORG"].map(canonicalHostName)).toEqual(Array(6).fill("example.org"));
    // The sign for kelvin folds to k, the long s to s: as in every resolver that knows IDNA.
    expect(["\u212aelvin.org", "te\u017ft.org"].map(canonicalHostName)).toEqual(["kelvin.org", "test.org"]);
  });

  test.each([
    "", ".", "..", "a..b", ".a", "a.b..", "-a", "a-.b", "a b", "a\n", "a\0.b", "a/b", "a@b", "a:b", "a%2eb", "a\\b", "exa\u00admple.org", "exa\u200bmple.org", "exa\u202emple.org", "\u2100.org", "a?b", "a#b", "[a]", "*", "*.a",
    "\u0301a", "x".repeat(64), `${"x".repeat(60)}.`.repeat(5), "ü".repeat(64), "💩.example",
  ])("%j is no name", (text) => {
    expect(canonicalHostName(text)).toBeUndefined();
  });

  test("which names only the operator's resolver answers for", () => {
    expect(["localhost", "db", "nas.lan", "a.b.internal", "x.home.arpa", "printer.local"].map(isLocalName)).toEqual(Array(6).fill(true));
    expect(["example.org", "lan.example.org", "notlocal.example", "xlan.com", "internal.dev"].map(isLocalName)).toEqual(Array(5).fill(false));
    expect(["localhost", "a.localhost", "localhost.example", "notlocalhost"].map(isLocalhost)).toEqual([true, true, false, false]);
  });
});
