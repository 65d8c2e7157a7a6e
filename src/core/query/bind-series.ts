/** `generate_series(…)`, `range(…)` and `unnest(…)` in FROM: rows from constants. They stream, so their number has no limit of its own. */
import type { ExpressionScope } from "./bind-context.ts";
import { bigintSql, type Bound } from "./bound.ts";
import { castTo } from "./coerce.ts";
import type { CallSite } from "./function-types.ts";
import { unnested } from "./functions-nested.ts";
import { planError } from "./sql-error.ts";
import type { Relation } from "./syntax.ts";
import { fitsInt64, NS_PER_DAY } from "./temporal.ts";
import { INT64, TIMESTAMP, type SqlType } from "./types.ts";

export const SERIES_FUNCTIONS: ReadonlySet<string> = new Set(["generate_series", "range", "unnest"]);

export interface SeriesRows {
  /** A SELECT of one column, `c0`. */
  readonly sql: string;
  readonly column: string;
  readonly type: SqlType;
}

/** Throws `query.invalid` for arguments that are no constants, and for a step that goes nowhere. */
export function bindSeries(relation: Extract<Relation, { kind: "table-function" }>, at: ExpressionScope): SeriesRows {
  const site: CallSite = { name: relation.name, position: at.context.position(relation.at), nowNs: at.context.options.nowNs };
  // Like a derived table, it does not see its siblings.
  const args = relation.arguments.map((argument) => at.bind(argument, { ...at, scope: { parent: undefined, relations: [], merged: [] } }));
  if (relation.name === "unnest") {
    const [list] = args;
    if (list === undefined || args.length !== 1) throw planError("unnest() requires exactly one argument", { position: site.position });
    const { sql, type } = unnested(list, site);
    return { sql: `SELECT ${sql} AS c0`, column: `UNNEST(${list.name})`, type };
  }
  return seriesRows(args, site);
}

function seriesRows(given: readonly Bound[], site: CallSite): SeriesRows {
  const inclusive = site.name === "generate_series";
  const args = given.length === 1 ? [zero, ...given] : given;
  const [start, stop, step] = args;
  const timed = start?.type.kind === "timestamp" || start?.constant?.kind === "string";
  const whole = (arg: Bound | undefined): bigint => integerOf(arg === undefined || !timed ? arg : castTo(arg, TIMESTAMP, site.position), site);
  if (args.length < 2 || args.length > 3 || (timed && step === undefined)) {
    throw planError(`${site.name} takes a start, an end and a step`, { position: site.position, hint: `such as ${site.name}(1, 10) or ${site.name}(TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-02', INTERVAL '1 hour')` });
  }
  const [from, to] = [whole(start), whole(stop)];
  const by = step === undefined ? 1n : timed ? spanOf(step, site) : integerOf(step, site);
  if (by === 0n) throw planError(`${site.name} step must not be zero`, { position: site.position });
  const distance = by > 0n ? to - from : from - to;
  const size = by > 0n ? by : -by;
  const count = distance < 0n ? 0n : inclusive ? distance / size + 1n : (distance + size - 1n) / size;
  if (!fitsInt64(count)) throw planError(`${site.name} makes too many rows`, { position: site.position });
  return { sql: `SELECT ${bigintSql(from)} + i * ${bigintSql(by)} AS c0 FROM range(${bigintSql(count)}) AS s(i)`, column: "value", type: timed ? TIMESTAMP : INT64 };
}

const zero: Bound = { sql: bigintSql(0n), type: INT64, name: "Int64(0)", constant: { kind: "integer", value: 0n }, aggregate: false, window: false };

function integerOf(bound: Bound | undefined, site: CallSite): bigint {
  const constant = bound?.constant;
  if (constant?.kind === "integer") return constant.value;
  if (constant?.kind === "timestamp") return constant.ns;
  throw planError(`${site.name} takes integer or timestamp literals`, { position: site.position });
}

function spanOf(step: Bound, site: CallSite): bigint {
  const constant = castTo(step, { kind: "interval" }, site.position).constant;
  if (constant?.kind !== "interval" || constant.interval.months !== 0) throw planError(`${site.name} takes an interval without months as its step`, { position: site.position });
  return BigInt(constant.interval.days) * NS_PER_DAY + constant.interval.nanos;
}
