import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32 } from "./crc32.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("crc32()", () => {
  it("has the check value of the standard", () => {
    expect(crc32(bytes("123456789"))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
  });

  it("agrees with zlib at every alignment", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(7), (value, shift) => {
        const moved = new Uint8Array(value.length + shift).subarray(shift);
        moved.set(value);
        expect(crc32(moved)).toBe(zlibCrc32(value));
      }),
    );
  });

  it("continues an earlier checksum", () => expect(crc32(bytes("6789"), 0, 4, crc32(bytes("12345")))).toBe(0xcbf43926));
});
