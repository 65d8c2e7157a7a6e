import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { formatDuration, formatInterval, parseInterval } from "./interval.ts";
import { parseTimestamp } from "./parse-timestamp.ts";
import { civilFromDays, daysFromCivil, formatTimestamp } from "./temporal.ts";
import { formatOffset, instantOf, offsetAt, zoneOf } from "./zones.ts";

describe("parseTimestamp()", () => {
  test.each([
    ["2022-01-01T08:00:00Z", 1_641_024_000_000_000_000n], ["2022-01-01 08:00:00", 1_641_024_000_000_000_000n], ["2022-01-01T08:00:00.5+02:00", 1_641_016_800_500_000_000n],
    ["2022-01-01", 1_640_995_200_000_000_000n], ["1969-12-31T23:59:59.999999999Z", -1n], ["2024-02-29T00:00:00Z", 1_709_164_800_000_000_000n], ["2262-04-11T23:47:16.854775807Z", (1n << 63n) - 1n],
    ["2022-01-01T08:00:00+1:00", 1_641_020_400_000_000_000n], ["2022-07-01 08:00:00 America/New_York", 1_656_676_800_000_000_000n], ["2022-01-01T08:00", 1_641_024_000_000_000_000n], ["2022-01-01T08:00:00-0530", 1_641_043_800_000_000_000n],
  ])("%s", (text, expected) => {
    expect(parseTimestamp(text)).toBe(expected);
  });

  test.each(["", "yesterday", "2023-02-29", "2022-13-01", "2022-01-01T25:00:00Z", "2262-04-11T23:47:16.854775808Z", "2022-01-01T08:00:00X", "20220101"])("%j is none", (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  test("is the inverse of formatTimestamp() over the 64-bit range", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), (ns) => {
        expect(parseTimestamp(formatTimestamp(ns))).toBe(ns);
      }),
    );
  });
});

test("formatTimestamp() shows 0, 3, 6 or 9 fraction digits", () => {
  expect([0n, 1_000_000n, 1_000n, 1n, 120_000_000n].map((ns) => formatTimestamp(ns))).toEqual([
    "1970-01-01T00:00:00", "1970-01-01T00:00:00.001", "1970-01-01T00:00:00.000001", "1970-01-01T00:00:00.000000001", "1970-01-01T00:00:00.120",
  ]);
});

test("daysFromCivil() and civilFromDays() are inverse", () => {
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), (days) => {
      const { year, month, day } = civilFromDays(days);
      expect(daysFromCivil(year, month, day)).toBe(days);
    }),
  );
});

describe("parseInterval()", () => {
  const hour = 3_600_000_000_000n;
  test.each([
    ["1 hour", { months: 0, days: 0, nanos: hour }], ["1 year 2 mons 3 days", { months: 14, days: 3, nanos: 0n }], ["1.5 days", { months: 0, days: 1, nanos: 12n * hour }], ["0.5 months", { months: 0, days: 15, nanos: 0n }],
    ["-2h", { months: 0, days: 0, nanos: -2n * hour }], ["1 day -1 hour", { months: 0, days: 1, nanos: -hour }], ["10ns", { months: 0, days: 0, nanos: 10n }], ["1 quarter", { months: 3, days: 0, nanos: 0n }], [".5 s", { months: 0, days: 0, nanos: 500_000_000n }],
  ])("%s", (text, expected) => {
    expect(parseInterval(text)).toEqual(expected);
  });
  test.each(["", "hour", "1 fortnight", "abc", "1 hour x", "--1 hour", "1..5 hours"])("%j is none", (text) => {
    expect(parseInterval(text)).toBeUndefined();
  });
});

test("formatInterval() and formatDuration() (spec: query §1)", () => {
  expect(formatInterval({ months: 1, days: 2, nanos: 10_800_000_000_000n })).toBe("1 mons 2 days 3 hours");
  expect([0n, 32_689_000n, -1_500_000_000n, 3_600_000_000_000n].map(formatDuration)).toEqual(["P0D", "PT0.032689S", "-PT1.5S", "PT3600S"]);
});

describe("zones", () => {
  const HOUR = 3_600_000_000_000n;
  const paris = zoneOf("Europe/Paris");
  if (paris === undefined) throw new Error("no zone database");

  test("names, offsets and what is neither", () => {
    expect([zoneOf("UTC"), zoneOf("+05:30"), zoneOf("-0800")]).toEqual([0n, 19_800_000_000_000n, -8n * HOUR].map((offsetNs) => ({ kind: "fixed", offsetNs })));
    expect([zoneOf("Nope/Nowhere"), zoneOf(""), zoneOf("'")]).toEqual([undefined, undefined, undefined]);
    expect([0n, 19_800_000_000_000n, -12_600_000_000_000n].map(formatOffset)).toEqual(["+00:00", "+05:30", "-03:30"]);
  });

  test("the offset follows the calendar", () => {
    expect([offsetAt(paris, 1_641_024_000_000_000_000n), offsetAt(paris, 1_656_676_800_000_000_000n)]).toEqual([HOUR, 2n * HOUR]);
  });

  // 2022-03-27 02:30 did not exist there, 2022-10-30 02:30 existed twice (00:30Z and 01:30Z).
  test("a wall clock in a gap moves on, one that comes twice is the later", () => {
    expect(instantOf(paris, 1_648_348_200_000_000_000n)).toBe(1_648_344_600_000_000_000n);
    expect(instantOf(paris, 1_667_097_000_000_000_000n)).toBe(1_667_093_400_000_000_000n);
    expect(instantOf(paris, 1_641_024_000_000_000_000n)).toBe(1_641_020_400_000_000_000n);
  });
});
