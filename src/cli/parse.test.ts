import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDatabaseError } from "../core/errors/database-error.ts";
import type { Command } from "./command.ts";
import { pairsFlag, pairsOf } from "./common-flags.ts";
import { parseArguments } from "./parse.ts";

const GRAMMAR: Pick<Command, "arguments" | "flags"> = {
  arguments: [{ name: "NAME", summary: "", required: true }],
  flags: [
    { name: "database", short: "d", value: "NAME", summary: "", env: ["DB", "OLD_DB"], required: true },
    { name: "format", value: "FORMAT", summary: "", choices: ["pretty", "json"] },
    { name: "verbose", short: "v", summary: "", repeat: "flag" },
    { name: "yes", short: "y", summary: "", env: ["YES"] },
    { name: "tags", value: "TAG", summary: "", repeat: "values" },
    { name: "path", value: "PATH", summary: "" },
    { name: "plugin-filename", aliases: ["old-filename"], value: "NAME", summary: "", conflictsWith: "path" },
    pairsFlag("trigger-arguments", ""),
  ],
};

const parse = (line: string, env: Record<string, string> = {}): ReturnType<typeof parseArguments> =>
  parseArguments(GRAMMAR, line.split(" ").filter((word) => word !== ""), (name) => env[name]);

describe("parseArguments()", () => {
  it.each(["--database db n", "n --database db", "-d db n", "n -ddb", "--database=db -- n", "n -d=db"])(
    "takes flags before and after arguments: %s (spec: cli §4)",
    (line) => {
      const given = parse(line);
      expect(given.text("database")).toBe("db");
      expect(given.argument("NAME")).toBe("n");
    },
  );

  it("counts repeated switches and splits letters", () => {
    expect(parse("-d db n -vv -vy").count("verbose")).toBe(3);
    expect(parse("-d db n -vy").isSet("yes")).toBe(true);
  });

  it("lets a flag beat the environment, and the first variable the second (spec: cli §1)", () => {
    expect(parse("n", { DB: "a", OLD_DB: "b" }).text("database")).toBe("a");
    expect(parse("n", { DB: "", OLD_DB: "b" }).text("database")).toBe("b");
    expect(parse("-d c n", { DB: "a" }).text("database")).toBe("c");
  });

  it("reads switches from the environment", () => {
    expect(parse("-d db n", { YES: "true" }).isSet("yes")).toBe(true);
    expect(parse("-d db n", { YES: "false" }).isSet("yes")).toBe(false);
    expect(() => parse("-d db n", { YES: "perhaps" })).toThrow("invalid value 'perhaps' for '--yes' in YES: expected true or false");
  });

  it("lets a list take the words that no argument wants", () => {
    expect(parse("-d db n --tags a b,c").list("tags")).toEqual(["a", "b", "c"]);
    expect(parse("-d db --tags a,b n").argument("NAME")).toBe("n");
  });

  it("reads key=value lists; the last one of a key wins (spec: processing-engine §3)", () => {
    const given = parse("-d db n --trigger-arguments a=1,b=x=y --trigger-arguments a=2");
    expect(pairsOf(given.pairs("trigger-arguments"))).toEqual({ a: "2", b: "x=y" });
    expect(pairsOf(parse(String.raw`-d db n --trigger-arguments exclude=a\,b,c=d`).pairs("trigger-arguments"))).toEqual({ exclude: "a,b", c: "d" });
    expect(() => parse("-d db n --trigger-arguments a=1,b")).toThrow('must be formatted as "key=value"');
  });

  it.each([
    ["-d db n --formt json", "unexpected argument '--formt' found", "a similar argument exists: '--format'"],
    ["-d db n --zzzzzz", "unexpected argument '--zzzzzz' found", undefined],
    ["-d db n -x", "unexpected argument '-x' found", undefined],
    ["-d db n m", "unexpected argument 'm' found", undefined],
    ["-d db n --format jsn", "invalid value 'jsn' for '--format <FORMAT>'\n  [possible values: pretty, json]", "a similar value exists: 'json'"],
    ["n", "the following required arguments were not provided:\n  --database <NAME>", undefined],
    ["", "the following required arguments were not provided:\n  --database <NAME>\n  <NAME>", undefined],
    ["n --database", "a value is required for '--database <NAME>' but none was supplied", undefined],
    ["n -d a -d b", "the argument '--database <NAME>' cannot be used multiple times", undefined],
    ["n -d a --yes=1", "unexpected value '1' for '--yes' found; no more were expected", undefined],
    ["n -d a --path p --old-filename q", "the argument '--path <PATH>' cannot be used with '--plugin-filename <NAME>'", undefined],
  ])("refuses %j", (line, message, tip) => {
    let caught: unknown;
    try {
      parse(line);
    } catch (error) {
      caught = error;
    }
    expect(isDatabaseError(caught) && [caught.code, caught.message, caught.hint]).toEqual(["cli.usage", message, tip]);
  });

  it("takes any words apart without any other error", () =>
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom("-d", "--tags", "--", "-v", "--format=json"))), (words) => {
        try {
          parseArguments(GRAMMAR, words, () => undefined);
        } catch (error) {
          expect(isDatabaseError(error) && error.code).toBe("cli.usage");
        }
      }),
    ));
});
