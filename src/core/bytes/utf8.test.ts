import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { invalidUtf8At, utf8Boundary } from "./utf8.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

function decodes(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

describe("invalidUtf8At()", () => {
  it("agrees with the platform's decoder on any bytes", () => {
    const awkward = fc.array(fc.constantFrom(0x00, 0x61, 0x7f, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xa0, 0xed, 0x9f, 0xef, 0xf0, 0x90, 0xf4, 0x8f, 0xf5, 0xff), { maxLength: 40 }).map((list) => Uint8Array.from(list));
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), awkward), (bytes) => void expect(invalidUtf8At(bytes) < 0).toBe(decodes(bytes))), { numRuns: 3000 });
  });

  it("accepts every text and names the first bad byte", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => void expect(invalidUtf8At(new TextEncoder().encode(text))).toBe(-1)));
    expect(invalidUtf8At(Uint8Array.from([...new TextEncoder().encode("aé"), 0xff, 0x61]))).toBe(3);
  });
});

it("utf8Boundary() never cuts a character", () => {
  const bytes = new TextEncoder().encode("aé😀");
  expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map((limit) => utf8Boundary(bytes, limit))).toEqual([0, 1, 1, 3, 3, 3, 3, 7, 7]);
});
