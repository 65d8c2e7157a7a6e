import { describe, expect, it } from "vitest";
import { createDiscard } from "./discard.ts";

describe("createDiscard()", () => {
  const discard = createDiscard();

  it("takes the memory away", () => {
    const bytes = Buffer.from(new Uint8Array(1_000_000));
    discard(bytes);
    expect([bytes.length, bytes.buffer.byteLength]).toEqual([0, 0]);
  });

  it("frees it at once", () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let round = 0; round < 100; round++) discard(new Uint8Array(10_000_000));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
  });

  it("leaves what others may use", () => {
    const whole = new Uint8Array(1_000_000).fill(7);
    discard(whole.subarray(1));
    discard(new Uint8Array(new SharedArrayBuffer(8)));
    discard(new Uint8Array());
    discard(Buffer.from("pooled"));
    expect(whole[5]).toBe(7);
  });
});
