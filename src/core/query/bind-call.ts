/** Function calls: finds the function in the registries, then adds DISTINCT, ORDER BY, FILTER and OVER. */
import { isFillCall, isGapfillCall } from "./bind-gapfill.ts";
import { inherit, type Bound } from "./bound.ts";
import type { ExpressionScope } from "./bind-context.ts";
import { asBoolean } from "./bind-operators.ts";
import { castTo } from "./coerce.ts";
import { expectCount, type AggregateResult, type CallSite, type ScalarFunction } from "./function-types.ts";
import { AGGREGATES } from "./functions-aggregate.ts";
import { NESTED_FUNCTIONS, unnested } from "./functions-nested.ts";
import { PATTERN_FUNCTIONS } from "./functions-regex.ts";
import { SCALARS } from "./functions-scalar.ts";
import { CALENDAR_FUNCTIONS } from "./functions-calendar.ts";
import { TIME_FUNCTIONS } from "./functions-time.ts";
import { WINDOW_FUNCTIONS } from "./functions-window.ts";
import { nearest, notImplemented, planError } from "./sql-error.ts";
import type { Call, FrameBound, OrderItem, WindowSpecification } from "./syntax.ts";
import { INT64, INTERVAL, isInteger } from "./types.ts";

const SCALAR_FUNCTIONS: ReadonlyMap<string, ScalarFunction> = new Map([...SCALARS, ...TIME_FUNCTIONS, ...CALENDAR_FUNCTIONS, ...PATTERN_FUNCTIONS, ...NESTED_FUNCTIONS]);

/** Every function that may be called. */
export function functionNames(): readonly string[] {
  return [...new Set([...AGGREGATES.keys(), ...WINDOW_FUNCTIONS.keys(), ...SCALAR_FUNCTIONS.keys()])].sort();
}

/** Each function once, with DataFusion's word for its kind. */
export function listedFunctions(): readonly (readonly [name: string, kind: "SCALAR" | "AGGREGATE" | "WINDOW"])[] {
  return functionNames().map((name) => [name, AGGREGATES.has(name) ? "AGGREGATE" : WINDOW_FUNCTIONS.has(name) ? "WINDOW" : "SCALAR"]);
}

const TEXT_GROWING: ReadonlySet<string> = new Set(["repeat", "lpad", "rpad", "replace", "regexp_replace", "translate", "concat_ws", "overlay", "encode", "array_to_string", "array_join", "list_to_string", "list_join"]);

export function bindCall(call: Call, at: ExpressionScope): Bound {
  const site: CallSite = { name: call.name, position: at.context.position(call.at), nowNs: at.context.options.nowNs, ...(call.fromTop === true ? { fromTop: true } : {}) };
  if (at.gapfill !== undefined && isGapfillCall(call)) return at.gapfill.bin(call, at, site);
  if (at.gapfill !== undefined && isFillCall(call) && at.aggregates) return at.gapfill.fill(call, at, site);
  const scalar = SCALAR_FUNCTIONS.get(call.name);
  if (scalar !== undefined) {
    if (call.over !== undefined || call.filter !== undefined || call.distinct || call.star || call.orderBy.length > 0) {
      throw planError(`${call.name} is not an aggregate function`, { position: site.position, hint: "DISTINCT, ORDER BY, FILTER and OVER need one" });
    }
    const args = call.arguments.map((argument) => at.bind(argument, at));
    if (TEXT_GROWING.has(call.name)) at.context.growText();
    const made = scalar(args, site);
    return { sql: made.sql, type: made.type, constant: made.constant, name: made.shown ?? `${call.name}(${args.map((arg) => arg.name).join(",")})`, ...inherit(args) };
  }
  if (call.name === "unnest") return bindUnnest(call, at, site);
  const windowed = call.over !== undefined ? WINDOW_FUNCTIONS.get(call.name) : undefined;
  const aggregate = windowed ?? AGGREGATES.get(call.name);
  if (aggregate === undefined) throw unknownFunction(call, site);
  if (call.over === undefined) return bindAggregate(call, at, site, (args) => aggregate(args, site));
  return bindWindow(call, at, site, (args) => aggregate(args, site), windowed !== undefined);
}

/** One row for each element: only the SELECT list can grow. */
function bindUnnest(call: Call, at: ExpressionScope, site: CallSite): Bound {
  if (!at.windowsAllowed) throw planError("unnest is only supported in the SELECT list", { position: site.position });
  const args = call.arguments.map((argument) => at.bind(argument, at));
  expectCount(args, site, 1);
  const { sql, type } = unnested(args[0] as Bound, site);
  return { sql, type, name: `UNNEST(${args[0]?.name})`, ...inherit(args) };
}

function unknownFunction(call: Call, site: CallSite): Error {
  if (WINDOW_FUNCTIONS.has(call.name)) return planError(`${call.name} is a window function`, { position: site.position, hint: `write ${call.name}(…) OVER (ORDER BY time)` });
  const near = nearest(call.name, functionNames());
  return planError(`Invalid function '${call.name}'.${near === undefined ? "" : `\nDid you mean '${near}'?`}`, { position: site.position });
}

type Build = (args: readonly Bound[]) => AggregateResult;

const COUNT_STAR: AggregateResult = { engine: "count", args: ["*"], type: INT64 };

function bindAggregate(call: Call, at: ExpressionScope, site: CallSite, build: Build): Bound {
  if (!at.aggregates) throw planError(`Aggregate functions are not allowed in this context: ${call.name}`, { position: site.position, hint: "use HAVING to filter groups" });
  // Inside an aggregate plain columns are free and a second aggregate is not.
  const inside: ExpressionScope = { ...at, aggregates: false, windowsAllowed: false, groups: new Map(), aliases: new Map() };
  const { result, args, filter } = parts(call, inside, build, site);
  const order = orderSql(call, inside, result, site);
  const whole = (result.wrap ?? same)(`${inner(result, call, order)}${filter.sql}`);
  const sql = at.gapfill?.aggregate(whole) ?? whole;
  return { sql, type: result.type, name: shownCall(call, args, filter.shown, inside), aggregate: true, window: false };
}

const same = (sql: string): string => sql;

const distinctWord = (call: Call, result: AggregateResult): string => (call.distinct || result.distinct === true ? "DISTINCT " : "");

function inner(result: AggregateResult, call: Call, order: string): string {
  return `${result.engine}(${distinctWord(call, result)}${result.args.join(", ")}${order})`;
}

function parts(call: Call, inside: ExpressionScope, build: Build, site: CallSite): { result: AggregateResult; args: Bound[]; filter: { sql: string; shown: string } } {
  const args = call.arguments.map((argument) => inside.bind(argument, inside));
  if (call.star && call.name !== "count") throw planError(`${call.name}(*) is not supported`, { position: site.position });
  const result = call.star || (call.name === "count" && args.length === 0) ? COUNT_STAR : build(args);
  const condition = call.filter === undefined ? undefined : asBoolean(inside.bind(call.filter, inside), site.position);
  const tests = [...(result.filter === undefined ? [] : [result.filter]), ...(condition === undefined ? [] : [condition.sql])];
  return {
    result, args,
    filter: {
      sql: tests.length === 0 ? "" : ` FILTER (WHERE ${tests.join(" AND ")})`,
      shown: condition === undefined ? "" : ` FILTER (WHERE ${condition.name})`,
    },
  };
}

/** ORDER BY inside an aggregate; where the order cannot matter it is dropped. */
function orderSql(call: Call, inside: ExpressionScope, result: AggregateResult, site: CallSite): string {
  if (call.ignoreNulls === true) throw notImplemented(`IGNORE NULLS in ${call.name} without OVER`, { position: site.position, hint: "use FILTER (WHERE x IS NOT NULL)" });
  if (call.orderBy.length === 0 || result.ordered !== true) return "";
  return ` ORDER BY ${call.orderBy.map((item) => orderItemSql(item, inside)).join(", ")}`;
}

/** One ORDER BY item; the place of NULL is always said (DataFusion: last ascending, first descending). */
export function orderItemSql(item: OrderItem, at: ExpressionScope): string {
  return `${at.bind(item.expression, at).sql}${directionSql(item)}`;
}

export function directionSql(item: OrderItem): string {
  const nullsFirst = item.nullsFirst ?? item.descending;
  return `${item.descending ? " DESC" : " ASC"} NULLS ${nullsFirst ? "FIRST" : "LAST"}`;
}

function shownCall(call: Call, args: readonly Bound[], filter: string, at: ExpressionScope): string {
  const list = call.star ? "*" : args.map((arg) => arg.name).join(",");
  const order = call.orderBy.length === 0 ? "" : ` ORDER BY [${call.orderBy.map((item) => shownOrder(item, at)).join(", ")}]`;
  return `${call.name === "mean" ? "avg" : call.name}(${call.distinct ? "DISTINCT " : ""}${list})${filter}${order}`;
}

function shownOrder(item: OrderItem, at: ExpressionScope): string {
  return `${at.bind(item.expression, at).name}${directionSql(item)}`;
}

function bindWindow(call: Call, at: ExpressionScope, site: CallSite, build: Build, ranking: boolean): Bound {
  if (!at.windowsAllowed) throw planError(`Window functions are not allowed in this context: ${call.name}`, { position: site.position, hint: "put the window function into a subquery" });
  const inside: ExpressionScope = { ...at, windowsAllowed: false };
  const { result, args, filter } = parts(call, inside, build, site);
  const specification = windowOf(call, at, site);
  const partitions = specification.partitionBy.map((expression) => inside.bind(expression, inside));
  const orders = specification.orderBy.map((item) => [inside.bind(item.expression, inside), item] as const);
  const over = [
    ...(partitions.length === 0 ? [] : [`PARTITION BY ${partitions.map((bound) => bound.sql).join(", ")}`]),
    ...(orders.length === 0 ? [] : [`ORDER BY ${orders.map(([bound, item]) => bound.sql + directionSql(item)).join(", ")}`]),
    ...(specification.frame === undefined ? [] : [frameSql(specification, orders[0]?.[0], inside, site)]),
  ].join(" ");
  const nulls = call.ignoreNulls === true && ranking ? " IGNORE NULLS" : "";
  const order = result.ordered === true && call.orderBy.length > 0 ? orderSql(call, inside, result, site) : "";
  const core = result.windowed?.(over) ?? `${result.engine}(${distinctWord(call, result)}${result.args.join(", ")}${nulls}${order})${filter.sql} OVER (${over})`;
  const shownFrame = orders.length > 0 ? " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW" : " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING";
  const name = [
    shownCall({ ...call, orderBy: [] }, args, filter.shown, inside),
    ...(partitions.length === 0 ? [] : [` PARTITION BY [${partitions.map((bound) => bound.name).join(", ")}]`]),
    ...(orders.length === 0 ? [] : [` ORDER BY [${orders.map(([bound, item]) => bound.name + directionSql(item)).join(", ")}]`]),
    specification.frame === undefined ? shownFrame : ` ${shownFrameOf(specification)}`,
  ].join("");
  return { sql: (result.wrap ?? same)(core), type: result.type, name, ...inherit([...args, ...partitions, ...orders.map(([bound]) => bound)]), window: true };
}

function windowOf(call: Call, at: ExpressionScope, site: CallSite): WindowSpecification {
  const over = call.over as NonNullable<Call["over"]>;
  if (!("name" in over)) {
    if (over.base === undefined) return over;
    const base = namedWindow(over.base.name, at, site);
    return { ...base, ...over, partitionBy: base.partitionBy, orderBy: over.orderBy.length > 0 ? over.orderBy : base.orderBy };
  }
  return namedWindow(over.name, at, site);
}

function namedWindow(name: string, at: ExpressionScope, site: CallSite): WindowSpecification {
  const found = at.windows.get(name);
  if (found === undefined) throw planError(`The window ${name} is not defined!`, { position: site.position });
  return found;
}

function frameSql(specification: WindowSpecification, order: Bound | undefined, at: ExpressionScope, site: CallSite): string {
  const frame = specification.frame as NonNullable<WindowSpecification["frame"]>;
  if (frame.unit === "RANGE" && order === undefined && (frame.start.offset !== undefined || frame.end.offset !== undefined)) {
    throw planError("RANGE requires exactly one ORDER BY column", { position: site.position });
  }
  return `${frame.unit} BETWEEN ${frameBound(frame.start, frame.unit, order, at, site)} AND ${frameBound(frame.end, frame.unit, order, at, site)}`;
}

const WORDS: Readonly<Record<FrameBound["kind"], string>> = {
  "unbounded-preceding": "UNBOUNDED PRECEDING", preceding: "PRECEDING", current: "CURRENT ROW", following: "FOLLOWING", "unbounded-following": "UNBOUNDED FOLLOWING",
};

/** Distances in time are nanoseconds here, as the times themselves. */
function frameBound(bound: FrameBound, unit: "ROWS" | "RANGE" | "GROUPS", order: Bound | undefined, at: ExpressionScope, site: CallSite): string {
  if (bound.offset === undefined) return WORDS[bound.kind];
  const offset = at.bind(bound.offset, at);
  if (offset.constant === undefined) throw planError("Window frame bounds must be constant", { position: site.position });
  if (unit === "RANGE" && order?.type.kind === "timestamp") {
    const span = castTo(castTo(offset, INTERVAL, site.position), { kind: "duration" }, site.position);
    return `${span.sql} ${WORDS[bound.kind]}`;
  }
  if (unit !== "RANGE" && !isInteger(offset.type)) throw planError("Window frame bounds must be integers", { position: site.position });
  return `${castTo(offset, unit === "RANGE" && order !== undefined ? order.type : INT64).sql} ${WORDS[bound.kind]}`;
}

function shownFrameOf(specification: WindowSpecification): string {
  const { unit, start, end } = specification.frame as NonNullable<WindowSpecification["frame"]>;
  const shown = (bound: FrameBound): string =>
    bound.offset?.kind === "literal" && bound.offset.value.kind === "number" ? `${bound.offset.value.text} ${WORDS[bound.kind]}` : bound.offset?.kind === "interval" ? `${bound.offset.text} ${WORDS[bound.kind]}` : WORDS[bound.kind];
  return `${unit} BETWEEN ${shown(start)} AND ${shown(end)}`;
}
