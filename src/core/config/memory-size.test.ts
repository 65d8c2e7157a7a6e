import { describe, expect, it } from "vitest";
import { parseMemorySize } from "./memory-size.ts";

describe("parseMemorySize() (spec: cli §2)", () => {
  it.each([
    ["100", 104_857_600],
    ["64mb", 67_108_864],
    ["64 MB", 67_108_864],
    ["1GB", 1_073_741_824],
    ["10b", 10],
    ["2kb", 2048],
    ["20%", 200],
    ["1.5kb", 1536],
  ])("reads %s", (text, bytes) => expect(parseMemorySize(text, { bareUnit: "mb", availableBytes: 1000 })).toBe(bytes));

  it("reads a bare number as bytes where the flag counts bytes", () =>
    expect(parseMemorySize("10485760", { bareUnit: "b" })).toBe(10_485_760));

  it.each(["", "mb", "-1", "1xb", "120%", "1e3", "99999999999tb"])("refuses %j", (text) =>
    expect(parseMemorySize(text, { bareUnit: "mb", availableBytes: 1000 })).toBeUndefined(),
  );

  it("refuses a percentage of nothing known", () => expect(parseMemorySize("20%", { bareUnit: "mb" })).toBeUndefined());
});
