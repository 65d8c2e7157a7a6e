/** The aggregates that the direct executor knows, over plain columns. */
import type { ColumnType } from "../../columns/column-type.ts";
import type { SourceColumn } from "../bind-context.ts";
import type { Call, Expression } from "../syntax.ts";

export type AggregateKind = "count" | "sum" | "avg" | "min" | "max" | "first" | "last" | "selector_first" | "selector_last" | "selector_min" | "selector_max";

export interface AggregatePlan {
  readonly kind: AggregateKind;
  /** Undefined: all rows count. */
  readonly column: string | undefined;
  readonly type: ColumnType | undefined;
  /** Of a selector: the pair of value and time, or one of them. */
  readonly member?: "both" | "value" | "time";
}

const NUMBERS: readonly ColumnType[] = ["float64", "int64", "uint64"];
const ORDERED: readonly ColumnType[] = [...NUMBERS, "time"];
const ANY: readonly ColumnType[] = [...ORDERED, "bool", "utf8", "tag"];

const KINDS: Readonly<Record<string, readonly [kind: AggregateKind, types: readonly ColumnType[]]>> = {
  count: ["count", ANY], sum: ["sum", NUMBERS], avg: ["avg", NUMBERS], mean: ["avg", NUMBERS], min: ["min", ORDERED], max: ["max", ORDERED],
  first_value: ["first", ANY], last_value: ["last", ANY],
  selector_first: ["selector_first", ANY], selector_last: ["selector_last", ANY], selector_min: ["selector_min", NUMBERS], selector_max: ["selector_max", NUMBERS],
};

type ColumnName = (expression: Expression) => string | undefined;

/** Undefined: it is something else. */
export function aggregateOf(expression: Expression, columnName: ColumnName, columns: readonly SourceColumn[]): AggregatePlan | undefined {
  if (expression.kind === "index") {
    const whole = aggregateOf(expression.operand, columnName, columns);
    const { index } = expression;
    if (whole?.member === undefined || index.kind !== "literal" || index.value.kind !== "string") return undefined;
    const member = index.value.text;
    return member === "value" || member === "time" ? { ...whole, member } : undefined;
  }
  const known = expression.kind === "call" ? KINDS[expression.name] : undefined;
  if (expression.kind !== "call" || known === undefined) return undefined;
  if (expression.over !== undefined || expression.filter !== undefined || expression.distinct || expression.ignoreNulls === true) return undefined;
  const [kind, types] = known;
  if (kind === "count" && (expression.star || expression.arguments.length === 0)) return { kind, column: undefined, type: undefined };
  const [argument, time] = expression.arguments;
  const column = argument === undefined ? undefined : columnName(argument);
  const type = columns.find(({ name }) => name === column)?.type;
  if (column === undefined || type === undefined || !types.includes(type)) return undefined;
  if (kind.startsWith("selector_")) {
    const hasTime = expression.arguments.length === 2 && time !== undefined && columnName(time) === "time";
    return hasTime && expression.orderBy.length === 0 ? { kind, column, type, member: "both" } : undefined;
  }
  if (expression.arguments.length !== 1) return undefined;
  if (kind === "first" || kind === "last") return byTime(expression, { kind, column, type }, columnName);
  return { kind, column, type };
}

function byTime({ orderBy }: Call, plan: AggregatePlan, columnName: ColumnName): AggregatePlan | undefined {
  const [item] = orderBy;
  if (orderBy.length !== 1 || item === undefined || columnName(item.expression) !== "time") return undefined;
  return item.descending ? { ...plan, kind: plan.kind === "first" ? "last" : "first" } : plan;
}
