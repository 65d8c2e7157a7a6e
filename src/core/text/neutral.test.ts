import { expect, test } from "vitest";
import { neutralLayout, neutralLine, neutralLines } from "./neutral.ts";

const HOSTILE = "a\u001b[2J\r\u202eb\u0085\u200f\ttab\nnext";

test("no control character and no direction mark is left", () => {
  expect(neutralLine(HOSTILE)).toBe("a\\u001b[2J\\u000d\\u202eb\\u0085\\u200f\\u0009tab\\u000anext");
  expect(neutralLayout(HOSTILE)).toBe("a\\u001b[2J\\u000d\\u202eb\\u0085\\u200f\ttab\nnext");
});

test("lines after the first are marked", () => expect(neutralLines("one\ntwo\u0007")).toBe("one\n    | two\\u0007"));

test("letters of every script, joiners and emoji stay", () => {
  const text = "naïve Ωμέγα שלום 👩‍👩‍👧 ไทย";
  expect([neutralLine(text), neutralLayout(text), neutralLines(text)]).toEqual([text, text, text]);
});
