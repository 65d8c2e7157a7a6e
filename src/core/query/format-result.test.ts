/** Renderers (spec: query §1), cell by cell and as whole bodies. */
import { describe, expect, test } from "vitest";
import { formatResult, type TextFormat } from "./format-result.ts";
import { formatFloat } from "./format-value.ts";
import { formatZoned, zoneOf } from "./zones.ts";
import type { QueryStream, ResultValue } from "./query-stream.ts";
import { arrowName, BOOLEAN, DATE, DURATION, FLOAT64, INT64, INTERVAL, TIMESTAMP, UINT64, UTF8, type SqlType } from "./types.ts";

function streamOf(columns: readonly (readonly [name: string, type: SqlType])[], batches: readonly (readonly (readonly ResultValue[])[])[]): QueryStream {
  return {
    columns: columns.map(([name, type]) => ({ name, type: arrowName(type), sqlType: type })),
    batches: (async function* () {
      for (const rows of batches) yield { rowCount: rows.length, columns: columns.map((_, index) => rows.map((row) => row[index] ?? null)) };
    })(),
    close: () => Promise.resolve(),
  };
}

async function bodyOf(stream: QueryStream, format: TextFormat): Promise<string> {
  let text = "";
  for await (const piece of formatResult(stream, format)) text += piece;
  return text;
}

const SAMPLE = [["host", UTF8], ["time", TIMESTAMP], ["usage", FLOAT64]] as const;
/** 2065-01-07T17:28:56Z */
const T = 2_998_574_936_000_000_000n;
const ROWS = [[["a", T, 0.9], ["b", T + 1_000_000n, 99]], [[null, T, null]]] as const;

describe("bodies", () => {
  test("json leaves NULL members out and has no blanks", async () => {
    expect(await bodyOf(streamOf(SAMPLE, ROWS), "json")).toBe('[{"host":"a","time":"2065-01-07T17:28:56","usage":0.9},{"host":"b","time":"2065-01-07T17:28:56.001","usage":99.0},{"time":"2065-01-07T17:28:56"}]');
  });
  test("jsonl", async () => {
    expect(await bodyOf(streamOf(SAMPLE, ROWS), "jsonl")).toBe('{"host":"a","time":"2065-01-07T17:28:56","usage":0.9}\n{"host":"b","time":"2065-01-07T17:28:56.001","usage":99.0}\n{"time":"2065-01-07T17:28:56"}\n');
  });
  test("csv writes the header once", async () => {
    expect(await bodyOf(streamOf(SAMPLE, ROWS), "csv")).toBe("host,time,usage\na,2065-01-07T17:28:56,0.9\nb,2065-01-07T17:28:56.001,99.0\n,2065-01-07T17:28:56,\n");
  });
  test("pretty has no newline at the end", async () => {
    expect(await bodyOf(streamOf(SAMPLE, ROWS), "pretty")).toBe(
      [
        "+------+-------------------------+-------+", "| host | time                    | usage |", "+------+-------------------------+-------+", "| a    | 2065-01-07T17:28:56     | 0.9   |",
        "| b    | 2065-01-07T17:28:56.001 | 99.0  |", "|      | 2065-01-07T17:28:56     |       |", "+------+-------------------------+-------+",
      ].join("\n"),
    );
  });
  test.each([["json", "[]"], ["jsonl", ""], ["csv", ""], ["pretty", "++\n++"]] as const)("no batch as %s", async (format, body) => {
    expect(await bodyOf(streamOf(SAMPLE, []), format)).toBe(body);
  });
  test("csv quotes only where needed", async () => {
    expect(await bodyOf(streamOf([["a,b", UTF8]], [[["x"], ['say "hi"'], ["1,2"], ["line\nbreak"], [null]]]), "csv")).toBe('"a,b"\nx\n"say ""hi"""\n"1,2"\n"line\nbreak"\n""\n');
  });
});

const jsonOf = async (type: SqlType, value: ResultValue): Promise<string> => (await bodyOf(streamOf([["v", type]], [[[value]]]), "jsonl")).slice(5, -2);
const cellOf = async (type: SqlType, value: ResultValue): Promise<string> => (await bodyOf(streamOf([["v", type]], [[[value]]]), "pretty")).split("\n")[3]?.slice(2, -2).trimEnd() as string;

const STRUCT: SqlType = { kind: "struct", fields: [{ name: "value", type: FLOAT64 }, { name: "time", type: TIMESTAMP }] };

describe("cells", () => {
  test.each([
    [INT64, -(1n << 63n), "-9223372036854775808", "-9223372036854775808"], [UINT64, (1n << 64n) - 1n, "18446744073709551615", "18446744073709551615"], [BOOLEAN, true, "true", "true"],
    [FLOAT64, 99, "99.0", "99.0"], [FLOAT64, Number.NaN, "null", "NaN"], [FLOAT64, Infinity, "null", "inf"], [FLOAT64, -Infinity, "null", "-inf"], [FLOAT64, 0.1, "0.1", "0.1"],
    [UTF8, 'a"\n\\', '"a\\"\\n\\\\"', undefined], [DATE, 19753, '"2024-01-31"', "2024-01-31"], [{ kind: "time" }, 45_296_789_000_000n, '"12:34:56.789"', "12:34:56.789"],
    [DURATION, 32_689_000n, '"PT0.032689S"', "PT0.032689S"], [INTERVAL, { months: 1, days: 2, nanos: 10_800_000_000_000n }, '"1 mons 2 days 3 hours"', "1 mons 2 days 3 hours"],
    [{ kind: "list", element: INT64 }, [1n, null, 2n], "[1,null,2]", "[1, , 2]"], [STRUCT, [1, 0n], '{"value":1.0,"time":"1970-01-01T00:00:00"}', "{value: 1.0, time: 1970-01-01T00:00:00}"],
    [{ kind: "decimal", precision: 10, scale: 2 }, "1.50", "1.50", "1.50"], [{ kind: "binary" }, Uint8Array.from([0, 171, 255]), '"00abff"', "00abff"], [{ kind: "tag" }, "a", '"a"', "a"],
    [{ kind: "timestamp", unit: "Nanosecond", zone: "UTC" }, 0n, '"1970-01-01T00:00:00Z"', "1970-01-01T00:00:00Z"],
  ] as readonly (readonly [SqlType, ResultValue, string, string | undefined])[])("%j %s", async (type, value, json, cell) => {
    expect(await jsonOf(type, value)).toBe(json);
    if (cell !== undefined) expect(await cellOf(type, value)).toBe(cell);
  });

  test("floats are the shortest text that reads back the same", () => {
    expect([0, -0, 1e21, 1.5e-9, 123456789.125, 5e-324].map((value) => formatFloat(value))).toEqual(["0.0", "-0.0", "1e21", "1.5e-9", "123456789.125", "5e-324"]);
    expect(formatFloat(Math.fround(0.1), true)).toBe("0.1");
  });

  test("zoned times carry the offset of their instant", () => {
    expect(formatZoned(1_656_633_600_000_000_001n, zoneOf("America/New_York"))).toBe("2022-06-30T20:00:00.000000001-04:00");
    expect(formatZoned(1_641_024_000_000_000_000n, zoneOf("America/New_York"))).toBe("2022-01-01T03:00:00-05:00");
    expect(formatZoned(1_641_024_000_000_000_000n, zoneOf("Asia/Kolkata"))).toBe("2022-01-01T13:30:00+05:30");
  });
});
