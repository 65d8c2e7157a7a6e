/** GROUP BY: expressions, output aliases and ordinals, ROLLUP, CUBE, GROUPING SETS; and the rule that nothing else is loose. */
import type { ExpressionScope } from "./bind-context.ts";
import { Gapfill, isGapfillCall } from "./bind-gapfill.ts";
import type { Bound } from "./bound.ts";
import { findIn } from "./scope.ts";
import { notImplemented, planError } from "./sql-error.ts";
import type { Expression, GroupItem, Select } from "./syntax.ts";

export interface Grouping {
  /** After GROUP BY; undefined without one. */
  readonly sql: string | undefined;
  readonly texts: ReadonlySet<string>;
  /** For what each text stands in the output. */
  readonly shown: ReadonlyMap<string, string>;
  readonly names: readonly string[];
}

export function bindGroups(select: Select, at: ExpressionScope): Grouping {
  const texts = new Set<string>();
  const names: string[] = [];
  const one = (expression: Expression): string => {
    const bound = at.bind(groupExpression(expression, select, at), at);
    if (!texts.has(bound.sql)) names.push(bound.name);
    texts.add(bound.sql);
    return bound.sql;
  };
  const parts = select.groupBy.map((item) => groupSql(item, one));
  const shown = at.gapfill?.setKeys(texts) ?? new Map([...texts].map((text) => [text, text]));
  return { sql: parts.length === 0 ? undefined : parts.join(", "), texts, shown, names };
}

function groupSql(item: GroupItem, one: (expression: Expression) => string): string {
  if (item.kind === "expression") return one(item.expression);
  const sets = item.sets.map((set) => `(${set.map(one).join(", ")})`).join(", ");
  return item.kind === "sets" ? `GROUPING SETS (${sets})` : `${item.kind.toUpperCase()} (${sets})`;
}

/** The gap filling that a GROUP BY asks for; undefined when it asks for none. Throws for one inside ROLLUP and its like. */
export function gapfillOf(select: Select, at: ExpressionScope): Gapfill | undefined {
  const expressions = select.groupBy.flatMap((item) => (item.kind === "expression" ? [groupExpression(item.expression, select, at)] : item.sets.flat()));
  const call = expressions.find(isGapfillCall);
  if (call === undefined) return undefined;
  if (select.groupBy.some((item) => item.kind !== "expression")) throw notImplemented("gap filling with ROLLUP, CUBE or GROUPING SETS", { position: at.context.position(call.at) });
  return new Gapfill(at.context.alias());
}

/** What a GROUP BY entry means: an ordinal, an alias that no input column hides, or itself. */
export function groupExpression(expression: Expression, select: Select, at: ExpressionScope): Expression {
  if (expression.kind === "literal" && expression.value.kind === "number") return ordinalItem(Number(expression.value.text), expression.at, select, at);
  if (expression.kind !== "column" || expression.path.length !== 1) return expression;
  const name = expression.path[0]?.name;
  if (findIn(at.scope, expression.path, at.context.position(expression.at)) !== undefined) return expression;
  const item = select.items.find((candidate) => candidate.kind === "expression" && candidate.alias?.name === name);
  return item?.kind === "expression" ? item.expression : expression;
}

function ordinalItem(ordinal: number, offset: number, select: Select, at: ExpressionScope): Expression {
  const position = at.context.position(offset);
  const item = select.items[ordinal - 1];
  if (!Number.isInteger(ordinal) || item === undefined) throw planError(`Cannot find column with position ${ordinal} in SELECT clause. Valid columns: 1 to ${select.items.length}`, { position });
  if (item.kind === "star" || select.items.slice(0, ordinal).some((candidate) => candidate.kind === "star")) {
    throw planError("GROUP BY ordinals need the columns named", { position, hint: "replace * by the columns" });
  }
  return item.expression;
}

/** In an aggregate query every column outside an aggregate must be a group. Throws DataFusion's words. */
export function checkGrouped(select: Select, grouping: Grouping, bound: readonly Bound[], at: ExpressionScope): void {
  const aggregated = grouping.sql !== undefined || select.having !== undefined || bound.some((item) => item.aggregate);
  if (!aggregated) return;
  const loose = bound.find((item) => item.loose !== undefined)?.loose;
  if (loose === undefined) return;
  const valid = grouping.names.length === 0 ? "aggregate functions" : [...grouping.names].map((name) => `"${name}"`).join(", ");
  throw planError(
    `Column in SELECT must be in GROUP BY or an aggregate function: While expanding wildcard, column "${loose}" must appear in the GROUP BY clause or must be part of an aggregate function, currently only ${valid} appears in the SELECT clause satisfies this requirement`,
    { position: at.context.position(select.at), hint: `add ${loose} to GROUP BY, or wrap it in an aggregate such as max(${loose})` },
  );
}
