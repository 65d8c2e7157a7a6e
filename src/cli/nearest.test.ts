import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance, nearestWord } from "./nearest.ts";

describe("nearestWord()", () => {
  const commands = ["serve", "query", "write", "create", "show", "delete", "enable", "disable"];

  it.each([
    ["qeury", "query"],
    ["wirte", "write"],
    ["creat", "create"],
    ["servce", "serve"],
    ["Create", "create"],
  ])("offers for %s: %s", (typed, meant) => expect(nearestWord(typed, commands)).toBe(meant));

  it.each(["banana", "x", ""])("offers nothing for %j", (typed) => expect(nearestWord(typed, commands)).toBeUndefined());

  it("completes a long name's beginning", () => expect(nearestWord("restrict", ["restrict-plugin-triggers-to"])).toBe("restrict-plugin-triggers-to"));

  it("gives up on absurd words instead of computing for long", () =>
    expect(nearestWord("q".repeat(100_000), commands)).toBeUndefined());
});

describe("editDistance()", () => {
  it("is a symmetric distance that is zero for equal words only", () =>
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (left, right) => {
        expect(editDistance(left, right)).toBe(editDistance(right, left));
        expect(editDistance(left, right) === 0).toBe(left === right);
      }),
    ));
});
