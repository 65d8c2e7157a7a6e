// Goal: every plain decimal becomes the double that `Number()` gives. Method: random digits, and numbers next to the
// middle between two doubles, where a wrong rounding would show.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { longDecimal, shortDecimal } from "./decimal.ts";

describe("decimal to double", () => {
  it("shortDecimal() is correctly rounded", () => {
    fc.assert(fc.property(fc.nat(10 ** 9), fc.nat(22), (head, fraction) => void expect(shortDecimal(head, fraction)).toBe(Number(`${head}e-${fraction}`))), { numRuns: 5000 });
  });

  it("longDecimal() is correctly rounded or undecided", () => {
    const head = fc.bigInt({ min: 0n, max: 10n ** 15n - 1n });
    fc.assert(
      fc.property(head, fc.integer({ min: 1, max: 5 }), fc.nat(99_999), fc.nat(22), (first, tailDigits, rest, fraction) => {
        const tail = rest % 10 ** tailDigits;
        const value = longDecimal(Number(first), tail, tailDigits, fraction);
        if (!Number.isNaN(value)) expect(value).toBe(Number(`${first}${String(tail).padStart(tailDigits, "0")}e-${fraction}`));
      }),
      { numRuns: 20_000 },
    );
  });

  it("longDecimal() holds next to the middle of two doubles", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), fc.integer({ min: -3, max: 3 }), (value, offset) => {
        // 20 significant digits of the middle between a double and the next, moved by a few units.
        const bits = new BigInt64Array(new Float64Array([value]).buffer);
        const next = new Float64Array(BigInt64Array.of((bits[0] as bigint) + 1n).buffer)[0] as number;
        const middle = ((value + (next - value) / 2) as number).toFixed(12);
        const digits = (BigInt(middle.replace(".", "")) * 10n + 5n + BigInt(offset)).toString();
        if (digits.length < 16 || digits.length > 20) return;
        const got = longDecimal(Number(digits.slice(0, 15)), Number(digits.slice(15)), digits.length - 15, 13);
        if (!Number.isNaN(got)) expect(got).toBe(Number(`${digits}e-13`));
      }),
      { numRuns: 20_000 },
    );
  });
});
