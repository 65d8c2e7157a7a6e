/** `influxdb3_local.query`: parameters and the Python value of each type (spec: processing-engine §11, §11.1, §11.2). */
import { beforeAll, describe, expect, it } from "vitest";
import { evaluate, keepDatabase, request, unique, write } from "./harness.ts";

/** What Python has in its hand: `repr` of the only cell. */
async function cell(sql: string, database = "conformance"): Promise<string> {
  const answer = await request(`rows = influxdb3_local.query(${JSON.stringify(sql)})\nreturn repr(list(rows[0].values())[0])`, { database });
  if (answer.status !== 200) throw new Error(answer.body);
  return answer.body;
}

const TYPES: readonly (readonly [sql: string, repr: string])[] = [
  ["SELECT CAST(5 AS BIGINT) AS v", "5"],
  ["SELECT -9223372036854775808 AS v", "-9223372036854775808"],
  ["SELECT count(*) AS v FROM t", "3"],
  ["SELECT sum(i) AS v FROM t", "6"],
  ["SELECT max(u) AS v FROM t", "18446744073709551615"],
  ["SELECT avg(f) AS v FROM t", "2.5"],
  ["SELECT CAST('NaN' AS DOUBLE) AS v", "nan"],
  ["SELECT 1.5e300 AS v", "1.5e+300"],
  ["SELECT true AS v", "True"],
  ["SELECT 1 > 2 AS v", "False"],
  ["SELECT 'té\"xt' AS v", "'té\"xt'"],
  ["SELECT '' AS v", "''"],
  ["SELECT NULL AS v", "None"],
  ["SELECT max(s) AS v FROM t WHERE i > 100", "None"],
  ["SELECT tag AS v FROM t ORDER BY time LIMIT 1", "'a'"],
  ["SELECT b AS v FROM t ORDER BY time LIMIT 1", "True"],
  ["SELECT time AS v FROM t ORDER BY time LIMIT 1", "1700000000000000001"],
  ["SELECT max(time) AS v FROM t", "1700000000000000003"],
  ["SELECT date_bin(INTERVAL '1 second', time) AS v FROM t GROUP BY 1", "1700000000000000000"],
  ["SELECT CAST(7 AS INTEGER) AS v", "7"],
  ["SELECT CAST(1.5 AS REAL) AS v", "1.5"],
];

export function queryCases(): void {
  const database = keepDatabase(unique("types"));
  beforeAll(() => write(database, 't,tag=a i=1i,u=18446744073709551615u,f=2.5,b=true,s="x" 1700000000000000001\nt,tag=b i=2i,f=2.5 1700000000000000002\nt,tag=c i=3i,f=2.5 1700000000000000003'));

  describe("§11.2, Python values of SQL types", () => {
    it.each(TYPES)("%s", async (sql, repr) => expect(await cell(sql, database)).toBe(repr));
    it("date_part is a number (§11.2: unsupported there)", async () => expect(Number(await cell("SELECT date_part('year', max(time)) AS v FROM t", database))).toBe(2023));
    it("a date is its text (§11.2, new: the reference raises)", async () => expect(await cell("SELECT CAST('2026-01-02' AS DATE) AS v", database)).toBe("'2026-01-02'"));
    it("decimals are numbers (§11.2, new: the reference raises)", async () => expect(Number((await cell("SELECT CAST(1.25 AS DECIMAL(10, 2)) AS v", database)).replace(/^'|'$/g, ""))).toBe(1.25));
  });

  describe("§11, results", () => {
    const result = (sql: string, body = ""): Promise<unknown> => evaluate("json.dumps(rows)", `import json\n${body}\nrows = influxdb3_local.query(${JSON.stringify(sql)})`, { database });
    it("a list of dicts, columns in order", async () => expect(await result("SELECT i, tag FROM t ORDER BY i LIMIT 2")).toEqual([{ i: 1, tag: "a" }, { i: 2, tag: "b" }]));
    it("no rows are an empty list", async () => expect(await result("SELECT i FROM t WHERE i > 100")).toEqual([]));
    it("absent values are None", async () => expect(await result("SELECT s, b FROM t ORDER BY time")).toEqual([{ s: "x", b: true }, { s: null, b: null }, { s: null, b: null }]));
    it("SELECT * has all columns with time", async () => expect((await result("SELECT * FROM t ORDER BY time LIMIT 1")) as object).toEqual([{ tag: "a", i: 1, u: 18446744073709552000, f: 2.5, b: true, s: "x", time: 1700000000000000001 }]));
    it("the last of two columns of one name wins", async () => expect(await result("SELECT 1 AS v, 2 AS v")).toEqual([{ v: 2 }]));
    it("SHOW TABLES (§24)", async () => expect(JSON.stringify(await result("SHOW TABLES"))).toContain('"table_name": "t"'.replace(": ", ":")));
    it("information_schema.columns with a parameter (§24)", async () => {
      const names = await evaluate("json.dumps([r['column_name'] for r in rows])", 'import json\nrows = influxdb3_local.query("SELECT column_name FROM information_schema.columns WHERE table_name = $table ORDER BY column_name", {"table": "t"})', { database });
      expect(names).toEqual(["b", "f", "i", "s", "tag", "time", "u"]);
    });
    it("another database by its name", async () => {
      expect(await evaluate("json.dumps(rows)", `import json\nrows = influxdb3_local.query("SELECT count(*) AS n FROM t", database="${database}")`)).toEqual([{ n: 3 }]);
    });
    it("_internal can be queried", async () => {
      expect((await request('return str(len(influxdb3_local.query("SELECT * FROM system.plugin_files", database="_internal")) > 0)')).body).toBe("True");
    });
    it("system tables of the own database", async () => {
      expect((await request('return str(influxdb3_local.query("SELECT trigger_name FROM system.processing_engine_triggers")[0]["trigger_name"][:7])', { database: unique("own") })).body).toBe("trigger");
    });
    it("many rows", async () => {
      const many = unique("many");
      await write(many, Array.from({ length: 20_000 }, (_, n) => `m f=${n}i ${n + 1}`).join("\n"));
      expect((await request('rows = influxdb3_local.query("SELECT f FROM m")\nreturn f"{len(rows)} {sum(r[\'f\'] for r in rows)}"', { database: many })).body).toBe(`20000 ${(20_000 * 19_999) / 2}`);
    });
  });

  describe("§11.1, parameters", () => {
    const bound = (sql: string, args: string): Promise<unknown> => evaluate("json.dumps(rows)", `import json\nrows = influxdb3_local.query(${JSON.stringify(sql)}, ${args})`, { database });
    it("become string literals", async () => expect(await bound("SELECT $a AS v", '{"a": "it\'s"}')).toEqual([{ v: "it's" }]));
    it("select tags", async () => expect(await bound("SELECT i FROM t WHERE tag = $t", '{"t": "b"}')).toEqual([{ i: 2 }]));
    it("are coerced against numbers", async () => expect(await bound("SELECT tag FROM t WHERE i = $n", '{"n": "3"}')).toEqual([{ tag: "c" }]));
    it("are coerced against time", async () => expect(await bound("SELECT count(*) AS n FROM t WHERE time > $t", '{"t": "2023-11-14T22:13:20.000000001Z"}')).toEqual([{ n: 2 }]));
    it("numbers and booleans, which the reference refuses (§19), are compared as such", async () => {
      expect(await bound("SELECT tag FROM t WHERE i >= $n ORDER BY tag", '{"n": 2}')).toEqual([{ tag: "b" }, { tag: "c" }]);
      expect(await bound("SELECT count(*) AS n FROM t WHERE f > $low AND f < $high", '{"low": 9e-1, "high": 10}')).toEqual([{ n: 3 }]);
      expect(await bound("SELECT (1 = 1) = $yes AS v", '{"yes": True}')).toEqual([{ v: true }]);
    });
    it("may stand twice", async () => expect(await bound("SELECT $a AS x, $a AS y", '{"a": "1"}')).toEqual([{ x: "1", y: "1" }]));
    it("in quotes are text (§21)", async () => expect(await bound("SELECT '$a' AS v", '{"a": "1"}')).toEqual([{ v: "$a" }]));
    it("are not SQL", async () => expect(await bound("SELECT count(*) AS n FROM t WHERE tag = $t", `{"t": "x' OR 'a' = 'a"}`)).toEqual([{ n: 0 }]));
    it("an empty dict is allowed", async () => expect(await bound("SELECT 1 AS v", "{}")).toEqual([{ v: 1 }]));
  });
}
