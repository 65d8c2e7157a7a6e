import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countLines, splitLines } from "./split-lines.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const texts = (parts: readonly Uint8Array[]): string[] => parts.map((part) => new TextDecoder().decode(part));

describe("splitLines()", () => {
  it("cuts at the last newline that fits", () => expect(texts(splitLines(bytes("a 1\nb 2\nc 3\n"), 8))).toEqual(["a 1\nb 2\n", "c 3\n"]));
  it("lets a long line go alone", () => expect(texts(splitLines(bytes("aaaaaaaa\nb\n"), 4))).toEqual(["aaaaaaaa\n", "b\n"]));
  it("gives one empty part for nothing", () => expect(texts(splitLines(bytes(""), 4))).toEqual([""]));

  it("loses nothing, and only a single line exceeds the limit", () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "\n")), fc.integer({ min: 1, max: 9 }), (letters, sizeMax) => {
        const text = letters.join("");
        const parts = texts(splitLines(bytes(text), sizeMax));
        expect(parts.join("")).toBe(text);
        for (const part of parts) expect(part.length <= sizeMax || part.trimEnd().indexOf("\n") < 0).toBe(true);
      }),
    ));
});

describe("countLines()", () => {
  it.each([["", 0], ["a", 1], ["a\n", 1], ["a\nb", 2]])("%j has %i", (text, count) => expect(countLines(bytes(text))).toBe(count));
});
