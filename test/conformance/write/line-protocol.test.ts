// Goal: line protocol is read and refused as the spec says (line-protocol-and-write §1-§6), texts included. Expected
// values are the spec's; every case runs twice through one parser, so that the second time takes the fast path.
import { describe, expect, it } from "vitest";
import { DEFAULT_CATALOG_LIMITS } from "../../../src/core/catalog/limits.ts";
import { EMPTY_CATALOG } from "../../../src/core/catalog/state.ts";
import { LineProtocolParser } from "../../../src/core/line-protocol/parser.ts";
import { lineErrorRecord } from "../../../src/core/line-protocol/line-error.ts";
import { planInSlices } from "../../../src/core/line-protocol/plan-write.ts";
import { NOW, onlyRow, writeLines } from "../../support/parse-lines.ts";

/** The texts of the errors; the first lines teach the parser the usual keys. */
function errorsOf(text: string): string[] {
  const parser = new LineProtocolParser();
  writeLines("m f=1\nm,host=a f=1,g=2\n", { parser });
  const first = writeLines(text, { parser }).errors.map((error) => error.message);
  expect(writeLines(text, { parser }).errors.map((error) => error.message)).toEqual(first);
  return first;
}

describe("§1 grammar", () => {
  it.each([
    ["m f=1 1\r", "Could not parse entire line. Found trailing content: `\r`"],
    ["m f=1\r", "Could not parse entire line. Found trailing content: `\r`"],
    ["m f=1 ", "Could not parse entire line. Found trailing content: ` `"],
    ["m f=1 1 trailing-content", "Could not parse entire line. Found trailing content: `trailing-c...`"],
    ["m\tf=1", "Expected at least one space character, got `\tf=1`"],
    ["measurement", "Expected at least one space character, got end of input"],
    ["m ", "No fields were provided"],
    ["m f", "No fields were provided"],
    ["m,host=a f=1,ba=", "Could not parse entire line. Found trailing content: `ba=`"],
  ])("%j is refused: %s", (line, message) => expect(errorsOf(line)).toEqual([message]));

  it("blank lines, leading blanks and comments are skipped", () => {
    expect(writeLines("\n  \t\n# a comment=\"\n  m f=1 1\n\t# another\n\tm f=2 2\n\n").rows).toEqual({ m: [{ f: 1, time: 1n }, { f: 2, time: 2n }] });
  });

  it.each(["m   f=1   5", "m f=1 5   ", "m f=1 5\n", "m f=1, 5", "m f=1,g=1, 5".replace("g=1,", "")])("%j is one point", (line) => {
    expect(onlyRow(line)).toEqual({ f: 1, time: 5n });
  });

  it("tolerates a trailing comma after the fields", () => {
    expect(onlyRow("m f=1,")).toMatchObject({ f: 1 });
    expect(onlyRow("m f=1,g=2,")).toMatchObject({ f: 1, g: 2 });
  });

  it("a newline inside a string or after a backslash does not end the line", () => {
    expect(writeLines('m f="a\nb",g=1 1\nm f="c" 2').rows).toEqual({ m: [{ f: "a\nb", g: 1, time: 1n }, { f: "c", time: 2n }] });
    expect(onlyRow("m,t=a\\\nb f=1 1")).toEqual({ t: "a\\\nb", f: 1, time: 1n });
  });
});

describe("§2 escapes", () => {
  it.each([
    ["a\\,b\\ c\\\\d f=1 1", "a,b c\\d"],
    ["a\\nb f=1 1", "a\\nb"],
    ["a=b#c f=1 1", "a=b#c"],
    ['"q" f=1 1', '"q"'],
  ])("the measurement of %j is %j", (line, name) => expect(Object.keys(writeLines(line).rows)).toEqual([name]));

  it("tags and field keys", () => {
    expect(onlyRow("m,a\\,b\\=c\\ d=e\\,f\\=g\\ h,x=y=z k\\ 1\\,\\==1 1")).toEqual({ "a,b=c d": "e,f=g h", x: "y=z", "k 1,=": 1, time: 1n });
    expect(onlyRow("m,t=a\\nb f=1 1")).toMatchObject({ t: "a\\nb" });
  });

  it("strings", () => expect(onlyRow('m s="a\\"b\\\\c\\nd",e="" 1')).toEqual({ s: 'a"b\\c\\nd', e: "", time: 1n }));

  it.each([
    ["m\\\\ f=1", "Measurements, tag keys and values, and field keys may not end with a backslash"],
    ["m,t=a\\\\ f=1", "Measurements, tag keys and values, and field keys may not end with a backslash"],
    [",t=a f=1", "Invalid measurement was provided"],
    ["\0 f=1", "Invalid measurement was provided"],
    ["m,host= f=1", "Expected tag value, got ` f=1`"],
    ["m,host f=1", "Tag set malformed: could not find equals sign in `host f=1`"],
    ["m,host=a, f=1", "Expected tag key, got ` f=1`"],
    ["m,", "Expected tag key, got end of input"],
    ['m f="open', "No fields were provided"],
  ])("%j is refused: %s", (line, message) => expect(errorsOf(line)).toEqual([message]));
});

describe("§3 values", () => {
  it.each([
    ["1", 1], ["1.0", 1], ["-1.5", -1.5], ["1e5", 1e5], ["1E+3", 1000], ["1e400", Number.POSITIVE_INFINITY], ["-0", -0], ["0.1", 0.1],
    ["9007199254740993", 9007199254740992], ["58.13212345678901234", 58.13212345678901234], ["0.000000000000000000000000123", 1.23e-25],
    ["1i", 1n], ["-9223372036854775808i", -(2n ** 63n)], ["9223372036854775807i", 2n ** 63n - 1n], ["007i", 7n], ["18446744073709551615u", 2n ** 64n - 1n],
    ['"text"', "text"], ["t", true], ["T", true], ["true", true], ["True", true], ["TRUE", true], ["f", false], ["F", false], ["false", false], ["False", false], ["FALSE", false],
  ])("%s is %s", (text, value) => {
    const { rows, errors } = writeLines(`m v=${text} 1\nm v=${text} 2`);
    expect(errors).toEqual([]);
    expect(rows["m"]?.map((row) => row["v"])).toEqual([value, value]);
  });

  it.each([
    ["m f=.5", "No fields were provided"], ["m f=+1", "No fields were provided"], ["m f=NaN", "No fields were provided"], ["m f=Inf", "No fields were provided"],
    ["m f= 1", "No fields were provided"], ["m f='a'", "No fields were provided"], ["m f=word", "No fields were provided"],
    ["m f=5.", "Could not parse entire line. Found trailing content: `.`"], ["m f=1.e5", "Could not parse entire line. Found trailing content: `.e5`"],
    ["m f=tru", "Could not parse entire line. Found trailing content: `ru`"], ["m f=tRUE", "Could not parse entire line. Found trailing content: `RUE`"],
    ["m f=9223372036854775808i", "Unable to parse integer value `9223372036854775808`"],
    ["m f=18446744073709551616u", "Unable to parse unsigned integer value `18446744073709551616`"],
    ["m f=1 9223372036854775808", "Unable to parse timestamp value `9223372036854775808`"],
  ])("%j is refused: %s", (line, message) => expect(errorsOf(line)).toEqual([message]));

  it("a string of 1 MiB is stored and a longer one refused", () => {
    expect((onlyRow(`m f="${"x".repeat(1_048_576)}" 1`)["f"] as string).length).toBe(1_048_576);
    expect(errorsOf(`m f="${"x".repeat(1_048_577)}" 1`)).toEqual(["String is greater than 1MB"]);
  });

  it("a body that is not UTF-8 is refused whole", () => expect(() => writeLines(Uint8Array.from([109, 32, 102, 61, 49, 10, 0xff]))).toThrow("not valid utf8"));
});

describe("§4 timestamps", () => {
  it.each([
    ["second", "2", 2_000_000_000n], ["millisecond", "-3", -3_000_000n], ["microsecond", "1700000000000001", 1_700_000_000_000_001_000n], ["nanosecond", "1704067200000000001", 1_704_067_200_000_000_001n],
    ["auto", "1", 1_000_000_000n], ["auto", "4999999999", 4_999_999_999_000_000_000n], ["auto", "5000000000", 5_000_000_000_000_000n], ["auto", "4999999999999", 4_999_999_999_999_000_000n],
    ["auto", "5000000000000", 5_000_000_000_000_000n], ["auto", "4999999999999999", 4_999_999_999_999_999_000n], ["auto", "5000000000000000", 5_000_000_000_000_000n], ["auto", "-100", -100_000_000_000n],
    ["nanosecond", "-9223372036854775808", -(2n ** 63n)], ["nanosecond", "9223372036854775807", 2n ** 63n - 1n],
  ] as const)("%s %s", (precision, text, time) => {
    expect(writeLines(`m f=1 ${text}\nm f=2 ${text}`, { precision }).rows["m"]?.map((row) => row["time"])).toEqual([time, time]);
  });

  it.each([
    ["auto", NOW], ["nanosecond", NOW], ["microsecond", 1_767_225_600_123_456_000n], ["millisecond", 1_767_225_600_123_000_000n], ["second", 1_767_225_600_000_000_000n],
  ] as const)("a missing one becomes the ingest instant, truncated to %s", (precision, time) => {
    expect(writeLines("m f=1\nm f=2", { precision }).rows["m"]?.map((row) => row["time"])).toEqual([time, time]);
  });

  it("overflow is the line's error", () => {
    expect(writeLines("m f=1 9223372037\nm f=1 1", { precision: "second" }).errors.map((error) => error.message)).toEqual(["timestamp, 9223372037, out of range for precision: second"]);
  });
});

describe("§5 partial writes and numbers", () => {
  const body = "# comment\n\nm f=1 1\nbad\nm f=2 2\n  \nm f=3i 3\nm g=1,g=2\nm,a=1,a=2 f=1";
  it("stores every good line and reports all bad ones", () => {
    const { rows, errors } = writeLines(body);
    expect(rows["m"]).toEqual([{ f: 1, time: 1n }, { f: 2, time: 2n }]);
    expect(errors.map(lineErrorRecord)).toEqual([
      { error_message: "Expected at least one space character, got end of input", line_number: 2, original_line: "bad" },
      { error_message: "invalid column type for column 'f', expected iox::column_type::field::float, got iox::column_type::field::integer", line_number: 4, original_line: "m f=3i 3" },
      { error_message: "invalid line protocol - multiple instances of 'g' field found", line_number: 5, original_line: "m g=1,g=2" },
      { error_message: "Must not contain duplicate tags, but `a` was repeated", line_number: 6, original_line: "m,a=1,a=2 f=1" },
    ]);
  });

  it("cuts the original line to 20 bytes on a character's boundary", () => {
    expect(lineErrorRecord({ message: "x", lineNumber: 1, originalLine: "0123456789012345678éa" }).original_line).toBe("0123456789012345678");
  });

  it("all spellings of a tag set are one series", () => {
    const { rows } = writeLines("m,a=1,b=x\\ y f=1 1\nm,b=x\\ y,a=1 f=2 2");
    expect(rows["m"]).toEqual([{ a: "1", b: "x y", f: 1, time: 1n }, { a: "1", b: "x y", f: 2, time: 2n }]);
  });
});

describe("§6 schema on write", () => {
  const types = (state: ReturnType<typeof writeLines>["state"], table: string): string[] => (state.databases.get("db")?.tables.get(table)?.columns ?? []).map((column) => `${column.name}:${column.type}`);

  it("a new table has the tags and fields of its first line, then time, then what comes later", () => {
    const { state } = writeLines("m,b=1,a=2 z=1,y=2i 1\nm,c=3 x=t,s=\"q\",u=1u 2");
    expect(types(state, "m")).toEqual(["b:tag", "a:tag", "z:float64", "y:int64", "time:time", "c:tag", "x:bool", "s:utf8", "u:uint64"]);
    expect(state.databases.get("db")?.tables.get("m")?.seriesKey).toEqual(["b", "a", "c"]);
  });

  const known = writeLines("m,t=a f=1 1").state;
  const conflict = (name: string, expected: string, got: string): string => `invalid column type for column '${name}', expected iox::column_type::${expected}, got iox::column_type::${got}`;
  it.each([
    ["m f=1i", conflict("f", "field::float", "field::integer")],
    ["m f=1u", conflict("f", "field::float", "field::uinteger")],
    ["m f=t", conflict("f", "field::float", "field::boolean")],
    ['m f="s"', conflict("f", "field::float", "field::string")],
    ["m t=1", conflict("t", "tag", "field::float")],
    ["m,f=a g=1", conflict("f", "field::float", "tag")],
    ["m time=1", conflict("time", "timestamp", "field::float")],
    ["m,x=a x=1", conflict("x", "tag", "field::float")],
    ["m __chunk_order=1", "'__chunk_order' is a reserved column"],
    ["new time=1", "'time' is a reserved column"],
    ["new,time=a f=1", "'time' is a reserved column"],
  ])("%j: %s", (line, message) => expect(writeLines(line, { state: known }).errors.map((error) => error.message)).toEqual([message]));

  it("a refused line leaves nothing in the catalog", () => {
    const { state, rows } = writeLines("m f=t,fresh=1 1\nnew time=1", { state: known });
    expect(rows).toEqual({});
    expect(state).toBe(known);
  });

  it("columns over the limit are refused line by line", () => {
    const { errors, rows } = writeLines("m a=1 1\nm b=1 2\nm c=1 3\nm a=2 4", { limits: { columnsPerTableMax: 2 } });
    expect(errors.map((error) => [error.lineNumber, error.message])).toEqual([[3, "Update to schema would exceed number of columns per table limit of 2 columns"]]);
    expect(rows["m"]?.length).toBe(3);
  });

  it("a line with more tags or fields than any table may have is refused by itself, before they are all read", () => {
    const many = (word: string, count: number): string => Array.from({ length: count }, (_, index) => `${word}${index}=1`).join(",");
    const { errors, rows } = writeLines(`m,${many("t", 200_000)} f=1 1\nm ${many("f", 200_000)} 2\nm f=1 3`);
    const message = "Update to schema would exceed number of columns per line: at most 8192 tags and 8192 fields";
    expect(errors.map((error) => [error.lineNumber, error.message])).toEqual([[1, message], [2, message]]);
    expect(rows["m"]?.length).toBe(1);
  });

  it("long lines are parsed and judged a few at a time", () => {
    const line = `m ${Array.from({ length: 400 }, (_, index) => `field_${index}="${"x".repeat(100)}"`).join(",")} `;
    const body = new TextEncoder().encode(Array.from({ length: 40 }, (_, row) => `${line}${row}`).join("\n"));
    const parser = new LineProtocolParser();
    parser.begin(body, { precision: "nanosecond", nowNs: 0n, acceptPartial: true });
    // A line of 45 kB costs as much as 350 short ones; after the first the keys are known.
    let steps = 1;
    while (!parser.step()) steps++;
    expect(steps).toBeGreaterThan(1);
    // All are over the limit, so each is judged by itself.
    const slices = [...planInSlices(parser.result(), EMPTY_CATALOG, { ...DEFAULT_CATALOG_LIMITS, columnsPerTableMax: 100 }, "db")];
    expect(slices.length).toBeGreaterThanOrEqual(30);
  });

  it("tables over the limit are refused line by line", () => {
    const { errors, rows } = writeLines("a f=1 1\nb f=1 2\nc f=1 3\nc f=2 4\na f=2 5", { limits: { tablesMax: 2 } });
    const message = "Update to schema would exceed number of tables limit: attempted to create table but already have 2 table(s) (limit: 2)";
    expect(errors.map((error) => [error.lineNumber, error.message])).toEqual([[3, message], [4, message]]);
    expect(Object.keys(rows)).toEqual(["a", "b"]);
  });

  it("bounds the list of refused lines, never what is stored", () => {
    const { errors, rows } = writeLines(`m f=1 1\n${"m f=t\n".repeat(15_000)}${"bad\n".repeat(15_000)}m f=2 2`);
    expect([errors.length, rows["m"]?.length]).toEqual([20_000, 2]);
  });

  it("databases over the limit are refused", () => {
    expect(() => writeLines("m f=1", { limits: { databasesMax: 0 } })).toThrow("Adding a new database would exceed limit of 0 databases");
  });
});
