// Goal: what goes in comes out in order, however it is cut.
import fc from "fast-check";
import { expect, it } from "vitest";
import { ByteQueue } from "./byte-queue.ts";

it("gives the bytes in the order they came, in pieces of any size", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(5), fc.nat(40_000), fc.constant(-16_384), fc.integer({ min: -40_000, max: -1 })), { maxLength: 30 }), (steps) => {
      const queue = new ByteQueue();
      let pushed = 0;
      let taken = 0;
      for (const step of steps) {
        if (step >= 0) queue.push(Uint8Array.from({ length: step }, () => pushed++ % 251));
        else {
          const bytes = queue.take(-step);
          expect(bytes.length).toBe(Math.min(-step, pushed - taken));
          for (const byte of bytes) if (byte !== taken++ % 251) return false;
        }
        expect(queue.length).toBe(pushed - taken);
      }
      return true;
    }),
  );
});
