/**
 * The physical planner: recognises the questions that dashboards and alerts ask all day, which our own loops over typed
 * arrays answer faster than the query engine. A plan is made only when every part of the statement is understood, so that
 * both ways give the same answer:
 *
 * - one SELECT over one table or cache, no join, subquery, DISTINCT, HAVING, QUALIFY or window;
 * - WHERE says nothing but bounds of `time` and `=`, `!=`, `IN`, `NOT IN` on tags;
 * - groups: tags and `date_bin` or `date_trunc` of `time` by a fixed width; items are groups and the aggregates of
 *   `aggregate-plan.ts` over plain columns;
 * - rows: plain columns, ORDER BY `time` or nothing, and either few rows (LIMIT) or one series' (a tag by `=` or `IN`).
 */
import { groupExpression } from "../bind-group.ts";
import type { BindContext, ExpressionScope, OutputColumn, Scan } from "../bind-context.ts";
import { castTo } from "../coerce.ts";
import type { Call, Expression, OrderItem, Query, Select, SelectItem } from "../syntax.ts";
import { INTERVAL, TIMESTAMP } from "../types.ts";
import { fixedTruncation } from "../functions-time.ts";
import { NS_PER_DAY } from "../temporal.ts";
import { type AggregatePlan, aggregateOf } from "./aggregate-plan.ts";
import { DIRECT_ORDERED_ROWS_MAX } from "./limits.ts";

export type GroupKey = { readonly kind: "tag"; readonly column: string } | { readonly kind: "bin"; readonly widthNs: bigint; readonly originNs: bigint };

export interface DirectOrder {
  /** Of the output. */
  readonly column: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface GroupsPlan {
  readonly kind: "groups";
  readonly scan: Scan;
  readonly keys: readonly GroupKey[];
  /** Output columns in order. */
  readonly items: readonly ({ readonly key: number } | { readonly aggregate: AggregatePlan })[];
  readonly order: readonly DirectOrder[];
  readonly limit: number | undefined;
  readonly offset: number;
}

export interface RowsPlan {
  readonly kind: "rows";
  readonly scan: Scan;
  readonly columns: readonly string[];
  /** Of `time`. */
  readonly order: "ascending" | "descending" | undefined;
  readonly limit: number | undefined;
  readonly offset: number;
}

export type DirectPlan = GroupsPlan | RowsPlan;

/** Undefined: the statement is for the query engine. */
export function planDirect(query: Query, columns: readonly OutputColumn[], context: BindContext): DirectPlan | undefined {
  const { body } = query;
  const [scan] = context.scans;
  if (query.with.length > 0 || body.kind !== "select" || context.scans.length !== 1 || scan === undefined || body.from.length !== 1) return undefined;
  const [from] = body.from;
  const bound = context.selects.get(body);
  if (bound === undefined || !bound.whereCovered || (from?.kind !== "table" && from?.kind !== "table-function")) return undefined;
  if (body.distinct || body.having !== undefined || body.qualify !== undefined || body.windows.length > 0 || (scan.schema !== "iox" && scan.schema !== "cache")) return undefined;
  const bounds = { limit: countOf(query.limit, bound.at), offset: countOf(query.offset, bound.at) ?? 0 };
  const isTag = (name: string): boolean => scan.table.columns.some((column) => column.name === name && column.type === "tag");
  if (scan.schema === "iox" && !scan.tests.every((test) => isTag(test.column))) return undefined;
  const planner = new Planner(body, query.orderBy, scan, bound.at, columns);
  return planner.rows(bounds) ?? (scan.schema === "iox" ? planner.groups(bounds) : undefined);
}

interface Bounds {
  readonly limit: number | undefined;
  readonly offset: number;
}

function countOf(expression: Expression | undefined, at: ExpressionScope): number | undefined {
  if (expression === undefined) return undefined;
  const { constant } = at.bind(expression, at);
  return constant?.kind === "integer" ? Number(constant.value) : undefined;
}

class Planner {
  readonly #select: Select;
  readonly #orderBy: readonly OrderItem[];
  readonly #scan: Scan;
  readonly #at: ExpressionScope;
  readonly #columns: readonly OutputColumn[];

  constructor(select: Select, orderBy: readonly OrderItem[], scan: Scan, at: ExpressionScope, columns: readonly OutputColumn[]) {
    this.#select = select;
    this.#orderBy = orderBy;
    this.#scan = scan;
    this.#at = at;
    this.#columns = columns;
  }

  rows({ limit, offset }: Bounds): RowsPlan | undefined {
    if (this.#select.groupBy.length > 0) return undefined;
    const columns: string[] = [];
    for (const item of this.#select.items) {
      const names = this.#plainColumns(item);
      if (names === undefined) return undefined;
      columns.push(...names);
    }
    if (columns.length !== this.#columns.length || this.#orderBy.length > 1) return undefined;
    const [orderItem] = this.#orderBy;
    const order = orderItem === undefined ? undefined : this.#timeOrder(orderItem, columns);
    if (orderItem !== undefined && order === undefined) return undefined;
    const isFew = limit !== undefined && order !== undefined && limit + offset <= DIRECT_ORDERED_ROWS_MAX;
    const isNarrow = this.#scan.tests.some((test) => !test.negated);
    if (this.#scan.schema === "iox" && !isFew && !isNarrow) return undefined;
    return { kind: "rows", scan: this.#scan, columns, order, limit, offset };
  }

  #timeOrder(item: OrderItem, columns: readonly string[]): RowsPlan["order"] {
    const index = this.#outputIndex(item.expression);
    const name = index === undefined ? this.#columnName(item.expression) : columns[index];
    return name !== "time" ? undefined : item.descending ? "descending" : "ascending";
  }

  #plainColumns(item: SelectItem): readonly string[] | undefined {
    if (item.kind === "expression") {
      const name = this.#columnName(item.expression);
      return name === undefined ? undefined : [name];
    }
    const except = new Set(item.except.map(({ name }) => name));
    return this.#scan.table.columns.flatMap(({ name }) => (except.has(name) ? [] : [name]));
  }

  /** The scan's column that an expression is. */
  #columnName(expression: Expression): string | undefined {
    return expression.kind === "column" ? this.#at.bind(expression, this.#at).scanColumn?.column : undefined;
  }

  groups({ limit, offset }: Bounds): GroupsPlan | undefined {
    const keys: GroupKey[] = [];
    const texts: string[] = [];
    for (const item of this.#select.groupBy) {
      const expression = item.kind === "expression" ? groupExpression(item.expression, this.#select, this.#at) : undefined;
      const key = expression === undefined ? undefined : this.#keyOf(expression);
      if (expression === undefined || key === undefined) return undefined;
      keys.push(key);
      texts.push(this.#at.bind(expression, this.#at).sql);
    }
    const items: GroupsPlan["items"][number][] = [];
    for (const item of this.#select.items) {
      if (item.kind === "star") return undefined;
      const planned = this.#item(item.expression, texts);
      if (planned === undefined) return undefined;
      items.push(planned);
    }
    const order = this.#orderBy.map((item) => this.#groupOrder(item, items, texts));
    if (order.includes(undefined) || items.length !== this.#columns.length) return undefined;
    return { kind: "groups", scan: this.#scan, keys, items, order: order as DirectOrder[], limit, offset };
  }

  #item(expression: Expression, texts: readonly string[]): GroupsPlan["items"][number] | undefined {
    const aggregate = aggregateOf(expression, (column) => this.#columnName(column), this.#scan.table.columns);
    if (aggregate !== undefined) return { aggregate };
    const key = this.#keyIndex(expression, texts);
    return key === undefined ? undefined : { key };
  }

  #keyIndex(expression: Expression, texts: readonly string[]): number | undefined {
    if (!isSimple(expression)) return undefined;
    const index = texts.indexOf(this.#at.bind(expression, this.#at).sql);
    return index < 0 ? undefined : index;
  }

  #groupOrder(item: OrderItem, items: GroupsPlan["items"], texts: readonly string[]): DirectOrder | undefined {
    let column = this.#outputIndex(item.expression);
    if (column === undefined) {
      const key = this.#keyIndex(item.expression, texts);
      const found = key === undefined ? -1 : items.findIndex((candidate) => "key" in candidate && candidate.key === key);
      if (found < 0) return undefined;
      column = found;
    }
    const planned = items[column];
    // The order of structs is the engine's.
    if (planned === undefined || this.#columns[column]?.type.kind === "struct") return undefined;
    return { column, descending: item.descending, nullsFirst: item.nullsFirst ?? item.descending };
  }

  /** An ordinal, or the name of an output column. */
  #outputIndex(expression: Expression): number | undefined {
    if (expression.kind === "literal" && expression.value.kind === "number") return Number(expression.value.text) - 1;
    if (expression.kind !== "column" || expression.path.length !== 1) return undefined;
    const index = this.#columns.findIndex(({ name }) => name === expression.path[0]?.name);
    return index < 0 ? undefined : index;
  }

  #keyOf(expression: Expression): GroupKey | undefined {
    const name = this.#columnName(expression);
    if (name !== undefined) return this.#scan.table.columns.some((column) => column.name === name && column.type === "tag") ? { kind: "tag", column: name } : undefined;
    if (expression.kind !== "call") return undefined;
    if (expression.name === "date_bin") return this.#bin(expression);
    return expression.name === "date_trunc" || expression.name === "datetrunc" ? this.#truncation(expression) : undefined;
  }

  #bin({ arguments: [stride, time, origin], ...call }: Call): GroupKey | undefined {
    if (stride === undefined || time === undefined || this.#columnName(time) !== "time" || call.over !== undefined) return undefined;
    const { constant } = castTo(this.#at.bind(stride, this.#at), INTERVAL);
    if (constant?.kind !== "interval" || constant.interval.months !== 0) return undefined;
    const widthNs = BigInt(constant.interval.days) * NS_PER_DAY + constant.interval.nanos;
    const from = origin === undefined ? undefined : castTo(this.#at.bind(origin, this.#at), TIMESTAMP).constant;
    if (widthNs <= 0n || (origin !== undefined && from?.kind !== "timestamp")) return undefined;
    return { kind: "bin", widthNs, originNs: from?.kind === "timestamp" ? from.ns : 0n };
  }

  #truncation({ arguments: [unit, time] }: Call): GroupKey | undefined {
    if (unit?.kind !== "literal" || unit.value.kind !== "string" || time === undefined || this.#columnName(time) !== "time") return undefined;
    const fixed = fixedTruncation(unit.value.text.toLowerCase());
    return fixed === undefined ? undefined : { kind: "bin", ...fixed };
  }
}

/** Binding it twice asks for nothing: no subquery, no aggregate. */
function isSimple(expression: Expression): boolean {
  if (expression.kind === "column" || expression.kind === "literal" || expression.kind === "interval" || expression.kind === "parameter") return true;
  if (expression.kind === "cast" || expression.kind === "unary") return isSimple(expression.operand);
  return expression.kind === "call" && ["date_bin", "date_trunc", "datetrunc"].includes(expression.name) && expression.arguments.every(isSimple);
}
