// Goal: any bytes give rows and line errors or a DatabaseError, the fast path agrees with the whole grammar, and rows come
// back with the values that were written. Method: generated points, mutated lines, random bytes; a parser that has seen
// the keys before (fast) against one that has not (slow), and the kernel against both.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDatabaseError } from "../../src/core/errors/database-error.ts";
import { LineProtocolParser, type ParseOptions } from "../../src/core/line-protocol/parser.ts";
import { kernelMaker } from "../support/kernel.ts";
import { writeLines, type Written } from "../support/parse-lines.ts";

const makeKernel = await kernelMaker();

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

function outcome(text: Uint8Array, parser: LineProtocolParser, setting: Partial<ParseOptions> = {}): Written | string {
  try {
    return writeLines(text, { ...setting, parser });
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

  it("is the same with the kernel, on bodies that change the kernel's course at any line", () => {
    const parser = new LineProtocolParser(makeKernel());
    const precision = fc.constantFrom("auto", "second", "millisecond", "microsecond", "nanosecond");
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(3), { maxLength: 12 }), mutation, precision, fc.boolean(), (points, order, changes, unit, acceptPartial) => {
        const lines = points.map(lineOf);
        const clean = new TextEncoder().encode([...lines, ...order.map((index) => lines[index % lines.length])].join("\n"));
        const damaged = clean.slice();
        for (const [at, character] of changes) damaged[at % damaged.length] = character.charCodeAt(0);
        for (const body of [clean, damaged, damaged]) {
          const setting = { precision: unit, acceptPartial } as const;
          expect(outcome(body, parser, setting)).toEqual(outcome(body, new LineProtocolParser(), setting));
        }
      }),
      { numRuns: 600 },
    );
  });

  const spelling = fc.oneof(
    fc.tuple(fc.constantFrom("", "-"), fc.stringMatching(/^[0-9]{1,22}$/), fc.stringMatching(/^(\.[0-9]{0,28})?$/), fc.constantFrom("", "", "", "i", "u", "e3", "E-5")).map((parts) => parts.join("")),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.constantFrom("t", "T", "true", "True", "TRUE", "tRUE", "TRue", "trueX", "f", "F", "false", "False", "FALSE", "fALSE", "tr", "\"\"", "\"a\\\"b\\\\\"", "\"two\nlines\"", "\"é\"", "\"\\q\"", "\"open", "NaN", ".5", "5.", "+1"),
  );
  const stamp = fc.oneof(fc.constant(""), fc.stringMatching(/^ {1,2}-?[0-9]{1,20} {0,2}$/), fc.constant(" "));
  const plainLine = fc.tuple(fc.constantFrom("m", "m,a=1", "m,a=2", "n,b=x\\ y", "m,a=é"), fc.uniqueArray(fc.tuple(fc.constantFrom("f", "g", "long_name_of_a_field", "h\\ i", "x"), spelling), { minLength: 1, maxLength: 4, selector: ([key]) => key }), stamp)
    .map(([series, set, time]) => `${series} ${set.map(([key, text]) => `${key}=${text}`).join(",")}${time}`);

  it("is the same with the kernel for every spelling of values and times, after it knows all keys and types", () => {
    const parser = new LineProtocolParser(makeKernel());
    const keys = ["f", "g", "long_name_of_a_field", "h\\ i", "x"];
    const all = ["m", "m,a=1", "m,a=2", "n,b=x\\ y", "m,a=é"].flatMap((series) => ["1", "1i", "1u", "t", "\"s\""].map((text) => `${series} ${keys.map((key) => `${key}=${text}`).join(",")} 1`));
    const separator = fc.constantFrom("\n", "\n", "\n", "\n# note, \"\n", "\n\n \t", "\r\n");
    outcome(new TextEncoder().encode(all.join("\n")), parser);
    fc.assert(
      fc.property(fc.array(fc.tuple(plainLine, separator), { minLength: 1, maxLength: 8 }), fc.constantFrom("auto", "second", "millisecond", "microsecond", "nanosecond"), (lines, precision) => {
        const body = new TextEncoder().encode(lines.flat().join(""));
        expect(outcome(body, parser, { precision })).toEqual(outcome(body, new LineProtocolParser(), { precision }));
      }),
      { numRuns: 1500 },
    );
  });

  it("gives each request its own tags, whichever series the requests before named in whichever order", () => {
    const series = ["m", "m,a=1", "m,a=2", "m,a=2,b=x", "m,b=x,a=2", "m,b=y", "m,c=1"];
    const picks = fc.array(fc.nat(series.length - 1), { minLength: 1, maxLength: 6 });
    const requests = fc.array(fc.oneof(picks, fc.constant("again" as const), fc.constant("longer" as const)), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(requests, fc.boolean(), (all, withKernel) => {
        const parser = new LineProtocolParser(withKernel ? makeKernel() : undefined);
        let last: readonly number[] = [0];
        for (const [index, one] of all.entries()) {
          last = one === "again" ? last : one === "longer" ? [...last, last[0] as number] : one;
          const body = new TextEncoder().encode(last.map((at, row) => `${series[at]} f=${index} ${row}`).join("\n"));
          expect(outcome(body, parser)).toEqual(outcome(body, new LineProtocolParser()));
        }
      }),
      { numRuns: 400 },
    );
  });

  it("is the same with the kernel on random bytes", () => {
    const parser = new LineProtocolParser(makeKernel());
    const fragments = fc.array(fc.constantFrom("m", ",", "=", " f=", "f", "1", "i", "\"", "\\", "\n", "\nm f=1", "#", "t", "e", "-", ".", "u", "é", "\t", "\0"), { maxLength: 60 }).map((parts) => new TextEncoder().encode(parts.join("")));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fragments), (bytes) => {
        expect(outcome(bytes, parser)).toEqual(outcome(bytes, new LineProtocolParser()));
      }),
      { numRuns: 1500 },
    );
  });
});
