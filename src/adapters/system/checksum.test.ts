import fc from "fast-check";
import { expect, it } from "vitest";
import { crc32 } from "../../core/bytes/crc32.ts";
import { nativeChecksum } from "./checksum.ts";

it("agrees with the checksum in TypeScript", () => {
  const native = nativeChecksum() ?? crc32;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(50), (bytes, from) => {
      const start = Math.min(from, bytes.length);
      expect(native(bytes, start)).toBe(crc32(bytes, start));
    }),
  );
});
