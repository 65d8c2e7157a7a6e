/** Functions that only exist with OVER. Aggregates work there too, through their own registry. */
import type { Bound } from "./bound.ts";
import { castTo } from "./coerce.ts";
import { badArgument, expectCount, numberArgument, type AggregateFunction } from "./function-types.ts";
import { DURATION, FLOAT64, INT64, INTERVAL, isNumeric, TIMESTAMP, UINT64, UTF8, type SqlType } from "./types.ts";

const unsigned = (sql: string): string => `CAST(${sql} AS UBIGINT)`;
const valueType = (bound: Bound): SqlType => (bound.type.kind === "tag" ? UTF8 : bound.type);

const ranking = (engine: string): AggregateFunction => (args, site) => {
  expectCount(args, site, 0);
  return { engine, args: [], type: UINT64, wrap: unsigned };
};

const share = (engine: string): AggregateFunction => (args, site) => {
  expectCount(args, site, 0);
  return { engine, args: [], type: FLOAT64 };
};

const neighbour = (engine: "lag" | "lead"): AggregateFunction => (args, site) => {
  expectCount(args, site, 1, 3);
  const [value] = args as [Bound];
  const type = valueType(value);
  const offset = args.length > 1 ? [numberArgument(args, 1, site, INT64)] : [];
  const otherwise = args[2] === undefined ? [] : [castTo(args[2], type, site.position).sql];
  return { engine, args: [value.sql, ...offset, ...otherwise], type };
};

const edge = (engine: string): AggregateFunction => (args, site) => {
  expectCount(args, site, 1);
  return { engine, args: [(args[0] as Bound).sql], type: valueType(args[0] as Bound) };
};

/** Change since the row before that had a value (spec: query §2.4); negative ones are NULL where told so. */
const change = (perUnit: boolean, nonNegative: boolean): AggregateFunction => (args, site) => {
  expectCount(args, site, perUnit ? 3 : 1);
  const [value, unit, time] = args as [Bound, Bound, Bound];
  const type = perUnit ? FLOAT64 : valueType(value);
  if (!isNumeric(type)) throw badArgument(args, site, "it takes a number");
  const number = castTo(value, type, site.position).sql;
  const before = (sql: string): ((over: string) => string) => (over) => `lag(${sql} IGNORE NULLS) OVER (${over})`;
  const difference = (over: string): string => `(${number} - ${before(number)(over)})`;
  const whole = (over: string): string => {
    if (!perUnit) return difference(over);
    const at = `CASE WHEN ${number} IS NOT NULL THEN ${castTo(time, TIMESTAMP, site.position).sql} END`;
    const units = `(CAST(nullif(${at} - ${before(at)(over)}, 0) AS DOUBLE) / ${castTo(castTo(unit, INTERVAL, site.position), DURATION, site.position).sql})`;
    return `(${difference(over)} / ${units})`;
  };
  const windowed = (over: string): string => (nonNegative ? `CASE WHEN ${whole(over)} >= 0 THEN ${whole(over)} END` : whole(over));
  return { engine: "lag", args: [], type, windowed };
};

/** Name → binder; looked up before the aggregates when OVER follows. */
export const WINDOW_FUNCTIONS: ReadonlyMap<string, AggregateFunction> = new Map<string, AggregateFunction>([
  ["row_number", ranking("row_number")],
  ["rank", ranking("rank")],
  ["dense_rank", ranking("dense_rank")],
  ["percent_rank", share("percent_rank")],
  ["cume_dist", share("cume_dist")],
  ["ntile", (args, site) => {
    expectCount(args, site, 1);
    return { engine: "ntile", args: [numberArgument(args, 0, site, INT64)], type: UINT64, wrap: unsigned };
  }],
  ["difference", change(false, false)], ["non_negative_difference", change(false, true)],
  ["derivative", change(true, false)], ["non_negative_derivative", change(true, true)],
  ["lag", neighbour("lag")],
  ["lead", neighbour("lead")],
  ["first_value", edge("first_value")],
  ["last_value", edge("last_value")],
  ["nth_value", (args, site) => {
    expectCount(args, site, 2);
    if ((args[1] as Bound).constant?.kind !== "integer") throw badArgument(args, site, "the position is an integer literal");
    return { engine: "nth_value", args: [(args[0] as Bound).sql, numberArgument(args, 1, site, INT64)], type: valueType(args[0] as Bound) };
  }],
]);
