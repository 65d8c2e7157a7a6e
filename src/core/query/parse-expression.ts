/** Expressions by precedence climbing: OR, AND, NOT, comparison, bit, additive, multiplicative, unary, postfix. */
import { SQL_CHAIN_MAX } from "./limits.ts";
import { parsePrimary, parseTypeName } from "./parse-primary.ts";
import type { BinaryOperator, Expression } from "./syntax.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** One expression; throws `query.invalid` where it stops making sense. */
export function parseExpression(cursor: TokenCursor): Expression {
  return cursor.nested(() => chainOf(cursor, "OR", "or", () => chainOf(cursor, "AND", "and", () => parseNot(cursor))));
}

/** AND and OR associate freely, so long chains become a balanced tree: depth log n, not n. */
function chainOf(cursor: TokenCursor, word: string, operator: "or" | "and", parse: () => Expression): Expression {
  const operands = [parse()];
  while (cursor.takeWords(word)) operands.push(parse());
  return balanced(operands, operator, 0, operands.length);
}

function balanced(operands: readonly Expression[], operator: "or" | "and", from: number, to: number): Expression {
  if (to - from === 1) return operands[from] as Expression;
  const middle = (from + to) >> 1;
  const left = balanced(operands, operator, from, middle);
  return { kind: "binary", at: left.at, operator, left, right: balanced(operands, operator, middle, to) };
}

function parseNot(cursor: TokenCursor): Expression {
  const at = cursor.at;
  if (cursor.isWord("NOT") && !cursor.isWord("NOT", "EXISTS")) {
    cursor.advance();
    return { kind: "unary", at, operator: "not", operand: cursor.nested(() => parseNot(cursor)) };
  }
  return parseComparison(cursor);
}

const COMPARISONS: Readonly<Record<string, BinaryOperator>> = {
  "=": "=", "<=>": "is-not-distinct", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "~": "~", "~*": "~*", "!~": "!~", "!~*": "!~*",
};
const LIKE_OPERATORS: Readonly<Record<string, readonly [negated: boolean, caseInsensitive: boolean]>> = {
  "~~": [false, false], "~~*": [false, true], "!~~": [true, false], "!~~*": [true, true],
};

function parseComparison(cursor: TokenCursor): Expression {
  let left = parseBits(cursor);
  for (let links = 0; ; links++) {
    if (links > SQL_CHAIN_MAX) throw cursor.fail(`More than ${SQL_CHAIN_MAX} operators in a row`);
    const token = cursor.current;
    const operator = token.kind === "operator" ? COMPARISONS[token.text] : undefined;
    const like = token.kind === "operator" ? LIKE_OPERATORS[token.text] : undefined;
    if (operator !== undefined) {
      cursor.advance();
      left = { kind: "binary", at: left.at, operator, left, right: parseBits(cursor) };
    } else if (like !== undefined) {
      cursor.advance();
      left = { kind: "like", at: left.at, operand: left, pattern: parseBits(cursor), negated: like[0], caseInsensitive: like[1], similar: false };
    } else {
      const next = parseWordTest(cursor, left);
      if (next === undefined) return left;
      left = next;
    }
  }
}

/** IS, BETWEEN, IN, LIKE and their negations; undefined when none follows. */
function parseWordTest(cursor: TokenCursor, left: Expression): Expression | undefined {
  if (cursor.takeWords("IS")) return parseIs(cursor, left);
  const negated = cursor.isWord("NOT") && ["BETWEEN", "IN", "LIKE", "ILIKE", "SIMILAR"].includes(cursor.peek(1).upper);
  if (negated) cursor.advance();
  if (cursor.takeWords("BETWEEN")) {
    const low = parseBits(cursor);
    cursor.expectWord("AND");
    return { kind: "between", at: left.at, operand: left, low, high: parseBits(cursor), negated };
  }
  if (cursor.takeWords("IN")) return parseIn(cursor, left, negated);
  const caseInsensitive = cursor.isWord("ILIKE");
  const similar = cursor.isWord("SIMILAR", "TO");
  if (!caseInsensitive && !similar && !cursor.isWord("LIKE")) return undefined;
  cursor.takeWords(similar ? "SIMILAR" : caseInsensitive ? "ILIKE" : "LIKE");
  if (similar) cursor.advance();
  const pattern = parseBits(cursor);
  const escape = cursor.takeWords("ESCAPE") ? stringText(cursor) : undefined;
  return { kind: "like", at: left.at, operand: left, pattern, negated, caseInsensitive, similar, ...(escape === undefined ? {} : { escape }) };
}

function stringText(cursor: TokenCursor): string {
  if (cursor.current.kind !== "string") throw cursor.expected("string literal");
  return cursor.advance().text;
}

function parseIs(cursor: TokenCursor, operand: Expression): Expression {
  const negated = cursor.takeWords("NOT");
  if (cursor.takeWords("DISTINCT", "FROM")) {
    return { kind: "binary", at: operand.at, operator: negated ? "is-not-distinct" : "is-distinct", left: operand, right: parseBits(cursor) };
  }
  for (const [word, test] of [["NULL", "null"], ["TRUE", "true"], ["FALSE", "false"], ["UNKNOWN", "unknown"]] as const) {
    if (cursor.takeWords(word)) return { kind: "is", at: operand.at, operand, test, negated };
  }
  throw cursor.expected("[NOT] NULL | TRUE | FALSE | DISTINCT FROM after IS");
}

function parseIn(cursor: TokenCursor, operand: Expression, negated: boolean): Expression {
  cursor.expectOperator("(");
  if (cursor.isWord("SELECT") || cursor.isWord("WITH") || cursor.isWord("VALUES")) {
    const query = cursor.nested(() => cursor.parseQuery(cursor));
    cursor.expectOperator(")");
    return { kind: "in-query", at: operand.at, operand, query, negated };
  }
  const items = [parseExpression(cursor)];
  while (cursor.takeOperator(",")) items.push(parseExpression(cursor));
  cursor.expectOperator(")");
  return { kind: "in-list", at: operand.at, operand, items, negated };
}

/** Left-associative operators of one precedence; the chain is bounded since the tree leans left. */
function leftChain(cursor: TokenCursor, operators: Readonly<Record<string, BinaryOperator>>, parse: () => Expression): Expression {
  let left = parse();
  for (let links = 0; cursor.current.kind === "operator"; links++) {
    const operator = operators[cursor.current.text];
    if (operator === undefined) break;
    if (links > SQL_CHAIN_MAX) throw cursor.fail(`More than ${SQL_CHAIN_MAX} operators in a row`);
    cursor.advance();
    left = { kind: "binary", at: left.at, operator, left, right: parse() };
  }
  return left;
}

// Loosest first, as sqlparser ranks them; `||` binds like a product there.
const LEVELS: readonly Readonly<Record<string, BinaryOperator>>[] = [
  { "|": "|" }, { "^": "#", "#": "#", "<<": "<<", ">>": ">>" }, { "&": "&" }, { "+": "+", "-": "-" }, { "*": "*", "/": "/", "%": "%", "||": "||" },
];

function parseBits(cursor: TokenCursor, level = 0): Expression {
  const operators = LEVELS[level];
  return operators === undefined ? parseUnary(cursor) : leftChain(cursor, operators, () => parseBits(cursor, level + 1));
}

function parseUnary(cursor: TokenCursor): Expression {
  const at = cursor.at;
  if (cursor.isOperator("-") || cursor.isOperator("+")) {
    const operator = cursor.advance().text as "-" | "+";
    return { kind: "unary", at, operator, operand: cursor.nested(() => parseUnary(cursor)) };
  }
  return parsePostfix(cursor);
}

function parsePostfix(cursor: TokenCursor): Expression {
  let operand = parsePrimary(cursor, parseExpression);
  for (let links = 0; ; links++) {
    if (links > SQL_CHAIN_MAX) throw cursor.fail(`More than ${SQL_CHAIN_MAX} operators in a row`);
    if (cursor.takeOperator("::")) operand = { kind: "cast", at: operand.at, operand, type: parseTypeName(cursor), quiet: false };
    else if (cursor.takeOperator("[")) {
      const index = parseExpression(cursor);
      cursor.expectOperator("]");
      operand = { kind: "index", at: operand.at, operand, index };
    } else if (cursor.takeWords("AT", "TIME", "ZONE")) {
      operand = { kind: "at-time-zone", at: operand.at, operand, zone: parsePrimary(cursor, parseExpression) };
    } else return operand;
  }
}
