import { expect, it } from "vitest";
import { parseRetentionPeriod } from "./retention-period.ts";

const DAY = 86_400_000_000_000n;

it.each([
  ["7d", 7n * DAY], ["1h", DAY / 24n], ["0d", 0n], ["none", "none"], ["1mo", 30n * DAY], ["2mo 1d", 61n * DAY], ["1month", 2_630_016_000_000_000n],
  // 292.5 years of 365.25 days are more nanoseconds than 63 bits hold.
  ["292y", 292n * 31_557_600_000_000_000n], ["293y", undefined], ["", undefined], ["x", undefined], ["10", undefined], ["1mox", undefined],
] as const)("parseRetentionPeriod(%j)", (text, expected) => {
  expect(parseRetentionPeriod(text)).toBe(expected);
});
