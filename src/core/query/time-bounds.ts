/** Time bounds of a WHERE clause: the conjuncts that compare a column with a constant. */
import type { ExpressionScope } from "./bind-context.ts";
import type { Bound } from "./bound.ts";
import { castTo } from "./coerce.ts";
import type { Expression } from "./syntax.ts";
import { TIMESTAMP } from "./types.ts";

export type TimeOperator = "<" | "<=" | ">" | ">=" | "=";

export interface TimeComparison {
  readonly column: Bound;
  readonly operator: TimeOperator;
  readonly ns: bigint;
}

const FLIPPED: Readonly<Record<string, TimeOperator>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=" };

/** Comparisons of time columns with constants that must all hold. */
export function* timeComparisons(where: Expression, at: ExpressionScope): Generator<TimeComparison> {
  if (where.kind === "binary" && where.operator === "and") {
    yield* timeComparisons(where.left, at);
    yield* timeComparisons(where.right, at);
  } else if (where.kind === "binary" && FLIPPED[where.operator] !== undefined) {
    if (where.left.kind === "column") yield* compared(where.operator as TimeOperator, where.left, where.right, at);
    else if (where.right.kind === "column") yield* compared(FLIPPED[where.operator] as TimeOperator, where.right, where.left, at);
  } else if (where.kind === "between" && !where.negated && where.operand.kind === "column") {
    yield* compared(">=", where.operand, where.low, at);
    yield* compared("<=", where.operand, where.high, at);
  }
}

function* compared(operator: TimeOperator, side: Expression, value: Expression, at: ExpressionScope): Generator<TimeComparison> {
  // A subquery must not be bound twice: each binding asks for scans.
  if (!isPlain(value)) return;
  const column = at.bind(side, at);
  if (column.type.kind !== "timestamp") return;
  const ns = constantTime(at.bind(value, at));
  if (ns !== undefined) yield { column, operator, ns };
}

/** True when nothing of it reads a row. */
export function isPlain(expression: Expression): boolean {
  switch (expression.kind) {
    case "literal":
    case "interval":
    case "parameter":
      return true;
    case "cast":
    case "unary":
    case "at-time-zone":
      return isPlain(expression.operand);
    case "binary":
      return isPlain(expression.left) && isPlain(expression.right);
    case "call":
      return expression.arguments.every(isPlain);
    default:
      return false;
  }
}

/** Nanoseconds of a constant that is a time, or counts as one. */
export function constantTime(bound: Bound): bigint | undefined {
  if (bound.constant === undefined || bound.constant.kind === "float" || bound.constant.kind === "boolean") return undefined;
  if (bound.constant.kind === "timestamp") return bound.constant.ns;
  const { constant } = castTo(bound, TIMESTAMP);
  return constant?.kind === "timestamp" ? constant.ns : undefined;
}
