/** Binds one expression: resolves names, derives types, emits engine text. The dispatcher is the only recursion. */
import { bigintSql, doubleSql, inherit, intervalSql, stringSql, type Bound } from "./bound.ts";
import type { ExpressionScope, ParameterValue } from "./bind-context.ts";
import { bindCall } from "./bind-call.ts";
import { asBoolean, bindBinary, negated } from "./bind-operators.ts";
import { castTo, comparable, retyped } from "./coerce.ts";
import { parseInterval } from "./interval.ts";
import { TEXT_LITERAL_MAX } from "./limits.ts";
import { qualifiedName, resolveColumn, shownName } from "./scope.ts";
import { notImplemented, planError } from "./sql-error.ts";
import type { Expression, Identifier, LiteralValue } from "./syntax.ts";
import { typeFromName } from "./type-names.ts";
import { arrowName, BOOLEAN, commonType, FLOAT64, INT64, INTERVAL, isInteger, isText, NULL, UINT64, UTF8, type SqlType } from "./types.ts";

type Node<K extends Expression["kind"]> = Extract<Expression, { readonly kind: K }>;

const leaf = (sql: string, type: SqlType, name: string, constant?: Bound["constant"]): Bound => ({ sql, type, name, constant, aggregate: false, window: false });

/** Throws `query.invalid` for names, types and functions that do not fit. */
export function bindExpression(expression: Expression, at: ExpressionScope): Bound {
  const bound = bindNode(expression, at);
  at.context.count(bound.sql);
  const grouped = at.groups.size > 0 && bound.loose !== undefined ? at.groups.get(bound.sql) : undefined;
  return grouped === undefined ? bound : { ...bound, sql: grouped, loose: undefined, joined: undefined };
}

// One case per kind of node; splitting the switch would only hide the list.
function bindNode(expression: Expression, at: ExpressionScope): Bound {
  switch (expression.kind) {
    case "literal":
      return bindLiteral(expression.value);
    case "interval":
      return bindInterval(expression, at);
    case "parameter":
      return bindParameter(expression, at);
    case "column":
      return bindColumn(expression.path, expression.at, at);
    case "unary":
      return bindUnary(expression, at);
    case "binary":
      return bindBinary(expression.operator, bindExpression(expression.left, at), bindExpression(expression.right, at), at.context.position(expression.at));
    case "is":
      return bindIs(expression, at);
    case "between":
      return bindBetween(expression, at);
    case "in-list":
      return bindInList(expression, at);
    case "in-query":
      return bindInQuery(expression, at);
    case "exists":
      return leaf(`EXISTS (${at.bindQuery(expression.query, at).sql})`, BOOLEAN, "EXISTS");
    case "subquery":
      return bindScalarQuery(expression, at);
    case "like":
      return bindLike(expression, at);
    case "case":
      return bindCase(expression, at);
    case "cast":
      return bindCast(expression, at);
    case "at-time-zone":
      return bindAtTimeZone(expression, at);
    case "index":
      return bindIndex(expression, at);
    case "array":
      return bindArray(expression.elements.map((element) => bindExpression(element, at)));
    case "call":
      return bindCall(expression, at);
  }
}

function bindLiteral(value: LiteralValue): Bound {
  switch (value.kind) {
    case "null":
      return leaf("NULL", NULL, "NULL", { kind: "null" });
    case "boolean":
      return leaf(value.value ? "TRUE" : "FALSE", BOOLEAN, `Boolean(${value.value})`, { kind: "boolean", value: value.value });
    case "string":
      return textLiteral(value.text);
    case "number":
      return /^\d+$/.test(value.text) ? integerLiteral(BigInt(value.text)) : floatLiteral(Number(value.text));
  }
}

function textLiteral(text: string): Bound {
  if (text.length > TEXT_LITERAL_MAX) throw planError(`A text of ${text.length} characters is longer than ${TEXT_LITERAL_MAX}`, { hint: "texts in queries are for comparing: write long ones as data" });
  return leaf(stringSql(text), UTF8, `Utf8("${text}")`, { kind: "string", text });
}

function integerLiteral(value: bigint): Bound {
  if (value >= -(1n << 63n) && value < 1n << 63n) return leaf(bigintSql(value), INT64, `Int64(${value})`, { kind: "integer", value });
  if (value >= 0n && value < 1n << 64n) return leaf(`CAST(${value} AS UBIGINT)`, UINT64, `UInt64(${value})`, { kind: "integer", value });
  return floatLiteral(Number(value));
}

const floatLiteral = (value: number): Bound => leaf(doubleSql(value), FLOAT64, `Float64(${value})`, { kind: "float", value });

function bindInterval(node: Node<"interval">, at: ExpressionScope): Bound {
  const interval = parseInterval(node.text);
  if (interval === undefined) {
    throw planError(`Invalid input syntax for type interval: "${node.text}"`, { position: at.context.position(node.at), hint: "write it as INTERVAL '10 minutes'" });
  }
  const shown = `IntervalMonthDayNano { months: ${interval.months}, days: ${interval.days}, nanoseconds: ${interval.nanos} }`;
  return leaf(intervalSql(interval), INTERVAL, `IntervalMonthDayNano("${shown}")`, { kind: "interval", interval });
}

function bindParameter(node: Node<"parameter">, at: ExpressionScope): Bound {
  const { parameters } = at.context.options;
  const value = parameters.get(node.name);
  if (value === undefined) {
    throw planError(`No value found for placeholder with name $${node.name}`, { position: at.context.position(node.at), hint: `give "${node.name}" in params` });
  }
  return { ...parameterLiteral(value), name: `$${node.name}` };
}

/** JSON scalar to SQL type (spec: query §2.2): whole numbers from zero up are UInt64. */
function parameterLiteral(value: ParameterValue): Bound {
  if (value === null) return bindLiteral({ kind: "null" });
  if (typeof value === "boolean") return bindLiteral({ kind: "boolean", value });
  if (typeof value === "string") return bindLiteral({ kind: "string", text: value });
  if (typeof value === "number" && !Number.isInteger(value)) return floatLiteral(value);
  const whole = BigInt(value);
  if (whole < 0n || whole >= 1n << 64n) return integerLiteral(whole);
  return leaf(`CAST(${whole} AS UBIGINT)`, UINT64, `UInt64(${whole})`, { kind: "integer", value: whole });
}

function bindColumn(path: readonly Identifier[], offset: number, at: ExpressionScope): Bound {
  const position = at.context.position(offset);
  const alias = path.length === 1 ? at.aliases.get((path[0] as Identifier).name) : undefined;
  if (alias !== undefined) return bindExpression(alias, { ...at, aliases: new Map() });
  const { column, outer } = resolveColumn(at.scope, path, position);
  const name = qualifiedName(column);
  const scanColumn = outer || column.relationId === undefined ? undefined : { relationId: column.relationId, column: column.name };
  return { ...leaf(column.sql, column.type, name), loose: outer ? undefined : qualifiedShown(column.qualifier, column.name), scanColumn };
}

const qualifiedShown = (qualifier: string | undefined, name: string): string => (qualifier === undefined ? shownName(name) : `${qualifier}.${shownName(name)}`);

function bindUnary(node: Node<"unary">, at: ExpressionScope): Bound {
  const operand = bindExpression(node.operand, at);
  const position = at.context.position(node.at);
  if (node.operator === "-") return negated(operand, position);
  if (node.operator === "+") return operand;
  return { ...retyped(operand, BOOLEAN, `(NOT ${asBoolean(operand, position).sql})`), name: `NOT ${operand.name}` };
}

function bindIs(node: Node<"is">, at: ExpressionScope): Bound {
  const operand = bindExpression(node.operand, at);
  const test = node.test === "unknown" ? "NULL" : node.test.toUpperCase();
  const value = node.test === "null" ? operand : asBoolean(operand, at.context.position(node.at));
  const suffix = `IS ${node.negated ? "NOT " : ""}${test}`;
  return { ...retyped(operand, BOOLEAN, `(${value.sql} ${suffix})`), name: `${operand.name} ${suffix}` };
}

function bindBetween(node: Node<"between">, at: ExpressionScope): Bound {
  const [operand, low, high] = [node.operand, node.low, node.high].map((part) => bindExpression(part, at)) as [Bound, Bound, Bound];
  const position = at.context.position(node.at);
  const [a, from] = comparable(operand, low, position);
  const [b, to] = comparable(operand, high, position);
  const not = node.negated ? "NOT " : "";
  return {
    ...leaf(`(${not}(${a.sql} >= ${from.sql} AND ${b.sql} <= ${to.sql}))`, BOOLEAN, `${operand.name} ${not}BETWEEN ${low.name} AND ${high.name}`),
    ...inherit([operand, low, high]),
  };
}

function bindInList(node: Node<"in-list">, at: ExpressionScope): Bound {
  const operand = bindExpression(node.operand, at);
  const items = node.items.map((item) => bindExpression(item, at));
  const position = at.context.position(node.at);
  const pairs = items.map((item) => comparable(operand, item, position));
  const not = node.negated ? "NOT " : "";
  const same = pairs.every(([left]) => left.sql === pairs[0]?.[0].sql);
  const sql = same
    ? `(${pairs[0]?.[0].sql} ${not}IN (${pairs.map(([, item]) => item.sql).join(", ")}))`
    : `(${not}(${pairs.map(([left, item]) => `${left.sql} = ${item.sql}`).join(" OR ")}))`;
  return { ...leaf(sql, BOOLEAN, `${operand.name} ${not}IN ([${items.map((item) => item.name).join(", ")}])`), ...inherit([operand, ...items]) };
}

function oneColumn(node: Node<"in-query"> | Node<"subquery">, at: ExpressionScope): { sql: string; type: SqlType; name: string } {
  const query = at.bindQuery(node.query, at);
  const [column] = query.columns;
  if (column === undefined || query.columns.length !== 1) {
    throw planError(`Too many columns! The subquery should only return one column: ${query.columns.map((c) => c.name).join(", ")}`, { position: at.context.position(node.at) });
  }
  return { sql: query.sql, type: column.type, name: column.name };
}

function bindInQuery(node: Node<"in-query">, at: ExpressionScope): Bound {
  const operand = bindExpression(node.operand, at);
  const query = oneColumn(node, at);
  const [left, right] = comparable(operand, leaf("c0", query.type, ""), at.context.position(node.at));
  const sql = `(${left.sql} ${node.negated ? "NOT " : ""}IN (SELECT ${right.sql} FROM (${query.sql})))`;
  return { ...retyped(operand, BOOLEAN, sql), name: `${operand.name} ${node.negated ? "NOT " : ""}IN (<subquery>)` };
}

function bindScalarQuery(node: Node<"subquery">, at: ExpressionScope): Bound {
  const query = oneColumn(node, at);
  return leaf(`(${query.sql})`, query.type, query.name);
}

function bindLike(node: Node<"like">, at: ExpressionScope): Bound {
  const position = at.context.position(node.at);
  const [operand, pattern] = [bindExpression(node.operand, at), bindExpression(node.pattern, at)];
  for (const side of [operand, pattern]) {
    if (!isText(side.type) && side.type.kind !== "null") throw planError(`There isn't a common type to coerce ${arrowName(operand.type)} and ${arrowName(pattern.type)} in LIKE expression`, { position });
  }
  // DataFusion reads the pattern of SIMILAR TO as a regular expression.
  if (node.similar) return bindBinary(node.negated ? "!~" : "~", operand, pattern, position);
  if (node.escape !== undefined && [...node.escape].length !== 1) throw planError("Invalid escape character in LIKE expression", { position });
  const word = node.caseInsensitive ? "ILIKE" : "LIKE";
  // A backslash escapes by default (DataFusion); saying so costs the engine its prefix shortcut, so only where one occurs.
  const known = pattern.constant?.kind === "string" ? pattern.constant.text : undefined;
  const escape = node.escape ?? (known === undefined || known.includes("\\") ? "\\" : undefined);
  const sql = `(${castTo(operand, UTF8).sql} ${node.negated ? "NOT " : ""}${word} ${castTo(pattern, UTF8).sql}${escape === undefined ? "" : ` ESCAPE ${stringSql(escape)}`})`;
  return { ...leaf(sql, BOOLEAN, `${operand.name} ${node.negated ? "NOT " : ""}${word} ${pattern.name}`), ...inherit([operand, pattern]) };
}

/** One type for several values. Throws `query.invalid` when they have none. */
export function unified(values: readonly Bound[], what: string, offset: number, at: ExpressionScope): SqlType {
  let type: SqlType = NULL;
  for (const value of values) {
    const next = commonType(type, value.type);
    if (next === undefined) throw planError(`Failed to coerce ${what} (${values.map((v) => arrowName(v.type)).join(", ")}) to a common type`, { position: at.context.position(offset) });
    type = next;
  }
  return type;
}

function bindCase(node: Node<"case">, at: ExpressionScope): Bound {
  const position = at.context.position(node.at);
  const operand = node.operand === undefined ? undefined : bindExpression(node.operand, at);
  const tests = node.branches.map(([when]) => bindExpression(when, at));
  const results = node.branches.map(([, then]) => bindExpression(then, at));
  const otherwise = node.otherwise === undefined ? undefined : bindExpression(node.otherwise, at);
  const values = otherwise === undefined ? results : [...results, otherwise];
  const type = unified(values, "then or else expressions", node.at, at);
  const conditions = tests.map((test) => {
    if (operand === undefined) return asBoolean(test, position).sql;
    const [left, right] = comparable(operand, test, position);
    return `${left.sql} = ${right.sql}`;
  });
  const branches = results.map((result, index) => `WHEN ${conditions[index]} THEN ${castTo(result, type, position).sql}`).join(" ");
  const shown = tests.map((test, index) => ` WHEN ${test.name} THEN ${results[index]?.name}`).join("");
  return {
    ...leaf(
      `(CASE ${branches}${otherwise === undefined ? "" : ` ELSE ${castTo(otherwise, type, position).sql}`} END)`,
      type,
      `CASE${operand === undefined ? "" : ` ${operand.name}`}${shown}${otherwise === undefined ? "" : ` ELSE ${otherwise.name}`} END`,
    ),
    ...inherit([...(operand === undefined ? [] : [operand]), ...tests, ...values]),
  };
}

function bindCast(node: Node<"cast">, at: ExpressionScope): Bound {
  const operand = bindExpression(node.operand, at);
  const position = at.context.position(node.at);
  return castTo(operand, typeFromName(node.type, position), position, node.quiet);
}

/** A cast, as DataFusion plans it: a time without zone is read as the zone's wall clock, one with a zone is only shown in another. */
function bindAtTimeZone(node: Node<"at-time-zone">, at: ExpressionScope): Bound {
  const operand = bindExpression(node.operand, at);
  const zone = bindExpression(node.zone, at);
  const position = at.context.position(node.at);
  if (zone.constant?.kind !== "string") throw planError("AT TIME ZONE requires a string literal", { position });
  return castTo(operand, { kind: "timestamp", unit: "Nanosecond", zone: zone.constant.text }, position);
}

function bindIndex(node: Node<"index">, at: ExpressionScope): Bound {
  const operand = bindExpression(node.operand, at);
  const index = bindExpression(node.index, at);
  const position = at.context.position(node.at);
  const inherited = inherit([operand, index]);
  if (operand.type.kind === "struct") {
    const name = index.constant?.kind === "string" ? index.constant.text : undefined;
    const field = operand.type.fields.findIndex((candidate) => candidate.name === name);
    if (field < 0) throw planError(`Field ${name ?? "?"} not found in struct`, { position, hint: `it has ${operand.type.fields.map((f) => `'${f.name}'`).join(", ")}` });
    return { ...leaf(`struct_extract(${operand.sql}, 'f${field}')`, (operand.type.fields[field] as { type: SqlType }).type, `${operand.name}[${name}]`), ...inherited };
  }
  if (operand.type.kind === "list" && isInteger(index.type)) {
    return { ...leaf(`list_extract(${operand.sql}, ${castTo(index, INT64).sql})`, operand.type.element, `array_element(${operand.name},${index.name})`), ...inherited };
  }
  throw planError(`The expression to get an indexed field is only valid for List, Struct, Map or Null types, got ${arrowName(operand.type)}`, { position });
}

function bindArray(elements: readonly Bound[]): Bound {
  let element: SqlType = NULL;
  for (const value of elements) element = commonType(element, value.type) ?? UTF8;
  const items = elements.map((value) => castTo(value, element).sql).join(", ");
  return { ...leaf(`[${items}]`, { kind: "list", element }, `make_array(${elements.map((e) => e.name).join(",")})`), ...inherit(elements) };
}
