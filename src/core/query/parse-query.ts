/** Queries: WITH, set operations, SELECT with its clauses, VALUES. */
import { parseOrderItems, parseWindow } from "./parse-call.ts";
import { parseExpression } from "./parse-expression.ts";
import { parseRelation } from "./parse-relation.ts";
import { CUBE_COLUMNS_MAX, SQL_CHAIN_MAX } from "./limits.ts";
import type { Expression, GroupItem, Identifier, Query, QueryBody, Select, SelectItem, SetOperation } from "./syntax.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** A whole query with its ORDER BY and LIMIT. */
export function parseQuery(cursor: TokenCursor): Query {
  const withs = parseWith(cursor);
  const body = parseSetOperation(cursor);
  const orderBy = cursor.takeWords("ORDER", "BY") ? parseOrderItems(cursor, parseExpression) : [];
  let limit: Expression | undefined;
  let offset: Expression | undefined;
  for (;;) {
    if (limit === undefined && cursor.takeWords("LIMIT")) {
      if (!cursor.takeWords("ALL")) limit = parseExpression(cursor);
    } else if (offset === undefined && cursor.takeWords("OFFSET")) {
      offset = parseExpression(cursor);
      if (!cursor.takeWords("ROWS")) cursor.takeWords("ROW");
    } else if (limit === undefined && cursor.isWord("FETCH")) {
      limit = parseFetch(cursor);
    } else break;
  }
  return { with: withs, body, orderBy, ...(limit === undefined ? {} : { limit }), ...(offset === undefined ? {} : { offset }) };
}

/** `FETCH FIRST 5 ROWS ONLY`. */
function parseFetch(cursor: TokenCursor): Expression {
  cursor.advance();
  if (!cursor.takeWords("FIRST") && !cursor.takeWords("NEXT")) throw cursor.expected("FIRST or NEXT after FETCH");
  const at = cursor.at;
  const counted = !cursor.isWord("ROW") && !cursor.isWord("ROWS");
  const count: Expression = counted ? parseExpression(cursor) : { kind: "literal", at, value: { kind: "number", text: "1" } };
  if (!cursor.takeWords("ROWS") && !cursor.takeWords("ROW")) throw cursor.expected("ROW or ROWS");
  if (!cursor.takeWords("ONLY")) throw cursor.expected("ONLY");
  return count;
}

function parseWith(cursor: TokenCursor): Query["with"] {
  const list: { name: Identifier; columns: readonly Identifier[]; query: Query }[] = [];
  if (!cursor.takeWords("WITH")) return list;
  if (cursor.isWord("RECURSIVE")) throw cursor.fail("Recursive CTEs are not supported", cursor.at, "write the steps as separate queries");
  do {
    const name = cursor.identifier();
    const columns = cursor.isOperator("(") ? cursor.identifierList() : [];
    cursor.expectWord("AS");
    cursor.expectOperator("(");
    const query = cursor.nested(() => parseQuery(cursor));
    cursor.expectOperator(")");
    list.push({ name, columns, query });
  } while (cursor.takeOperator(","));
  return list;
}

/** UNION and EXCEPT lean left; INTERSECT binds tighter. */
function parseSetOperation(cursor: TokenCursor): QueryBody {
  return parseSetChain(cursor, ["UNION", "EXCEPT"], () => parseSetChain(cursor, ["INTERSECT"], () => parseBody(cursor)));
}

function parseSetChain(cursor: TokenCursor, words: readonly string[], parse: () => QueryBody): QueryBody {
  let left = parse();
  for (let links = 0; ; links++) {
    const at = cursor.at;
    const word = words.find((candidate) => cursor.takeWords(candidate));
    if (word === undefined) return left;
    if (links > SQL_CHAIN_MAX) throw cursor.fail(`More than ${SQL_CHAIN_MAX} set operations in a row`, at);
    const all = cursor.takeWords("ALL");
    if (!all) cursor.takeWords("DISTINCT");
    left = { kind: "set", at, operator: word.toLowerCase() as SetOperation["operator"], all, left, right: parse() };
  }
}

function parseBody(cursor: TokenCursor): QueryBody {
  const at = cursor.at;
  if (cursor.takeOperator("(")) {
    const query = cursor.nested(() => parseQuery(cursor));
    cursor.expectOperator(")");
    return { kind: "nested", at, query };
  }
  if (cursor.takeWords("VALUES")) return { kind: "values", at, rows: parseRows(cursor) };
  if (!cursor.isWord("SELECT")) throw cursor.expected("SELECT, VALUES, or a subquery in the query body");
  return parseSelect(cursor);
}

function parseRows(cursor: TokenCursor): Expression[][] {
  const rows: Expression[][] = [];
  do {
    cursor.expectOperator("(");
    rows.push(parseExpressions(cursor));
    cursor.expectOperator(")");
  } while (cursor.takeOperator(","));
  return rows;
}

function parseExpressions(cursor: TokenCursor): Expression[] {
  const list = [parseExpression(cursor)];
  while (cursor.takeOperator(",")) list.push(parseExpression(cursor));
  return list;
}

function parseSelect(cursor: TokenCursor): Select {
  const at = cursor.at;
  cursor.expectWord("SELECT");
  const distinct = cursor.takeWords("DISTINCT");
  if (!distinct) cursor.takeWords("ALL");
  let distinctOn: Expression[] = [];
  if (distinct && cursor.takeWords("ON")) {
    cursor.expectOperator("(");
    distinctOn = parseExpressions(cursor);
    cursor.expectOperator(")");
  }
  const items = [parseItem(cursor)];
  while (cursor.takeOperator(",")) items.push(parseItem(cursor));
  if (cursor.isWord("INTO")) throw cursor.fail("SELECT INTO is not supported");
  const from = cursor.takeWords("FROM") ? parseFrom(cursor) : [];
  const where = cursor.takeWords("WHERE") ? parseExpression(cursor) : undefined;
  const groupBy = cursor.takeWords("GROUP", "BY") ? parseGroupBy(cursor) : [];
  const having = cursor.takeWords("HAVING") ? parseExpression(cursor) : undefined;
  const windows = cursor.takeWords("WINDOW") ? parseWindows(cursor) : [];
  const qualify = cursor.takeWords("QUALIFY") ? parseExpression(cursor) : undefined;
  return {
    kind: "select", at, distinct, distinctOn, items, from, groupBy, windows,
    ...(where === undefined ? {} : { where }),
    ...(having === undefined ? {} : { having }),
    ...(qualify === undefined ? {} : { qualify }),
  };
}

function parseFrom(cursor: TokenCursor): Select["from"] {
  const relations = [parseRelation(cursor, parseExpression)];
  while (cursor.takeOperator(",")) relations.push(parseRelation(cursor, parseExpression));
  return relations;
}

function parseWindows(cursor: TokenCursor): Select["windows"] {
  const windows: { name: Identifier; window: ReturnType<typeof parseWindow> }[] = [];
  do {
    const name = cursor.identifier();
    cursor.expectWord("AS");
    windows.push({ name, window: parseWindow(cursor, parseExpression) });
  } while (cursor.takeOperator(","));
  return windows;
}

function parseItem(cursor: TokenCursor): SelectItem {
  const at = cursor.at;
  const qualifier = starQualifier(cursor);
  if (qualifier !== undefined) return { kind: "star", at, qualifier, except: parseExcept(cursor) };
  const expression = parseExpression(cursor);
  const alias = cursor.takeWords("AS") ? cursor.alias() : cursor.startsName() ? cursor.identifier() : undefined;
  return { kind: "expression", expression, ...(alias === undefined ? {} : { alias }) };
}

/** The qualifier of `*`, `t.*` or `s.t.*`, consumed; undefined when no star stands here. */
function starQualifier(cursor: TokenCursor): Identifier[] | undefined {
  const mark = cursor.mark();
  const path: Identifier[] = [];
  while (cursor.startsName() && cursor.peek(1).text === "." && cursor.peek(1).kind === "operator") {
    path.push(cursor.identifier());
    cursor.advance();
  }
  if (cursor.takeOperator("*")) return path;
  cursor.rewind(mark);
  return undefined;
}

function parseExcept(cursor: TokenCursor): Identifier[] {
  const follows = (cursor.isWord("EXCEPT") || cursor.isWord("EXCLUDE")) && cursor.peek(1).text === "(";
  if (!follows) return [];
  cursor.advance();
  return cursor.identifierList();
}

function parseGroupBy(cursor: TokenCursor): GroupItem[] {
  if (cursor.isWord("ALL")) throw cursor.fail("GROUP BY ALL is not supported", cursor.at, "name the columns");
  const items = [parseGroupItem(cursor)];
  while (cursor.takeOperator(",")) items.push(parseGroupItem(cursor));
  return items;
}

function parseGroupItem(cursor: TokenCursor): GroupItem {
  const at = cursor.at;
  if (cursor.isWord("ROLLUP") && cursor.peek(1).text === "(") {
    cursor.advance();
    return { kind: "rollup", at, sets: parseSets(cursor) };
  }
  if (cursor.isWord("CUBE") && cursor.peek(1).text === "(") {
    cursor.advance();
    const sets = parseSets(cursor);
    if (sets.length > CUBE_COLUMNS_MAX) throw cursor.fail(`CUBE of more than ${CUBE_COLUMNS_MAX} columns`, at);
    return { kind: "cube", at, sets };
  }
  if (cursor.takeWords("GROUPING", "SETS")) return { kind: "sets", at, sets: parseSets(cursor) };
  return { kind: "expression", expression: parseExpression(cursor) };
}

/** `(a, (b, c), ())`: each element is one set of expressions. */
function parseSets(cursor: TokenCursor): Expression[][] {
  cursor.expectOperator("(");
  const sets: Expression[][] = [];
  do {
    if (cursor.isOperator("(")) {
      const mark = cursor.mark();
      cursor.advance();
      const set = cursor.isOperator(")") ? [] : parseExpressions(cursor);
      cursor.expectOperator(")");
      if (cursor.isOperator(",") || cursor.isOperator(")")) {
        sets.push(set);
        continue;
      }
      // `(a + b) * 2` is one expression that happens to start with a parenthesis.
      cursor.rewind(mark);
    }
    sets.push([parseExpression(cursor)]);
  } while (cursor.takeOperator(","));
  cursor.expectOperator(")");
  return sets;
}
