/** The rest of a function call after its name: arguments, ORDER BY inside, FILTER, null treatment, OVER. */
import type { Call, Expression, FrameBound, Identifier, OrderItem, WindowSpecification } from "./syntax.ts";
import type { TokenCursor } from "./token-cursor.ts";

export type ParseExpression = (cursor: TokenCursor) => Expression;

/** The cursor stands at the opening parenthesis. */
export function parseFunctionTail(cursor: TokenCursor, name: Identifier, parse: ParseExpression): Call {
  cursor.expectOperator("(");
  const distinct = cursor.takeWords("DISTINCT");
  if (!distinct) cursor.takeWords("ALL");
  const args: Expression[] = [];
  const star = cursor.takeOperator("*");
  if (!star && !cursor.isOperator(")") && !cursor.isWord("ORDER", "BY")) {
    do args.push(parse(cursor));
    while (cursor.takeOperator(","));
  }
  let orderBy = cursor.takeWords("ORDER", "BY") ? parseOrderItems(cursor, parse) : [];
  let ignoreNulls = parseNullTreatment(cursor);
  cursor.expectOperator(")");
  const within = cursor.takeWords("WITHIN", "GROUP");
  if (within) {
    cursor.expectOperator("(");
    cursor.expectWord("ORDER");
    cursor.expectWord("BY");
    orderBy = parseOrderItems(cursor, parse);
    // percentile_cont(0.5) WITHIN GROUP (ORDER BY x) is percentile_cont(x, 0.5): the sorted value is the first argument.
    args.unshift((orderBy[0] as OrderItem).expression);
    cursor.expectOperator(")");
  }
  const fromTop = within && orderBy[0]?.descending === true;
  ignoreNulls ??= parseNullTreatment(cursor);
  const filter = parseFilter(cursor, parse);
  ignoreNulls ??= parseNullTreatment(cursor);
  const over = cursor.takeWords("OVER") ? parseOver(cursor, parse) : undefined;
  return {
    kind: "call", at: name.at, name: name.name, arguments: args, star, distinct, orderBy,
    ...(fromTop ? { fromTop } : {}),
    ...(filter === undefined ? {} : { filter }),
    ...(ignoreNulls === undefined ? {} : { ignoreNulls }),
    ...(over === undefined ? {} : { over }),
  };
}

function parseNullTreatment(cursor: TokenCursor): boolean | undefined {
  if (cursor.takeWords("IGNORE", "NULLS")) return true;
  return cursor.takeWords("RESPECT", "NULLS") ? false : undefined;
}

function parseFilter(cursor: TokenCursor, parse: ParseExpression): Expression | undefined {
  if (!cursor.takeWords("FILTER")) return undefined;
  cursor.expectOperator("(");
  cursor.expectWord("WHERE");
  const filter = parse(cursor);
  cursor.expectOperator(")");
  return filter;
}

/** Items after ORDER BY. */
export function parseOrderItems(cursor: TokenCursor, parse: ParseExpression): OrderItem[] {
  const items: OrderItem[] = [];
  do {
    const expression = parse(cursor);
    const descending = cursor.takeWords("DESC");
    if (!descending) cursor.takeWords("ASC");
    let nullsFirst: boolean | undefined;
    if (cursor.takeWords("NULLS", "FIRST")) nullsFirst = true;
    else if (cursor.takeWords("NULLS", "LAST")) nullsFirst = false;
    items.push({ expression, descending, nullsFirst });
  } while (cursor.takeOperator(","));
  return items;
}

function parseOver(cursor: TokenCursor, parse: ParseExpression): Identifier | WindowSpecification {
  return cursor.isOperator("(") ? parseWindow(cursor, parse) : cursor.identifier();
}

/** A window in parentheses. */
export function parseWindow(cursor: TokenCursor, parse: ParseExpression): WindowSpecification {
  cursor.expectOperator("(");
  const inner = ["PARTITION", "ORDER", "ROWS", "RANGE", "GROUPS"];
  const base = cursor.startsName() && !inner.includes(cursor.current.upper) ? cursor.identifier() : undefined;
  const partitionBy: Expression[] = [];
  if (cursor.takeWords("PARTITION", "BY")) {
    do partitionBy.push(parse(cursor));
    while (cursor.takeOperator(","));
  }
  const orderBy = cursor.takeWords("ORDER", "BY") ? parseOrderItems(cursor, parse) : [];
  const unit = (["ROWS", "RANGE", "GROUPS"] as const).find((word) => cursor.takeWords(word));
  let frame: WindowSpecification["frame"];
  if (unit !== undefined) {
    const between = cursor.takeWords("BETWEEN");
    const start = parseBound(cursor, parse);
    if (between) cursor.expectWord("AND");
    frame = { unit, start, end: between ? parseBound(cursor, parse) : { kind: "current" } };
  }
  cursor.expectOperator(")");
  return { partitionBy, orderBy, ...(base === undefined ? {} : { base }), ...(frame === undefined ? {} : { frame }) };
}

function parseBound(cursor: TokenCursor, parse: ParseExpression): FrameBound {
  if (cursor.takeWords("UNBOUNDED", "PRECEDING")) return { kind: "unbounded-preceding" };
  if (cursor.takeWords("UNBOUNDED", "FOLLOWING")) return { kind: "unbounded-following" };
  if (cursor.takeWords("CURRENT", "ROW")) return { kind: "current" };
  const offset = parse(cursor);
  if (cursor.takeWords("PRECEDING")) return { kind: "preceding", offset };
  cursor.expectWord("FOLLOWING");
  return { kind: "following", offset };
}
