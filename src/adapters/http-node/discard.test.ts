import { describe, expect, it } from "vitest";
import { createDiscard, dropByPort, dropByTransfer } from "./discard.ts";

const ways = [["by transfer", dropByTransfer()], ["by a port", dropByPort()]] as const;

// Every Node that we run on has the call, one of them behind a flag.
it("need not go through a port", () => expect(ways[0][1]).toBeDefined());

describe.each(ways)("createDiscard() %s", (_, drop) => {
  const discard = createDiscard(drop);

  it("takes the memory away", () => {
    const bytes = Buffer.from(new Uint8Array(1_000_000));
    discard(bytes);
    expect([bytes.length, bytes.buffer.byteLength]).toEqual([0, 0]);
  });

  it("frees it at once", () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let round = 0; round < 100; round++) discard(new Uint8Array(10_000_000));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
    const residentBefore = process.memoryUsage().rss;
    for (let round = 0; round < 100; round++) discard(new Uint8Array(10_000_000).fill(1));
    expect(process.memoryUsage().rss - residentBefore).toBeLessThan(200_000_000);
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
