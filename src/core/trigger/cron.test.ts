import { describe, expect, it } from "vitest";
import { nextCronFire, parseCron, type CronSchedule } from "./cron.ts";

const next = (expression: string, after: string): string | undefined => {
  const ms = nextCronFire(parseCron(expression) as CronSchedule, Date.parse(after));
  return ms === undefined ? undefined : new Date(ms).toISOString();
};

// Expectations: the cron crate's documented dialect (spec: processing-engine §2.1), computed by hand on the calendar.
describe("nextCronFire()", () => {
  it.each([
    ["0 * * * * *", "2026-01-01T00:00:00.000Z", "2026-01-01T00:01:00.000Z"],
    ["*/15 * * * * *", "2026-01-01T00:00:14.999Z", "2026-01-01T00:00:15.000Z"],
    ["0 30 9 * * Mon-Fri", "2026-01-02T09:30:00Z", "2026-01-05T09:30:00.000Z"],
    ["0 0 0 1 1 * 2030", "2026-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z"],
    ["0 0 0 13 * 6", "2026-01-01T00:00:00Z", "2026-02-13T00:00:00.000Z"],
    ["0 0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00.000Z"],
    ["0 0 0 * * 1", "2026-11-24T00:00:00Z", "2026-11-29T00:00:00.000Z"],
    ["@hourly", "2026-01-01T00:59:59Z", "2026-01-01T01:00:00.000Z"],
    ["5/20 * * * * *", "2026-01-01T00:00:25Z", "2026-01-01T00:00:45.000Z"],
    ["*/5 * * * *", "2026-01-01T00:01:00Z", "2026-01-01T00:05:00.000Z"],
  ])("%s after %s", (expression, after, expected) => expect(next(expression, after)).toBe(expected));

  it("knows an expression that never fires again", () => expect(next("0 0 0 1 1 * 1999", "2026-01-01T00:00:00Z")).toBeUndefined());
});

describe("parseCron()", () => {
  it.each(["", "* * * *", "60 * * * * *", "* * * * * 0", "* * * * * 8", "? * * * * *", "5-1 * * * * *", "*/0 * * * * *", "a * * * * *", "1/2/3 * * * * *"])(
    "refuses %j",
    (expression) => expect(typeof parseCron(expression)).toBe("string"),
  );

  it("takes names in any case and a question mark in both day fields", () => {
    expect(typeof parseCron("0 0 0 ? JANUARY thurs")).toBe("object");
    expect(typeof parseCron("0 0 0 ? jan ?")).toBe("object");
  });
});
