/** FROM: tables, derived tables and joins. A single-quoted table name is taken as a quoted one (plugins write it). */
import { TABLE_FUNCTIONS } from "./bind-cache.ts";
import { SERIES_FUNCTIONS } from "./bind-series.ts";
import { SQL_CHAIN_MAX } from "./limits.ts";
import type { ParseExpression } from "./parse-call.ts";
import type { Expression, Identifier, JoinCondition, JoinKind, Relation, RelationAlias } from "./syntax.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** One item of FROM with the joins that follow it. */
export function parseRelation(cursor: TokenCursor, parse: ParseExpression): Relation {
  return cursor.nested(() => {
    let left = parseFactor(cursor, parse);
    for (let links = 0; ; links++) {
      if (links > SQL_CHAIN_MAX) throw cursor.fail(`More than ${SQL_CHAIN_MAX} joins`);
      const at = cursor.at;
      const natural = cursor.takeWords("NATURAL");
      const join = parseJoinKind(cursor);
      if (join === undefined) {
        if (natural) throw cursor.expected("a join type after NATURAL");
        return left;
      }
      const right = parseFactor(cursor, parse);
      const condition: JoinCondition = natural ? { kind: "natural" } : join === "cross" ? { kind: "none" } : parseCondition(cursor, parse);
      left = { kind: "join", at, left, right, join, condition };
    }
  });
}

const JOINS: readonly (readonly [words: readonly string[], join: JoinKind])[] = [
  [["JOIN"], "inner"], [["INNER", "JOIN"], "inner"], [["CROSS", "JOIN"], "cross"],
  [["LEFT", "SEMI", "JOIN"], "left-semi"], [["LEFT", "ANTI", "JOIN"], "left-anti"],
  [["RIGHT", "SEMI", "JOIN"], "right-semi"], [["RIGHT", "ANTI", "JOIN"], "right-anti"],
  [["SEMI", "JOIN"], "left-semi"], [["ANTI", "JOIN"], "left-anti"],
  [["LEFT", "OUTER", "JOIN"], "left"], [["LEFT", "JOIN"], "left"],
  [["RIGHT", "OUTER", "JOIN"], "right"], [["RIGHT", "JOIN"], "right"],
  [["FULL", "OUTER", "JOIN"], "full"], [["FULL", "JOIN"], "full"],
];

function parseJoinKind(cursor: TokenCursor): JoinKind | undefined {
  return JOINS.find(([words]) => cursor.takeWords(...words))?.[1];
}

function parseCondition(cursor: TokenCursor, parse: ParseExpression): JoinCondition {
  if (cursor.takeWords("ON")) return { kind: "on", expression: parse(cursor) };
  if (cursor.takeWords("USING")) return { kind: "using", columns: cursor.identifierList() };
  throw cursor.expected("ON, or USING after JOIN");
}

function parseFactor(cursor: TokenCursor, parse: ParseExpression): Relation {
  const at = cursor.at;
  const lateral = cursor.takeWords("LATERAL");
  if (cursor.isOperator("(")) return parseParenthesised(cursor, parse, at, lateral);
  if (cursor.isWord("VALUES")) {
    const query = cursor.nested(() => cursor.parseQuery(cursor));
    const alias = parseAlias(cursor);
    return { kind: "derived", at, query, lateral, ...(alias === undefined ? {} : { alias }) };
  }
  const path = parseTablePath(cursor);
  if (cursor.isOperator("(")) {
    const name = path.map((part) => part.name).join(".");
    const args = parseArguments(cursor, parse, name);
    const alias = parseAlias(cursor);
    return { kind: "table-function", at, name, arguments: args, ...(alias === undefined ? {} : { alias }) };
  }
  const alias = parseAlias(cursor);
  return { kind: "table", at, path, ...(alias === undefined ? {} : { alias }) };
}

/** What an unknown function was given does not matter: the binder refuses it by its name. */
function parseArguments(cursor: TokenCursor, parse: ParseExpression, name: string): readonly Expression[] {
  if (!TABLE_FUNCTIONS.has(name) && !SERIES_FUNCTIONS.has(name)) {
    cursor.skipParentheses();
    return [];
  }
  cursor.expectOperator("(");
  const list: Expression[] = [];
  while (!cursor.takeOperator(")")) {
    if (list.length > 0) cursor.expectOperator(",");
    list.push(parse(cursor));
  }
  return list;
}

function parseParenthesised(cursor: TokenCursor, parse: ParseExpression, at: number, lateral: boolean): Relation {
  const mark = cursor.mark();
  cursor.expectOperator("(");
  if (cursor.isWord("SELECT") || cursor.isWord("WITH") || cursor.isWord("VALUES")) {
    const query = cursor.nested(() => cursor.parseQuery(cursor));
    cursor.expectOperator(")");
    const alias = parseAlias(cursor);
    return { kind: "derived", at, query, lateral, ...(alias === undefined ? {} : { alias }) };
  }
  if (opensQuery(cursor)) {
    // `((SELECT …) UNION …) t`: the query parser reads the inner parentheses itself.
    cursor.rewind(mark);
    cursor.expectOperator("(");
    const query = cursor.nested(() => cursor.parseQuery(cursor));
    cursor.expectOperator(")");
    const alias = parseAlias(cursor);
    return { kind: "derived", at, query, lateral, ...(alias === undefined ? {} : { alias }) };
  }
  const inner = parseRelation(cursor, parse);
  cursor.expectOperator(")");
  return inner;
}

function opensQuery(cursor: TokenCursor): boolean {
  let ahead = 0;
  while (cursor.peek(ahead).kind === "operator" && cursor.peek(ahead).text === "(") ahead++;
  return ahead > 0 && ["SELECT", "WITH", "VALUES"].includes(cursor.peek(ahead).upper);
}

/** `t`, `iox.t`, `public.iox.t`; each part may be quoted, the last one also with single quotes. */
export function parseTablePath(cursor: TokenCursor): Identifier[] {
  const path: Identifier[] = [];
  do {
    const token = cursor.current;
    if (token.kind === "string") path.push({ name: cursor.advance().text, at: token.offset });
    else path.push(cursor.identifier(path.length > 0));
  } while (cursor.takeOperator("."));
  return path;
}

function parseAlias(cursor: TokenCursor): RelationAlias | undefined {
  const named = cursor.takeWords("AS") || cursor.startsName();
  if (!named) return undefined;
  const name = cursor.identifier();
  return { name, columns: cursor.isOperator("(") ? cursor.identifierList() : [] };
}
