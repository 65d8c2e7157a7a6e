/** SELECT in all its clauses. Expected rows are worked out by hand from the sample data in `harness.ts`. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CASES, HOME, LOWER_CASES, openServer, TYPES, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer({ tables: [HOME, TYPES, CASES, LOWER_CASES] });
});
afterAll(() => server.close());

type Case = readonly [what: string, sql: string, rows: readonly string[]];

const check = (cases: readonly Case[]): void => {
  test.each(cases)("%s", async (_what, sql, rows) => {
    expect((await server.run(sql)).split("\n").slice(0, -1)).toEqual(rows);
  });
};

describe("columns and names (spec: query §1, §2.1)", () => {
  check([
    ["* is alphabetical with time in place", "SELECT * FROM home ORDER BY time, room LIMIT 1", ['{"co":0,"hum":35.9,"room":"Kitchen","temp":21.0,"time":"2022-01-01T08:00:00"}']],
    ["NULL members are omitted", "SELECT * FROM types WHERE f > 100", ['{"f":1e21,"time":"2022-01-01T08:00:01"}']],
    ["a column a batch lacks is NULL", "SELECT s, i FROM types WHERE host = 'c'", ['{"i":7}']],
    ["unquoted names fold to lower case", "SELECT ROOM FROM Home ORDER BY Time, room LIMIT 1", ['{"room":"Kitchen"}']],
    ["quoted names keep their case", 'SELECT "Value", "value" FROM "Cases"', ['{"Value":1,"value":2}']],
    ["tables that differ by case coexist", "SELECT value FROM cases", ['{"value":10}']],
    ["names with SQL in them", 'SELECT "odd name; --" FROM "Cases"', ['{"odd name; --":3}']],
    ["single-quoted table name", "SELECT temp FROM 'home' ORDER BY time, room LIMIT 1", ['{"temp":21.0}']],
    ["schema-qualified", 'SELECT count(*) AS c FROM "iox"."home"', ['{"c":26}']],
    ["catalog-qualified", "SELECT count(*) AS c FROM public.iox.home", ['{"c":26}']],
    ["qualified column", "SELECT iox.home.temp FROM iox.home ORDER BY time, room LIMIT 1", ['{"temp":21.0}']],
    ["table alias", "SELECT h.temp FROM home AS h ORDER BY h.time, h.room LIMIT 1", ['{"temp":21.0}']],
    ["t.*", "SELECT h.*, 1 AS one FROM cases h", ['{"time":"1970-01-01T00:00:00","value":10,"one":1}']],
    ["* EXCEPT", "SELECT * EXCEPT (time) FROM cases", ['{"value":10}']],
    ["derived column names", "SELECT count(*), avg(temp), max(home.co) FROM home WHERE co > 25", ['{"count(*)":1,"avg(home.temp)":22.7,"max(home.co)":26}']],
    ["literal names", "SELECT 1, 1.5, 'a', true", ['{"Int64(1)":1,"Float64(1.5)":1.5,"Utf8(\\"a\\")":"a","Boolean(true)":true}']],
    ["comments vanish", "SELECT /* a /* nested */ b */ 1 AS x -- end", ['{"x":1}']],
    ["trailing semicolon", "SELECT 1 AS x;", ['{"x":1}']],
    ["no FROM", "SELECT 1 + 1 AS two", ['{"two":2}']],
  ]);
});

describe("filters", () => {
  check([
    ["equality on a tag", "SELECT count(*) AS c FROM home WHERE room = 'Kitchen'", ['{"c":13}']],
    ["a tag value nobody has", "SELECT count(*) AS c FROM home WHERE room = 'Attic'", ['{"c":0}']],
    ["IN", "SELECT count(*) AS c FROM home WHERE room IN ('Kitchen', 'Attic')", ['{"c":13}']],
    ["NOT IN", "SELECT count(*) AS c FROM home WHERE co NOT IN (0, 1)", ['{"c":11}']],
    ["BETWEEN", "SELECT count(*) AS c FROM home WHERE temp BETWEEN 22.7 AND 22.8", ['{"c":7}']],
    ["LIKE", "SELECT count(*) AS c FROM home WHERE room LIKE 'Liv%'", ['{"c":13}']],
    ["ILIKE", "SELECT count(*) AS c FROM home WHERE room ILIKE 'LIV%'", ['{"c":13}']],
    ["regex ~", "SELECT count(*) AS c FROM home WHERE room ~ 'itch'", ['{"c":13}']],
    ["regex !~*", "SELECT count(*) AS c FROM home WHERE room !~* 'KITCH'", ['{"c":13}']],
    ["IS NULL", "SELECT count(*) AS c FROM types WHERE s IS NULL", ['{"c":2}']],
    ["IS NOT TRUE", "SELECT count(*) AS c FROM types WHERE b IS NOT TRUE", ['{"c":3}']],
    ["IS DISTINCT FROM", "SELECT count(*) AS c FROM types WHERE host IS DISTINCT FROM 'a'", ['{"c":3}']],
    ["three-valued NOT", "SELECT count(*) AS c FROM types WHERE NOT (host = 'a')", ['{"c":2}']],
    ["number against numeric text", "SELECT count(*) AS c FROM home WHERE co > '20'", ['{"c":2}']],
    ["OR chains of any length", `SELECT count(*) AS c FROM home WHERE ${Array.from({ length: 3000 }, (_, i) => `co = ${i}`).join(" OR ")}`, ['{"c":26}']],
  ]);
});

describe("grouping", () => {
  check([
    ["GROUP BY tag", "SELECT room, max(co) AS m FROM home GROUP BY room ORDER BY room", ['{"room":"Kitchen","m":26}', '{"room":"Living Room","m":17}']],
    ["GROUP BY ordinal", "SELECT room, count(*) AS c FROM home GROUP BY 1 ORDER BY 1", ['{"room":"Kitchen","c":13}', '{"room":"Living Room","c":13}']],
    ["GROUP BY alias", "SELECT co > 10 AS high, count(*) AS c FROM home GROUP BY high ORDER BY high", ['{"high":false,"c":21}', '{"high":true,"c":5}']],
    ["GROUP BY expression", "SELECT co % 2 AS odd, count(*) AS c FROM home GROUP BY co % 2 ORDER BY odd", ['{"odd":0,"c":16}', '{"odd":1,"c":10}']],
    ["HAVING", "SELECT room FROM home GROUP BY room HAVING max(co) > 20", ['{"room":"Kitchen"}']],
    ["HAVING by alias", "SELECT room, max(co) AS m FROM home GROUP BY room HAVING m > 20", ['{"room":"Kitchen","m":26}']],
    ["ROLLUP", "SELECT room, count(*) AS c FROM home GROUP BY ROLLUP (room) ORDER BY room", ['{"room":"Kitchen","c":13}', '{"room":"Living Room","c":13}', '{"c":26}']],
    ["CUBE", "SELECT room, co > 10 AS h, count(*) AS c FROM home GROUP BY CUBE (room, co > 10) ORDER BY 1, 2", [
      '{"room":"Kitchen","h":false,"c":10}', '{"room":"Kitchen","h":true,"c":3}', '{"room":"Kitchen","c":13}',
      '{"room":"Living Room","h":false,"c":11}', '{"room":"Living Room","h":true,"c":2}', '{"room":"Living Room","c":13}',
      '{"h":false,"c":21}', '{"h":true,"c":5}', '{"c":26}',
    ]],
    ["GROUPING SETS with grouping()", "SELECT grouping(room) AS g, room FROM home GROUP BY GROUPING SETS ((room), ()) ORDER BY g, room", ['{"g":0,"room":"Kitchen"}', '{"g":0,"room":"Living Room"}', '{"g":1}']],
    ["FILTER", "SELECT count(*) FILTER (WHERE room = 'Kitchen') AS k, count(*) AS c FROM home", ['{"k":13,"c":26}']],
    ["count DISTINCT", "SELECT count(DISTINCT room) AS r FROM home", ['{"r":2}']],
    ["aggregates of no rows", "SELECT count(*) AS c, sum(co) AS s, max(temp) AS m FROM home WHERE false", ['{"c":0}']],
    ["DISTINCT", "SELECT DISTINCT room FROM home ORDER BY room", ['{"room":"Kitchen"}', '{"room":"Living Room"}']],
    ["DISTINCT ON", "SELECT DISTINCT ON (room) room, co FROM home ORDER BY room, time DESC", ['{"room":"Kitchen","co":26}', '{"room":"Living Room","co":17}']],
  ]);
});

describe("order and limits (DataFusion: NULLs last ascending, first descending)", () => {
  check([
    ["ascending", "SELECT host FROM types ORDER BY host", ['{"host":"a"}', '{"host":"b"}', '{"host":"c"}', "{}"]],
    ["descending", "SELECT host FROM types ORDER BY host DESC", ["{}", '{"host":"c"}', '{"host":"b"}', '{"host":"a"}']],
    ["NULLS FIRST", "SELECT host FROM types ORDER BY host NULLS FIRST LIMIT 2", ["{}", '{"host":"a"}']],
    ["by an expression that is not selected", "SELECT room FROM home ORDER BY -co LIMIT 1", ['{"room":"Kitchen"}']],
    ["LIMIT OFFSET", "SELECT co FROM home ORDER BY co DESC LIMIT 2 OFFSET 1", ['{"co":22}', '{"co":18}']],
    ["OFFSET before LIMIT", "SELECT co FROM home ORDER BY co DESC OFFSET 1 LIMIT 1", ['{"co":22}']],
    ["LIMIT 0", "SELECT co FROM home LIMIT 0", []],
  ]);
});

describe("subqueries, joins, sets, windows", () => {
  check([
    ["scalar", "SELECT room FROM home WHERE temp = (SELECT max(temp) FROM home)", ['{"room":"Kitchen"}']],
    ["correlated scalar", "SELECT room, (SELECT max(k.co) FROM home k WHERE k.room = h.room) AS m FROM home h GROUP BY room ORDER BY room", ['{"room":"Kitchen","m":26}', '{"room":"Living Room","m":17}']],
    ["IN query", "SELECT count(*) AS c FROM home WHERE room IN (SELECT room FROM home WHERE co > 20)", ['{"c":13}']],
    ["EXISTS, correlated", "SELECT count(*) AS c FROM home h WHERE EXISTS (SELECT 1 FROM home k WHERE k.time = h.time AND k.temp > h.temp)", ['{"c":13}']],
    ["NOT EXISTS", "SELECT count(*) AS c FROM home h WHERE NOT EXISTS (SELECT 1 FROM home k WHERE k.co > h.co)", ['{"c":1}']],
    ["derived table", "SELECT m FROM (SELECT room, max(co) AS m FROM home GROUP BY room) AS t ORDER BY m", ['{"m":17}', '{"m":26}']],
    ["derived table with column names", "SELECT y FROM (SELECT room, max(co) FROM home GROUP BY room) AS t(x, y) ORDER BY y", ['{"y":17}', '{"y":26}']],
    ["CTE used twice", "WITH a AS (SELECT max(co) AS m FROM home) SELECT x.m + y.m AS s FROM a x, a y", ['{"s":52}']],
    ["CTE over CTE", "WITH a AS (SELECT co FROM home), b(n) AS (SELECT count(*) FROM a) SELECT n FROM b", ['{"n":26}']],
    ["inner join", "SELECT count(*) AS c FROM home a JOIN home b ON a.time = b.time AND a.room < b.room", ['{"c":13}']],
    ["left join keeps rows", "SELECT count(*) AS c, count(b.room) AS m FROM home a LEFT JOIN home b ON a.time = b.time AND b.co > 20", ['{"c":26,"m":4}']],
    ["full join", "SELECT count(*) AS c FROM (SELECT 1 AS x) a FULL JOIN (SELECT 2 AS x) b ON a.x = b.x", ['{"c":2}']],
    ["USING gives one column", "SELECT * FROM (VALUES (1, 'a')) l(k, v) JOIN (VALUES (1, 'b')) r(k, w) USING (k)", ['{"k":1,"v":"a","w":"b"}']],
    ["USING in a full join coalesces", "SELECT k FROM (VALUES (1)) l(k) FULL JOIN (VALUES (2)) r(k) USING (k) ORDER BY k", ['{"k":1}', '{"k":2}']],
    ["semi join", "SELECT count(*) AS c FROM home a LEFT SEMI JOIN (SELECT time FROM home WHERE co > 20) b ON a.time = b.time", ['{"c":4}']],
    ["anti join", "SELECT count(*) AS c FROM home a LEFT ANTI JOIN (SELECT time FROM home WHERE co > 20) b ON a.time = b.time", ['{"c":22}']],
    ["cross join", "SELECT count(*) AS c FROM home CROSS JOIN cases", ['{"c":26}']],
    ["UNION removes duplicates", "SELECT room FROM home UNION SELECT 'Attic' ORDER BY room", ['{"room":"Attic"}', '{"room":"Kitchen"}', '{"room":"Living Room"}']],
    ["UNION ALL unifies types", "SELECT 1 AS x UNION ALL SELECT 2.5 ORDER BY x", ['{"x":1.0}', '{"x":2.5}']],
    ["EXCEPT", "SELECT room FROM home EXCEPT SELECT 'Kitchen'", ['{"room":"Living Room"}']],
    ["INTERSECT binds tighter", "SELECT 1 AS x UNION SELECT 2 INTERSECT SELECT 3", ['{"x":1}']],
    ["VALUES", "VALUES (1, 'a'), (2, NULL)", ['{"column1":1,"column2":"a"}', '{"column1":2}']],
    ["FROM VALUES as in DataFusion's documentation", "SELECT a FROM VALUES (1), (2) t(a) ORDER BY a DESC", ['{"a":2}', '{"a":1}']],
    ["lag", "SELECT co, lag(co) OVER (ORDER BY time) AS p FROM home WHERE room = 'Kitchen' ORDER BY time DESC LIMIT 2", ['{"co":26,"p":22}', '{"co":22,"p":18}']],
    ["row_number in a subquery", "SELECT room, co FROM (SELECT room, co, row_number() OVER (PARTITION BY room ORDER BY time DESC) AS rn FROM home) t WHERE rn = 1 ORDER BY room", ['{"room":"Kitchen","co":26}', '{"room":"Living Room","co":17}']],
    ["QUALIFY", "SELECT room, co FROM home QUALIFY row_number() OVER (PARTITION BY room ORDER BY time DESC) = 1 ORDER BY room", ['{"room":"Kitchen","co":26}', '{"room":"Living Room","co":17}']],
    ["frame", "SELECT sum(co) OVER (ORDER BY time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM home WHERE room = 'Kitchen' ORDER BY time DESC LIMIT 1", ['{"s":48}']],
    ["range frame over time", "SELECT sum(co) OVER (ORDER BY time RANGE BETWEEN INTERVAL '2 hours' PRECEDING AND CURRENT ROW) AS s FROM home WHERE room = 'Kitchen' ORDER BY time DESC LIMIT 1", ['{"s":66}']],
    ["named window", "SELECT max(co) OVER w AS m FROM home WINDOW w AS (PARTITION BY room) ORDER BY m LIMIT 1", ['{"m":17}']],
    ["aggregate inside a window", "SELECT room, sum(count(*)) OVER () AS n FROM home GROUP BY room ORDER BY room", ['{"room":"Kitchen","n":26}', '{"room":"Living Room","n":26}']],
    ["CASE with operand", "SELECT CASE room WHEN 'Kitchen' THEN 1 ELSE 2 END AS k, count(*) AS c FROM home GROUP BY k ORDER BY k", ['{"k":1,"c":13}', '{"k":2,"c":13}']],
  ]);
});

describe("parameters (spec: query §2.2, processing-engine §11.1)", () => {
  const row = async (sql: string, parameters: Record<string, unknown>): Promise<string> => server.run(sql, { parameters });
  test("types follow the JSON scalar", async () => {
    expect(await row("SELECT arrow_typeof($a) AS a, arrow_typeof($b) AS b, arrow_typeof($c) AS c, arrow_typeof($d) AS d, arrow_typeof($e) AS e, $f AS f", { a: 1, b: -1, c: 0.5, d: "x", e: true, f: null })).toBe(
      '{"a":"UInt64","b":"Int64","c":"Float64","d":"Utf8","e":"Boolean"}\n',
    );
  });
  test("text never becomes SQL", async () => {
    expect(await row("SELECT $x AS x", { x: "a';--\0" })).toBe('{"x":"a\';--\\u0000"}\n');
    expect(await row("SELECT count(*) AS c FROM home WHERE room = $x", { x: "Kitchen' OR '1'='1" })).toBe('{"c":0}\n');
  });
  test("string parameters compare with time and numbers", async () => {
    expect(await row("SELECT count(*) AS c FROM home WHERE time >= $t AND co >= $n", { t: "2022-01-01T19:00:00Z", n: "20" })).toBe('{"c":2}\n');
  });
  test("a missing one is named, an extra one ignored", async () => {
    await expect(row("SELECT * FROM home WHERE room = $host", { other: 1 })).rejects.toMatchObject({ code: "query.invalid", message: expect.stringContaining("No value found for placeholder with name $host") });
  });
});
