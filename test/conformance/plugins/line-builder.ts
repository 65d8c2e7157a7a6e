/** `LineBuilder` in full (spec: processing-engine §12). */
import { describe, expect, it } from "vitest";
import { evaluate, raised, request } from "./harness.ts";

const BUILT: readonly (readonly [title: string, expression: string, line: string])[] = [
  ["one field", 'LineBuilder("m").int64_field("f", 1)', "m f=1i"],
  ["tags and fields in the order of their setting", 'LineBuilder("m").tag("z", "1").tag("a", "2").int64_field("y", 1).int64_field("b", 2)', "m,z=1,a=2 y=1i,b=2i"],
  ["tags first although they were set last", 'LineBuilder("m").int64_field("f", 1).tag("t", "x")', "m,t=x f=1i"],
  ["a time", 'LineBuilder("m").int64_field("f", 1).time_ns(1700000000000000000)', "m f=1i 1700000000000000000"],
  ["a time of zero", 'LineBuilder("m").int64_field("f", 1).time_ns(0)', "m f=1i 0"],
  ["a negative time", 'LineBuilder("m").int64_field("f", 1).time_ns(-5)', "m f=1i -5"],
  ["a key set again replaces the value and keeps the place", 'LineBuilder("m").int64_field("a", 1).int64_field("b", 2).int64_field("a", 3).tag("t", "1").tag("u", "2").tag("t", "3")', "m,t=3,u=2 a=3i,b=2i"],
  ["a key set again with another type", 'LineBuilder("m").int64_field("a", 1).string_field("a", "x")', 'm a="x"'],
  ["a tag value is str() of what was given", 'LineBuilder("m").tag("n", 5).tag("none", None).tag("b", True).int64_field("f", 1)', "m,n=5,none=None,b=True f=1i"],
  ["the specification's own example", String.raw`LineBuilder("m,x").tag("a",None).tag("b","x y=,\\").bool_field("f\\k",0).time_ns(5)`, String.raw`m\,x,a=None,b=x\ y\=\,\\ f\\k=f 5`],
  ["int64 of a float is not checked", 'LineBuilder("m").int64_field("f", 1.5)', "m f=1.5i"],
  ["int64 of True is not checked", 'LineBuilder("m").int64_field("f", True)', "m f=Truei"],
  ["int64 beyond 64 bits is not checked", 'LineBuilder("m").int64_field("f", 2**70)', "m f=1180591620717411303424i"],
  ["a negative int64", 'LineBuilder("m").int64_field("f", -7)', "m f=-7i"],
  ["uint64", 'LineBuilder("m").uint64_field("f", 18446744073709551615)', "m f=18446744073709551615u"],
  ["uint64 zero", 'LineBuilder("m").uint64_field("f", 0)', "m f=0u"],
  ["float64 of a whole number", 'LineBuilder("m").float64_field("f", 3)', "m f=3.0"],
  ["float64 of a whole float", 'LineBuilder("m").float64_field("f", 3.0)', "m f=3.0"],
  ["float64 of a fraction", 'LineBuilder("m").float64_field("f", 21.5)', "m f=21.5"],
  ["float64 of minus zero", 'LineBuilder("m").float64_field("f", -0.0)', "m f=0.0"],
  ["float64 of True", 'LineBuilder("m").float64_field("f", True)', "m f=1.0"],
  ["float64 of a small number", 'LineBuilder("m").float64_field("f", 0.00001)', "m f=1e-05"],
  ["float64 of nan", 'LineBuilder("m").float64_field("f", float("nan"))', "m f=nan"],
  ["float64 of inf", 'LineBuilder("m").float64_field("f", float("inf"))', "m f=inf"],
  ["float64 of minus inf", 'LineBuilder("m").float64_field("f", float("-inf"))', "m f=-inf"],
  ["a string is quoted", 'LineBuilder("m").string_field("f", "a b")', 'm f="a b"'],
  ["quotes and backslashes of a string are escaped", String.raw`LineBuilder("m").string_field("f", 'a"b\\c')`, String.raw`m f="a\"b\\c"`],
  ["an empty string", 'LineBuilder("m").string_field("f", "")', 'm f=""'],
  ["a newline in a string is not escaped", String.raw`LineBuilder("m").string_field("f", "a\nb")`, 'm f="a\nb"'],
  ["bool True", 'LineBuilder("m").bool_field("f", True)', "m f=t"],
  ["bool False", 'LineBuilder("m").bool_field("f", False)', "m f=f"],
  ["bool is truthiness", 'LineBuilder("m").bool_field("f", [1]).bool_field("g", "")', "m f=t,g=f"],
  ["a comma in the measurement is escaped", 'LineBuilder("a,b").int64_field("f", 1)', String.raw`a\,b f=1i`],
  ["an equals sign in the measurement is not", 'LineBuilder("a=b").int64_field("f", 1)', "a=b f=1i"],
  ["a backslash in the measurement is not", String.raw`LineBuilder("a\\b").int64_field("f", 1)`, String.raw`a\b f=1i`],
  ["a tag key is not escaped: a backslash goes through", String.raw`LineBuilder("m").tag("a\\b", "x").int64_field("f", 1)`, String.raw`m,a\b=x f=1i`],
  ["an empty measurement is allowed", 'LineBuilder("").int64_field("f", 1)', " f=1i"],
  ["an empty tag value is allowed", 'LineBuilder("m").tag("t", "").int64_field("f", 1)', "m,t= f=1i"],
  ["tag and field may share a name", 'LineBuilder("m").tag("a", "x").int64_field("a", 1)', "m,a=x a=1i"],
  ["text beyond ASCII", 'LineBuilder("größe").tag("étage", "世界").string_field("ß", "🌍")', 'größe,étage=世界 ß="🌍"'],
];

const REFUSED: readonly (readonly [title: string, statement: string, error: string])[] = [
  ["a blank in the measurement", 'LineBuilder("a b")', "InvalidMeasurementError: Measurement name cannot contain spaces"],
  ["an empty tag key", 'LineBuilder("m").tag("", "x")', "InvalidKeyError: tag key cannot be empty"],
  ["an empty field key", 'LineBuilder("m").int64_field("", 1)', "InvalidKeyError: field key cannot be empty"],
  ["a blank in a tag key", 'LineBuilder("m").tag("a b", "x")', "InvalidKeyError: tag key 'a b' cannot contain spaces"],
  ["a comma in a field key", 'LineBuilder("m").string_field("a,b", "x")', "InvalidKeyError: field key 'a,b' cannot contain commas"],
  ["an equals sign in a field key", 'LineBuilder("m").bool_field("a=b", True)', "InvalidKeyError: field key 'a=b' cannot contain equals signs"],
  ["keys of floats and unsigned integers are checked", 'LineBuilder("m").float64_field("a b", 1)', "InvalidKeyError: field key 'a b' cannot contain spaces"],
  ["a key is checked before a value", 'LineBuilder("m").uint64_field("", -1)', "InvalidKeyError: field key cannot be empty"],
  ["a negative uint64", 'LineBuilder("m").uint64_field("f", -1)', "ValueError: uint64 field 'f' cannot be negative"],
  ["a string field of a number", 'LineBuilder("m").string_field("f", 1)', "AttributeError: 'int' object has no attribute 'replace'"],
  ["no field", 'LineBuilder("m").tag("a", "b").build()', "InvalidLineError: At least one field is required: m,a=b"],
];

export function lineBuilderCases(): void {
  describe("§12, build()", () => {
    it.each(BUILT)("%s", async (_title, expression, line) => expect((await request(`return ${expression}.build()`)).body).toBe(line));
    it("1e300 prints all of its 301 digits", async () => {
      const { body } = await request('return LineBuilder("m").float64_field("f", 1e300).build()');
      expect(body).toBe(`m f=${BigInt(1e300).toString()}.0`);
      expect(body).toHaveLength("m f=".length + 301 + ".0".length);
    });
  });

  describe("§12, what is refused", () => {
    it.each(REFUSED)("%s", async (_title, statement, error) => expect(await raised(statement)).toBe(error));
  });

  describe("§12, the object", () => {
    it("has its public attributes", async () => {
      const body = 'import json\nb = LineBuilder("m").tag("t", 1).float64_field("f", 2).time_ns(3)';
      expect(await evaluate('json.dumps([b.measurement, dict(b.tags), dict(b.fields), type(b.fields).__name__, b._timestamp_ns])', body)).toEqual(["m", { t: "1" }, { f: "2.0" }, "OrderedDict", 3]);
    });
    it("setters return the builder itself", async () => {
      expect((await request('b = LineBuilder("m")\nreturn str(all(x is b for x in (b.tag("a", 1), b.int64_field("b", 1), b.uint64_field("c", 1), b.float64_field("d", 1), b.string_field("e", ""), b.bool_field("f", 1), b.time_ns(1))))')).body).toBe("True");
    });
    it("without a time _timestamp_ns is None", async () => expect((await request('return str(LineBuilder("m")._timestamp_ns)')).body).toBe("None"));
    it("build() may be called again", async () => expect((await request('b = LineBuilder("m").int64_field("f", 1)\nreturn b.build() + b.build()')).body).toBe("m f=1im f=1i"));
    it("is in builtins", async () => expect((await request("import builtins\nreturn str(builtins.LineBuilder is LineBuilder)")).body).toBe("True"));
    it("errors form one family", async () => {
      expect((await request("import __main__ as m\nreturn str([c.__mro__[1].__name__ for c in (m.InvalidMeasurementError, m.InvalidKeyError, m.InvalidLineError, m.InfluxDBError)])")).body).toBe("['InfluxDBError', 'InfluxDBError', 'InfluxDBError', 'Exception']");
    });
  });
}
