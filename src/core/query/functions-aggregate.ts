/** Aggregates and selectors with DataFusion's result types (spec: query §2.4). */
import { stringSql, type Bound } from "./bound.ts";
import { castTo } from "./coerce.ts";
import { badArgument, expectCount, literalText, numberArgument, type AggregateFunction, type AggregateResult, type CallSite } from "./function-types.ts";
import { notImplemented, planError } from "./sql-error.ts";
import { BOOLEAN, engineName, FLOAT64, INT64, isInteger, isNumeric, isUnsigned, TIMESTAMP, UINT64, UTF8, type SqlType } from "./types.ts";

const plainType = (type: SqlType): SqlType => (type.kind === "tag" ? UTF8 : type);

const sum: AggregateFunction = (args, site) => {
  expectCount(args, site, 1);
  const [arg] = args as [Bound];
  if (!isNumeric(arg.type) && arg.type.kind !== "duration" && arg.type.kind !== "null") throw badArgument(args, site, "sum takes numbers");
  const type = arg.type.kind === "duration" ? arg.type : arg.type.kind === "null" ? INT64 : isInteger(arg.type) ? (isUnsigned(arg.type) ? UINT64 : INT64) : FLOAT64;
  return { engine: "sum", args: [castTo(arg, type).sql], type, wrap: (sql) => `CAST(${sql} AS ${engineName(type)})` };
};

const average: AggregateFunction = (args, site) => {
  if (args[0]?.type.kind !== "duration") return statistic("avg")(args, site);
  expectCount(args, site, 1);
  return { engine: "avg", args: [args[0].sql], type: args[0].type, wrap: (sql) => `CAST(${sql} AS BIGINT)` };
};

/** An aggregate over floats that gives a float. */
const statistic = (engine: string, count = 1): AggregateFunction => (args, site) => {
  expectCount(args, site, count);
  return { engine, args: args.map((_, index) => numberArgument(args, index, site, FLOAT64)), type: FLOAT64 };
};

const extreme = (engine: "min" | "max"): AggregateFunction => (args, site) => {
  expectCount(args, site, 1);
  const [arg] = args as [Bound];
  return { engine, args: [arg.sql], type: plainType(arg.type) };
};

/** Quantiles keep the argument's type; for integers the middle is cut off. */
function quantile(engine: string, args: readonly Bound[], fraction: string, site: CallSite): AggregateResult {
  const [arg] = args as [Bound];
  if (!isNumeric(arg.type)) throw badArgument(args, site);
  const value = castTo(arg, FLOAT64).sql;
  const type = arg.type;
  return {
    engine, args: fraction === "" ? [value] : [value, fraction], type,
    ...(isInteger(type) ? { wrap: (sql: string) => `CAST(trunc(${sql}) AS ${engineName(type)})` } : {}),
  };
}

function fractionOf(args: readonly Bound[], index: number, site: CallSite, engineType: "DOUBLE" | "FLOAT"): string {
  const constant = args[index]?.constant;
  const value = constant?.kind === "float" ? constant.value : constant?.kind === "integer" ? Number(constant.value) : NaN;
  if (!(value >= 0 && value <= 1)) throw planError(`Percentile value must be between 0.0 and 1.0 inclusive, ${site.name} got ${args[index]?.name ?? "nothing"}`, { position: site.position });
  return `CAST(${site.fromTop === true ? 1 - value : value} AS ${engineType})`;
}

/**
 * The first value, in ascending order, at which the weights so far reach the fraction of all weights. The engine has no such
 * aggregate: a list is folded, whose state carries the value, the weight so far and the weight to reach.
 */
function weightedQuantile(args: readonly Bound[], site: CallSite): AggregateResult {
  expectCount(args, site, 3, 4);
  const [arg] = args as [Bound];
  if (!isNumeric(arg.type)) throw badArgument(args, site);
  const [value, weight] = [numberArgument(args, 0, site, FLOAT64), numberArgument(args, 1, site, FLOAT64)];
  const fraction = fractionOf(args, 2, site, "DOUBLE");
  const wrap = (list: string): string => {
    const target = `${fraction} * list_sum(list_transform(${list}, lambda e: e.w))`;
    const step = "CASE WHEN a.v IS NOT NULL AND a.w >= a.t THEN a ELSE struct_pack(v := e.v, w := a.w + e.w, t := a.t) END";
    return `CAST(list_reduce(list_sort(${list}), lambda a, e: ${step}, struct_pack(v := CAST(NULL AS DOUBLE), w := CAST(0 AS DOUBLE), t := ${target})).v AS ${engineName(arg.type)})`;
  };
  return { engine: "list", args: [`struct_pack(v := ${value}, w := ${weight}, t := CAST(0 AS DOUBLE))`], type: arg.type, filter: `${value} IS NOT NULL AND ${weight} IS NOT NULL`, wrap };
}

const firstOrLast = (engine: "first" | "last"): AggregateFunction => (args, site) => {
  expectCount(args, site, 1);
  const [arg] = args as [Bound];
  return { engine, args: [arg.sql], type: plainType(arg.type), ordered: true };
};

const selector = (site: CallSite, args: readonly Bound[], engine: "arg_min" | "arg_max", key: (value: string, time: string) => string): AggregateResult => {
  if (args.length < 2) throw planError(`${site.name} requires at least 2 arguments, got ${args.length}`, { position: site.position, hint: `write it as ${site.name}(field, time)` });
  const [value, time] = args as [Bound, Bound];
  if (time.type.kind !== "timestamp") throw badArgument(args, site, `the second argument is the time column: ${site.name}(field, time)`);
  const fields = [
    { name: "value", type: plainType(value.type) },
    { name: "time", type: TIMESTAMP },
    ...args.slice(2).map((extra, index) => ({ name: `other_${index + 1}`, type: plainType(extra.type) })),
  ];
  const members = args.map((arg, index) => `f${index} := ${arg.sql}`).join(", ");
  return { engine, args: [`struct_pack(${members})`, key(value.sql, time.sql)], type: { kind: "struct", fields }, filter: `${value.sql} IS NOT NULL` };
};

const boolean = (engine: string): AggregateFunction => (args, site) => {
  expectCount(args, site, 1);
  if ((args[0] as Bound).type.kind !== "boolean") throw badArgument(args, site);
  return { engine, args: [(args[0] as Bound).sql], type: BOOLEAN };
};

const bitwise = (engine: string): AggregateFunction => (args, site) => {
  expectCount(args, site, 1);
  const [arg] = args as [Bound];
  if (!isInteger(arg.type)) throw badArgument(args, site);
  return { engine, args: [arg.sql], type: arg.type };
};

const deviation = { stddev: "stddev_samp", var: "var_samp", varPop: "var_pop", covar: "covar_samp" } as const;

/** Name → binder. */
export const AGGREGATES: ReadonlyMap<string, AggregateFunction> = new Map<string, AggregateFunction>([
  ["count", (args, site) => {
    if (args.length > 1) throw notImplemented("count of several expressions", { position: site.position, hint: "count one, or count a struct of them: count(DISTINCT struct(a, b))" });
    expectCount(args, site, 1);
    return { engine: "count", args: [(args[0] as Bound).sql], type: INT64 };
  }],
  ["sum", sum],
  ["avg", average], ["mean", average],
  ["min", extreme("min")],
  ["max", extreme("max")],
  ["median", (args, site) => (expectCount(args, site, 1), quantile("median", args, "", site))],
  ["stddev", statistic(deviation.stddev)], ["stddev_samp", statistic(deviation.stddev)], ["stddev_pop", statistic("stddev_pop")],
  ["var", statistic(deviation.var)], ["var_samp", statistic(deviation.var)], ["var_sample", statistic(deviation.var)],
  ["var_pop", statistic(deviation.varPop)], ["var_population", statistic(deviation.varPop)],
  ["covar", statistic(deviation.covar, 2)], ["covar_samp", statistic(deviation.covar, 2)], ["covar_pop", statistic("covar_pop", 2)],
  ["corr", statistic("corr", 2)],
  ...["slope", "intercept", "r2", "avgx", "avgy", "sxx", "syy", "sxy"].map((kind): [string, AggregateFunction] => [`regr_${kind}`, statistic(`regr_${kind}`, 2)]),
  ["regr_count", (args, site) => ({ ...statistic("regr_count", 2)(args, site), type: UINT64, wrap: (sql) => `CAST(${sql} AS UBIGINT)` })],
  ["approx_distinct", (args, site) => {
    expectCount(args, site, 1);
    // Exact: the engine's estimate is off by one where DataFusion's is not yet off, and memory is bounded anyway.
    return { engine: "count", distinct: true, args: [(args[0] as Bound).sql], type: UINT64, wrap: (sql) => `CAST(${sql} AS UBIGINT)` };
  }],
  ["approx_median", (args, site) => (expectCount(args, site, 1), quantile("approx_quantile", args, "CAST(0.5 AS FLOAT)", site))],
  ["approx_percentile_cont", (args, site) => (expectCount(args, site, 2, 3), quantile("approx_quantile", args, fractionOf(args, 1, site, "FLOAT"), site))],
  ["approx_percentile_cont_with_weight", weightedQuantile],
  ["percentile_cont", (args, site) => (expectCount(args, site, 2), quantile("quantile_cont", args, fractionOf(args, 1, site, "DOUBLE"), site))],
  ["quantile_cont", (args, site) => (expectCount(args, site, 2), quantile("quantile_cont", args, fractionOf(args, 1, site, "DOUBLE"), site))],
  ["array_agg", (args, site) => {
    expectCount(args, site, 1);
    const [arg] = args as [Bound];
    return { engine: "list", args: [arg.sql], type: { kind: "list", element: plainType(arg.type) }, ordered: true };
  }],
  ["string_agg", (args, site) => {
    expectCount(args, site, 2);
    return { engine: "string_agg", args: [castTo(args[0] as Bound, UTF8).sql, stringSql(literalText(args, 1, site, "its delimiter"))], type: UTF8, ordered: true };
  }],
  ["first_value", firstOrLast("first")],
  ["last_value", firstOrLast("last")],
  ["nth_value", (args, site) => {
    expectCount(args, site, 2);
    const [arg, at] = args as [Bound, Bound];
    if (at.constant?.kind !== "integer") throw badArgument(args, site, "the position is an integer literal");
    const index = at.constant.value;
    return { engine: "list", args: [arg.sql], type: plainType(arg.type), ordered: true, wrap: (sql) => `list_extract(${sql}, ${index})` };
  }],
  ["bool_and", boolean("bool_and")], ["bool_or", boolean("bool_or")],
  ["bit_and", bitwise("bit_and")], ["bit_or", bitwise("bit_or")], ["bit_xor", bitwise("bit_xor")],
  ["selector_first", (args, site) => selector(site, args, "arg_min", (_value, time) => time)],
  ["selector_last", (args, site) => selector(site, args, "arg_max", (_value, time) => time)],
  // Equal values: the smallest time (spec: query §2.4).
  ["selector_min", (args, site) => selector(site, args, "arg_min", (value, time) => `row(${value}, ${time})`)],
  ["selector_max", (args, site) => selector(site, args, "arg_max", (value, time) => `row(${value}, -(${time}))`)],
  ["grouping", (args, site) => {
    expectCount(args, site, 1, Infinity);
    return { engine: "grouping", args: args.map((arg) => arg.sql), type: { kind: "int32" } };
  }],
]);
