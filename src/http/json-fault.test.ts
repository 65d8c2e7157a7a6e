// Goal: what is no JSON is explained alike on every runtime. Method: texts and positions from serde_json's own sources and tests
// (`tests/test.rs`); and, for any text, a fault is found exactly where JSON.parse finds one.
import fc from "fast-check";
import { expect, it } from "vitest";
import { describeJsonFault } from "./json-fault.ts";

const fault = (text: string): string | undefined => describeJsonFault(new TextEncoder().encode(text));

it.each([
  ["", "EOF while parsing a value at line 1 column 0"],
  ["n", "EOF while parsing a value at line 1 column 1"],
  ["nul", "EOF while parsing a value at line 1 column 3"],
  ["nulla", "trailing characters at line 1 column 5"],
  ["t", "EOF while parsing a value at line 1 column 1"],
  ["truz", "expected ident at line 1 column 4"],
  ["faz", "expected ident at line 1 column 3"],
  [".", "expected value at line 1 column 1"],
  ["-", "EOF while parsing a value at line 1 column 1"],
  ["00", "invalid number at line 1 column 2"],
  ["0x80", "trailing characters at line 1 column 2"],
  ["1.", "EOF while parsing a value at line 1 column 2"],
  ["1.a", "invalid number at line 1 column 3"],
  ["1e", "EOF while parsing a value at line 1 column 2"],
  ["1e+", "EOF while parsing a value at line 1 column 3"],
  ["1a", "trailing characters at line 1 column 2"],
  ['"', "EOF while parsing a string at line 1 column 1"],
  ['"lol', "EOF while parsing a string at line 1 column 4"],
  ['"lol"a', "trailing characters at line 1 column 6"],
  ['"\n"', "control character (\\u0000-\\u001F) found while parsing a string at line 2 column 0"],
  ['"\x1F"', "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 2"],
  ["[", "EOF while parsing a list at line 1 column 1"],
  ["[ ", "EOF while parsing a list at line 1 column 2"],
  ["[1", "EOF while parsing a list at line 1 column 2"],
  ["[1,", "EOF while parsing a value at line 1 column 3"],
  ["[1,]", "trailing comma at line 1 column 4"],
  ["[1 2]", "expected `,` or `]` at line 1 column 4"],
  ["[]a", "trailing characters at line 1 column 3"],
  ["{", "EOF while parsing an object at line 1 column 1"],
  ["{ ", "EOF while parsing an object at line 1 column 2"],
  ["{1", "key must be a string at line 1 column 2"],
  ['{ "a"', "EOF while parsing an object at line 1 column 5"],
  ['{"a" ', "EOF while parsing an object at line 1 column 5"],
  ['{"a" 1', "expected `:` at line 1 column 6"],
  ['{"a":', "EOF while parsing a value at line 1 column 5"],
  ['{"a":1', "EOF while parsing an object at line 1 column 6"],
  ['{"a":1 1', "expected `,` or `}` at line 1 column 8"],
  ['{"a":1,', "EOF while parsing a value at line 1 column 7"],
  ['{"a":1,}', "trailing comma at line 1 column 8"],
  ["{}a", "trailing characters at line 1 column 3"],
  ['{"ä":\n  x}', "expected value at line 2 column 3"],
  ["[".repeat(128), "recursion limit exceeded at line 1 column 128"],
])("%j: %s", (text, said) => expect(fault(text)).toBe(said));

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

it("finds a fault exactly where JSON.parse does", () => {
  const piece = fc.constantFrom("{", "}", "[", "]", ",", ":", '"', "a", "\\", "u12", "0", "1", "-", ".", "e", "+", "null", "true", " ", "\n", "\u0001", '"k"');
  fc.assert(fc.property(fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("")), (text) => (fault(text) === undefined) === isJson(text)), { numRuns: 2_000 });
  fc.assert(fc.property(fc.json(), (text) => fault(text) === undefined));
});
