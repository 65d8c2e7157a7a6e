import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS, formatLimit, LIMIT_NAMES, parseLimits } from "./limits.ts";

describe("limits of a trigger", () => {
  test("have the defaults of the design", () => {
    expect(DEFAULT_LIMITS).toMatchObject({ time: 30_000, memory: 268_435_456, response_bytes: 10_485_760, query_bytes: 67_108_864, cache_bytes: 67_108_864, instances: 8 });
  });

  test("are read from texts with units and from numbers, with either kind of dash", () => {
    expect(parseLimits([["time", "1m 30s"], ["memory", "64mb"], ["log-lines", "7"], ["write_bytes", 1024]])).toEqual({ time: 90_000, memory: 67_108_864, log_lines: 7, write_bytes: 1024 });
  });

  test.each([
    ["tim", "1s", /There is no limit 'tim'/], ["time", "soon", /'soon' cannot be the limit 'time'/], ["time", "0s", /'0s'/], ["memory", "1mb", /'1mb'/],
    ["memory", "5gb", /'5gb'/], ["queries", "1.5", /'1\.5'/], ["queries", "-1", /'-1'/], ["instances", 65, /'65'/], ["queries", Number.NaN, /'NaN'/],
  ])("refuse %s=%s", (name, value, message) => {
    expect(() => parseLimits([[name, value]])).toThrow(message);
  });

  test("read what they print", () => {
    for (const name of LIMIT_NAMES) expect(parseLimits([[name, formatLimit(name, DEFAULT_LIMITS[name])]])).toEqual({ [name]: DEFAULT_LIMITS[name] });
    expect(formatLimit("write_bytes", 1536)).toBe("1536b");
    expect(formatLimit("time", 90_000)).toBe("1m30s");
  });
});
