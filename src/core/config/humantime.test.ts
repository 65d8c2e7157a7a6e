import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "./humantime.ts";

describe("parseDuration()", () => {
  it.each([
    ["10s", 10_000_000_000n],
    ["1h30m", 5_400_000_000_000n],
    ["1h 30m", 5_400_000_000_000n],
    ["4.2s", 4_200_000_000n],
    ["1M", 2_630_016_000_000_000n],
    ["1m", 60_000_000_000n],
    ["1 year", 31_557_600_000_000_000n],
    ["0", 0n],
    ["2 days", 172_800_000_000_000n],
  ])("reads %s (processing-engine §2.2)", (text, ns) => expect(parseDuration(text)).toBe(ns));

  it.each(["", "10", "s", "1x", "-1s", "1S", "1h,2m", ".5s"])("refuses %j", (text) => expect(parseDuration(text)).toBeUndefined());
});

describe("formatDuration()", () => {
  it.each([
    [60_000_000_000n, "1m"],
    [1_200_000n, "1ms 200us"],
    [86_400_000_000_000n, "1day"],
    [0n, "0s"],
  ])("writes %s", (ns, text) => expect(formatDuration(ns)).toBe(text));
});
