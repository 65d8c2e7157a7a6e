// Goal: any bytes give rows and line errors or a DatabaseError, the fast path agrees with the whole grammar, and rows come
// back with the values that were written. Method: generated points, mutated lines, random bytes; a parser that has seen
// the keys before (fast) against one that has not (slow).
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDatabaseError } from "../../src/core/errors/database-error.ts";
import { LineProtocolParser } from "../../src/core/line-protocol/parser.ts";
import { writeLines, type Written } from "../support/parse-lines.ts";

const word = fc.oneof(fc.constantFrom("a", "b", "host", "room one", "k=v", "x,y", "é", "日本", "back\\slash"), fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }));
const plain = word.filter((text) => !/[\n\t\0]/.test(text) && !text.endsWith("\\") && !/\\[,= \\]/.test(text));
const name = plain.filter((text) => text !== "time" && text !== "__chunk_order");
const escapeKey = (text: string): string => text.replace(/[,= ]/g, "\\$&");

type Value = readonly [text: string, value: number | bigint | boolean | string];
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number): Value => [Object.is(number, -0) ? "-0" : String(number), number]),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((number): Value => [`${number}i`, number]),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((number): Value => [`${number}u`, number]),
  fc.boolean().map((flag): Value => [flag ? "true" : "F", flag]),
  fc.string({ unit: "grapheme", maxLength: 20 }).map((text): Value => [`"${text.replace(/[\\"]/g, "\\$&")}"`, text]),
);

const tags = fc.uniqueArray(fc.tuple(name, plain), { maxLength: 4, selector: ([key]) => key });
const fields = fc.uniqueArray(fc.tuple(name, value), { minLength: 1, maxLength: 5, selector: ([key]) => key });
const time = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const point = fc.tuple(name.filter((text) => !text.startsWith("#")), tags, fields, time).filter(([, tagSet, fieldSet]) => !tagSet.some(([key]) => fieldSet.some(([other]) => other === key)));

function lineOf([measurement, tagSet, fieldSet, at]: readonly [string, readonly (readonly [string, string])[], readonly (readonly [string, Value])[], bigint]): string {
  const series = measurement.replace(/[, ]/g, "\\$&") + tagSet.map(([key, text]) => `,${escapeKey(key)}=${escapeKey(text)}`).join("");
  return `${series} ${fieldSet.map(([key, [text]]) => `${escapeKey(key)}=${text}`).join(",")} ${at}`;
}

function outcome(text: Uint8Array, parser: LineProtocolParser): Written | string {
  try {
    return writeLines(text, { parser });
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return error.code;
  }
}

describe("line protocol", () => {
  it("gives back every value of a point, on the whole grammar and on the fast path", () => {
    fc.assert(
      fc.property(point, (generated) => {
        const line = lineOf(generated);
        const [measurement, tagSet, fieldSet, at] = generated;
        const { rows, errors } = writeLines(`${line}\n${line}`);
        expect(errors).toEqual([]);
        const expected = Object.fromEntries([...tagSet, ...fieldSet.map(([key, [, cell]]) => [key, cell] as const), ["time", at] as const]);
        expect(rows[measurement]).toEqual([expected, expected]);
      }),
      { numRuns: 300 },
    );
  });

  const mutation = fc.array(fc.tuple(fc.nat(), fc.constantFrom(..." ,=\\\"\n\t#-.0123456789eiutTfFrue\0\r\xff")), { maxLength: 4 });

  it("agrees with a parser that knows nothing yet, whatever is wrong with a line", () => {
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 4 }), mutation, (points, changes) => {
        const clean = new TextEncoder().encode(points.map(lineOf).join("\n"));
        const damaged = clean.slice();
        for (const [at, character] of changes) damaged[at % damaged.length] = character.charCodeAt(0);
        const trained = new LineProtocolParser();
        outcome(clean, trained);
        outcome(damaged, trained);
        expect(outcome(damaged, trained)).toEqual(outcome(damaged, new LineProtocolParser()));
      }),
      { numRuns: 400 },
    );
  });

  it("answers random bytes and random fragments with rows, line errors or a DatabaseError", () => {
    const fragments = fc.array(fc.constantFrom("m", ",", "=", " ", "f", "1", "i", "\"", "\\", "\n", "#", "t", "e", "-", ".", "u", "é", "\t", "\0"), { maxLength: 60 }).map((parts) => new TextEncoder().encode(parts.join("")));
    const parser = new LineProtocolParser();
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fragments), (bytes) => {
        expect(outcome(bytes, parser)).toEqual(outcome(bytes, new LineProtocolParser()));
      }),
      { numRuns: 1000 },
    );
  });
});
