import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { isDatabaseError } from "../errors/database-error.ts";
import { parseStatement } from "./parse-statement.ts";
import type { Expression, Query, Select } from "./syntax.ts";

const queryOf = (text: string): Query => {
  const statement = parseStatement(text);
  if (statement.kind !== "query") throw new Error(statement.kind);
  return statement.query;
};
const selectOf = (text: string): Select => queryOf(text).body as Select;
const expressionOf = (text: string): Expression => {
  const [item] = selectOf(`SELECT ${text}`).items;
  if (item?.kind !== "expression") throw new Error("star");
  return item.expression;
};

/** The tree as text with every grouping shown. */
function shape(expression: Expression): string {
  switch (expression.kind) {
    case "binary":
      return `(${shape(expression.left)} ${expression.operator} ${shape(expression.right)})`;
    case "unary":
      return `${expression.operator}(${shape(expression.operand)})`;
    case "column":
      return expression.path.map((part) => part.name).join(".");
    case "literal":
      return "text" in expression.value ? expression.value.text : expression.value.kind;
    case "cast":
      return `${shape(expression.operand)}::${expression.type.words}`;
    default:
      return expression.kind;
  }
}

describe("precedence", () => {
  test.each([
    ["a or b and not c = 1", "(a or (b and not((c = 1))))"],
    ["1 + 2 * 3 - 4", "((1 + (2 * 3)) - 4)"],
    ["-a + b", "(-(a) + b)"],
    ["a::int + 1", "(a::INT + 1)"],
    ["-1::int", "-(1::INT)"],
    ["a || b = c", "((a || b) = c)"],
    ["a | b & c ^ d", "(a | ((b & c) # d))"],
    ["a << 1 + b", "(a << (1 + b))"],
    ["a || b + c", "((a || b) + c)"],
    ["a <=> b", "(a is-not-distinct b)"],
    ["a = 1 and b <> 2 or c != 3", "(((a = 1) and (b <> 2)) or (c <> 3))"],
    ["a ~ 'x' and b !~* 'y'", "((a ~ x) and (b !~* y))"],
    ["x is not distinct from y", "(x is-not-distinct y)"],
    ["(a or b) and c", "((a or b) and c)"],
    ['"A"."b c"', "A.b c"],
    ["iox.home.Temp", "iox.home.temp"],
    ["cast(a as double precision)", "a::DOUBLE PRECISION"],
    ["a::bigint unsigned", "a::BIGINT UNSIGNED"],
    ["timestamp '2024-01-01'", "2024-01-01::TIMESTAMP"],
  ])("%s", (text, expected) => {
    expect(shape(expressionOf(text))).toBe(expected);
  });
});

test("between takes its own AND", () => {
  expect(expressionOf("a between 1 and 2 and b")).toMatchObject({ kind: "binary", operator: "and", left: { kind: "between", negated: false } });
});

test("calls keep DISTINCT, ORDER BY, FILTER, null treatment and OVER", () => {
  expect(expressionOf("first_value(distinct a order by b desc nulls last) ignore nulls filter (where c) over (partition by d order by e rows between 1 preceding and current row)")).toMatchObject({
    kind: "call", name: "first_value", distinct: true, ignoreNulls: true, orderBy: [{ descending: true, nullsFirst: false }], filter: { kind: "column" },
    over: { partitionBy: [{ kind: "column" }], frame: { unit: "ROWS", start: { kind: "preceding" }, end: { kind: "current" } } },
  });
});

test("keyword forms become calls", () => {
  expect(expressionOf("extract(hour from t)")).toMatchObject({ kind: "call", name: "date_part", arguments: [{ value: { text: "HOUR" } }, { kind: "column" }] });
  expect(expressionOf("position('a' in s)")).toMatchObject({ name: "strpos", arguments: [{ kind: "column" }, { value: { text: "a" } }] });
  expect(expressionOf("substring(s from 2 for 3)")).toMatchObject({ name: "substr", arguments: [{}, {}, {}] });
  expect(expressionOf("trim(leading 'x' from s)")).toMatchObject({ name: "ltrim" });
  expect(expressionOf("s['value']")).toMatchObject({ kind: "index", index: { value: { text: "value" } } });
  expect(expressionOf("t at time zone 'UTC'")).toMatchObject({ kind: "at-time-zone" });
});

test.each([["interval '1 day'", "1 day"], ["interval '10' minute", "10 minute"], ["interval 5 seconds", "5 seconds"]])("%s", (text, expected) => {
  expect(expressionOf(text)).toMatchObject({ kind: "interval", text: expected });
});

test("FETCH is a limit, a quoted text is a name after AS, struct names its members", () => {
  expect(queryOf("SELECT 1 FETCH FIRST 5 ROWS ONLY")).toMatchObject({ limit: { value: { text: "5" } } });
  expect(queryOf("SELECT 1 OFFSET 2 ROWS FETCH NEXT ROW ONLY")).toMatchObject({ limit: { value: { text: "1" } }, offset: { value: { text: "2" } } });
  expect(selectOf("SELECT a AS 'A b' FROM t").items[0]).toMatchObject({ alias: { name: "A b" } });
  expect(expressionOf("struct(a AS x, b)")).toMatchObject({ name: "named_struct", arguments: [{ value: { text: "x" } }, { kind: "column" }, { value: { text: "c1" } }, { kind: "column" }] });
  expect(expressionOf("percentile_cont(0.5) WITHIN GROUP (ORDER BY x DESC)")).toMatchObject({ fromTop: true, arguments: [{ kind: "column" }, { value: { text: "0.5" } }] });
  for (const [text, kind] of [["SHOW ALL", "show-all"], ["SHOW FUNCTIONS", "show-functions"], ["SHOW datafusion.execution.batch_size", "show-variable"], ["DESCRIBE SELECT 1", "describe-query"], ["EXPLAIN FORMAT TREE SELECT 1", "explain"]] as const) {
    expect(parseStatement(text).kind).toBe(kind);
  }
});

test("names that are also keywords work where the grammar allows", () => {
  expect(selectOf("SELECT date, time, year FROM t").items).toHaveLength(3);
  expect(expressionOf("interval")).toMatchObject({ kind: "column" });
  expect(selectOf("SELECT a AS select FROM t").items[0]).toMatchObject({ alias: { name: "select" } });
});

test("set operations, nesting and order of the whole", () => {
  const query = queryOf("SELECT 1 UNION ALL (SELECT 2 ORDER BY 1) EXCEPT SELECT 3 ORDER BY 1 LIMIT 2 OFFSET 3");
  expect(query).toMatchObject({ body: { kind: "set", operator: "except", left: { kind: "set", operator: "union", all: true, right: { kind: "nested" } } }, orderBy: [{}], limit: {}, offset: {} });
});

test("group by rollup, cube, sets", () => {
  expect(selectOf("SELECT 1 FROM t GROUP BY a, ROLLUP (b, (c, d)), GROUPING SETS ((a), ()), CUBE (e)").groupBy).toMatchObject([
    { kind: "expression" }, { kind: "rollup", sets: [[{}], [{}, {}]] }, { kind: "sets", sets: [[{}], []] }, { kind: "cube" },
  ]);
});

test("joins", () => {
  const [relation] = selectOf("SELECT 1 FROM a LEFT OUTER JOIN b ON a.x = b.x JOIN c USING (x, y) CROSS JOIN (SELECT 1) AS d(z)").from;
  expect(relation).toMatchObject({ kind: "join", join: "cross", right: { kind: "derived", alias: { name: { name: "d" }, columns: [{ name: "z" }] } }, left: { join: "inner", condition: { kind: "using" }, left: { join: "left" } } });
});

test("a syntax error carries line and column", () => {
  const failed = ((): unknown => {
    try {
      return parseStatement("SELECT a\nFROM t WHERE");
    } catch (error) {
      return error;
    }
  })();
  expect(failed).toMatchObject({ code: "query.invalid", message: 'SQL error: ParserError("Expected: an expression, found: EOF at Line: 2, Column: 13")', details: { line: 2, column: 13 } });
});

test("any text parses or throws a DatabaseError", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string().map((text) => `SELECT ${text}`)), (text) => {
      try {
        parseStatement(text);
      } catch (error) {
        if (!isDatabaseError(error)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
