/** What an expression is made of at the bottom: literals, names, calls, CASE, CAST, the forms with words inside. */
import { parseFunctionTail, type ParseExpression } from "./parse-call.ts";
import type { Expression, Identifier, TypeName } from "./syntax.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** A primary expression. `parse` reads a whole expression (handed in, since the two are mutually recursive). */
export function parsePrimary(cursor: TokenCursor, parse: ParseExpression): Expression {
  const token = cursor.current;
  const at = token.offset;
  switch (token.kind) {
    case "number":
      cursor.advance();
      return { kind: "literal", at, value: { kind: "number", text: token.text } };
    case "string":
      cursor.advance();
      return { kind: "literal", at, value: { kind: "string", text: token.text } };
    case "parameter":
      cursor.advance();
      return { kind: "parameter", at, name: token.text };
    case "quoted":
      return parseName(cursor, parse);
    case "word":
      return parseKeywordForm(cursor, parse) ?? parseName(cursor, parse);
    case "operator":
      if (token.text === "(") return parseParentheses(cursor, parse);
      if (token.text === "[") return parseArray(cursor, parse);
      break;
    case "end":
  }
  throw cursor.expected("an expression");
}

function parseParentheses(cursor: TokenCursor, parse: ParseExpression): Expression {
  const at = cursor.at;
  cursor.expectOperator("(");
  if (startsQuery(cursor)) {
    const query = cursor.nested(() => cursor.parseQuery(cursor));
    cursor.expectOperator(")");
    return { kind: "subquery", at, query };
  }
  const inner = parse(cursor);
  if (cursor.isOperator(",")) throw cursor.fail("Row values are not supported", at, "compare the columns one by one");
  cursor.expectOperator(")");
  return inner;
}

function startsQuery(cursor: TokenCursor): boolean {
  let ahead = 0;
  while (cursor.peek(ahead).kind === "operator" && cursor.peek(ahead).text === "(") ahead++;
  const next = cursor.peek(ahead);
  return ahead === 0 && next.kind === "word" && (next.upper === "SELECT" || next.upper === "WITH" || next.upper === "VALUES");
}

function parseArray(cursor: TokenCursor, parse: ParseExpression): Expression {
  const at = cursor.at;
  cursor.expectOperator("[");
  const elements: Expression[] = [];
  if (!cursor.isOperator("]")) {
    do elements.push(parse(cursor));
    while (cursor.takeOperator(","));
  }
  cursor.expectOperator("]");
  return { kind: "array", at, elements };
}

/** Forms that start with a keyword; undefined when the word is an ordinary name. */
function parseKeywordForm(cursor: TokenCursor, parse: ParseExpression): Expression | undefined {
  const { upper, offset: at } = cursor.current;
  const next = cursor.peek(1);
  const called = next.kind === "operator" && next.text === "(";
  switch (upper) {
    case "NULL":
      cursor.advance();
      return { kind: "literal", at, value: { kind: "null" } };
    case "TRUE":
    case "FALSE":
      cursor.advance();
      return { kind: "literal", at, value: { kind: "boolean", value: upper === "TRUE" } };
    case "CASE":
      return parseCase(cursor, parse);
    case "NOT":
    case "EXISTS":
      return cursor.isWord("NOT", "EXISTS") || called ? parseExists(cursor) : undefined;
    case "INTERVAL":
      return next.kind === "string" || next.kind === "number" ? parseInterval(cursor) : undefined;
    case "TIMESTAMP":
    case "TIMESTAMPTZ":
    case "DATE":
    case "TIME":
      return next.kind === "string" ? parseTypedLiteral(cursor) : undefined;
    case "ARRAY":
      if (next.text !== "[") return undefined;
      cursor.advance();
      return parseArray(cursor, parse);
    default:
      return called ? parseCalledForm(cursor, parse) : parseBareFunction(cursor);
  }
}

const BARE_FUNCTIONS = new Set(["CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"]);

function parseBareFunction(cursor: TokenCursor): Expression | undefined {
  if (!BARE_FUNCTIONS.has(cursor.current.upper)) return undefined;
  const token = cursor.advance();
  return { kind: "call", at: token.offset, name: token.text.toLowerCase(), arguments: [], star: false, distinct: false, orderBy: [] };
}

function parseCase(cursor: TokenCursor, parse: ParseExpression): Expression {
  const at = cursor.at;
  cursor.advance();
  const operand = cursor.isWord("WHEN") ? undefined : parse(cursor);
  const branches: (readonly [Expression, Expression])[] = [];
  while (cursor.takeWords("WHEN")) {
    const when = parse(cursor);
    cursor.expectWord("THEN");
    branches.push([when, parse(cursor)]);
  }
  if (branches.length === 0) throw cursor.expected("WHEN");
  const otherwise = cursor.takeWords("ELSE") ? parse(cursor) : undefined;
  cursor.expectWord("END");
  return { kind: "case", at, branches, ...(operand === undefined ? {} : { operand }), ...(otherwise === undefined ? {} : { otherwise }) };
}

function parseExists(cursor: TokenCursor): Expression {
  const at = cursor.at;
  const negated = cursor.takeWords("NOT");
  cursor.expectWord("EXISTS");
  cursor.expectOperator("(");
  const query = cursor.nested(() => cursor.parseQuery(cursor));
  cursor.expectOperator(")");
  return negated ? { kind: "unary", at, operator: "not", operand: { kind: "exists", at, query } } : { kind: "exists", at, query };
}

const INTERVAL_UNITS = new Set(
  ["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND", "NANOSECOND", "DECADE", "CENTURY"].flatMap(
    (unit) => [unit, `${unit}S`],
  ),
);

/** `INTERVAL '10 minutes'`, `INTERVAL '10' MINUTE`, `INTERVAL 10 MINUTE`. */
function parseInterval(cursor: TokenCursor): Expression {
  const at = cursor.at;
  cursor.advance();
  const amount = cursor.advance();
  const unit = cursor.current;
  if (unit.kind === "word" && INTERVAL_UNITS.has(unit.upper)) {
    cursor.advance();
    return { kind: "interval", at, text: `${amount.text} ${unit.upper.toLowerCase()}` };
  }
  return { kind: "interval", at, text: amount.text };
}

function parseTypedLiteral(cursor: TokenCursor): Expression {
  const token = cursor.advance();
  const literal = cursor.advance();
  return {
    kind: "cast",
    at: token.offset,
    operand: { kind: "literal", at: literal.offset, value: { kind: "string", text: literal.text } },
    type: { words: token.upper, arguments: [], at: token.offset },
    quiet: false,
  };
}

/** Calls whose arguments are separated by words: CAST, EXTRACT, POSITION, SUBSTRING, TRIM, OVERLAY. */
function parseCalledForm(cursor: TokenCursor, parse: ParseExpression): Expression | undefined {
  const { upper, offset: at } = cursor.current;
  if (upper === "CAST" || upper === "TRY_CAST") {
    cursor.advance();
    cursor.expectOperator("(");
    const operand = parse(cursor);
    cursor.expectWord("AS");
    const type = parseTypeName(cursor);
    cursor.expectOperator(")");
    return { kind: "cast", at, operand, type, quiet: upper === "TRY_CAST" };
  }
  if (upper === "EXTRACT") return parseExtract(cursor, parse);
  if (upper === "STRUCT" || upper === "ROW") return parseStruct(cursor, parse);
  const separators = upper === "SUBSTRING" ? ["FROM", "FOR"] : upper === "OVERLAY" ? ["PLACING", "FROM", "FOR"] : undefined;
  if (separators !== undefined) return parseSeparated(cursor, parse, separators);
  return upper === "TRIM" ? parseTrim(cursor, parse) : upper === "POSITION" ? parsePosition(cursor, parse) : undefined;
}

const plainCall = (at: number, name: string, args: readonly Expression[]): Expression => ({
  kind: "call", at, name, arguments: args, star: false, distinct: false, orderBy: [],
});

/** `struct(a AS x, b)` is `named_struct('x', a, 'c1', b)`. */
function parseStruct(cursor: TokenCursor, parse: ParseExpression): Expression {
  const at = cursor.at;
  cursor.advance();
  cursor.expectOperator("(");
  const args: Expression[] = [];
  do {
    const value = parse(cursor);
    const name = cursor.takeWords("AS") ? cursor.alias() : { name: `c${args.length / 2}`, at: value.at };
    args.push({ kind: "literal", at: name.at, value: { kind: "string", text: name.name } }, value);
  } while (cursor.takeOperator(","));
  cursor.expectOperator(")");
  return plainCall(at, "named_struct", args);
}

function parseExtract(cursor: TokenCursor, parse: ParseExpression): Expression {
  const at = cursor.at;
  cursor.advance();
  cursor.expectOperator("(");
  const part = cursor.advance();
  if (part.kind !== "word" && part.kind !== "string") throw cursor.fail("Expected: date part", part.offset);
  cursor.expectWord("FROM");
  const operand = parse(cursor);
  cursor.expectOperator(")");
  const unit: Expression = { kind: "literal", at: part.offset, value: { kind: "string", text: part.text.toUpperCase() } };
  return plainCall(at, "date_part", [unit, operand]);
}

function parseSeparated(cursor: TokenCursor, parse: ParseExpression, separators: readonly string[]): Expression {
  const at = cursor.at;
  const name = cursor.advance().text.toLowerCase();
  cursor.expectOperator("(");
  const args = [parse(cursor)];
  while (cursor.takeOperator(",") || separators.some((word) => cursor.takeWords(word))) args.push(parse(cursor));
  cursor.expectOperator(")");
  return plainCall(at, name === "substring" ? "substr" : name, args);
}

function parseTrim(cursor: TokenCursor, parse: ParseExpression): Expression {
  const at = cursor.at;
  cursor.advance();
  cursor.expectOperator("(");
  const side = ["BOTH", "LEADING", "TRAILING"].find((word) => cursor.takeWords(word)) ?? "BOTH";
  const name = side === "LEADING" ? "ltrim" : side === "TRAILING" ? "rtrim" : "btrim";
  const first = cursor.isWord("FROM") ? undefined : parse(cursor);
  const args = first === undefined ? [] : [first];
  if (cursor.takeWords("FROM")) args.unshift(parse(cursor));
  else if (cursor.takeOperator(",")) args.push(parse(cursor));
  cursor.expectOperator(")");
  return plainCall(at, name, args);
}

function parsePosition(cursor: TokenCursor, parse: ParseExpression): Expression {
  const at = cursor.at;
  cursor.advance();
  cursor.expectOperator("(");
  // `IN` would be read as a list test, so the needle is a primary expression, as in DataFusion's own grammar.
  const needle = parsePrimary(cursor, parse);
  if (!cursor.takeOperator(",")) {
    cursor.expectWord("IN");
    const text = parse(cursor);
    cursor.expectOperator(")");
    return plainCall(at, "strpos", [text, needle]);
  }
  const second = parse(cursor);
  cursor.expectOperator(")");
  return plainCall(at, "strpos", [needle, second]);
}

/** A column path or a function call. */
function parseName(cursor: TokenCursor, parse: ParseExpression): Expression {
  const at = cursor.at;
  const callable = cursor.peek(1).text === "(" && (cursor.isWord("LEFT") || cursor.isWord("RIGHT"));
  if (cursor.isReserved() && !callable) throw cursor.expected("an expression");
  const path: Identifier[] = [cursor.identifier(callable)];
  while (cursor.isOperator(".") && cursor.peek(1).text !== "*") {
    cursor.advance();
    path.push(cursor.identifier(true));
  }
  if (path.length === 1 && cursor.isOperator("(")) return parseFunctionTail(cursor, path[0] as Identifier, parse);
  return { kind: "column", at, path };
}

const TYPE_TAILS: readonly (readonly string[])[] = [
  ["PRECISION"], ["VARYING"], ["UNSIGNED"], ["WITH", "TIME", "ZONE"], ["WITHOUT", "TIME", "ZONE"],
];

/** A type's name with its arguments; what it means is the binder's business. */
export function parseTypeName(cursor: TokenCursor): TypeName {
  const at = cursor.at;
  if (cursor.current.kind !== "word") throw cursor.expected("a data type name");
  let words = cursor.advance().upper;
  const args: number[] = [];
  const parseArguments = (): void => {
    if (!cursor.takeOperator("(")) return;
    do {
      if (cursor.current.kind !== "number") throw cursor.expected("literal int");
      args.push(Number(cursor.advance().text));
    } while (cursor.takeOperator(","));
    cursor.expectOperator(")");
  };
  parseArguments();
  for (const tail of TYPE_TAILS) if (cursor.takeWords(...tail)) words += ` ${tail.join(" ")}`;
  parseArguments();
  return { words, arguments: args, at };
}
