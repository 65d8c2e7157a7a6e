import { describe, expect, it } from "vitest";
import { parseEnvFile } from "./env-file.ts";

describe("parseEnvFile() (spec: cli §1)", () => {
  it("reads names, quotes, comments and export", () =>
    expect([...(parseEnvFile("# c\nA=1\n\nexport B = 'x # y'\nC=\"two\\nlines\" # c\nD=a b # c\r\nE=\n") ?? [])]).toEqual([
      ["A", "1"],
      ["B", "x # y"],
      ["C", "two\nlines"],
      ["D", "a b"],
      ["E", ""],
    ]));

  it.each(["no equals sign", "1A=x", "A='open"])("refuses %j", (text) => expect(parseEnvFile(text)).toBeUndefined());
});
