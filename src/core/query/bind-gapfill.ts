/**
 * Gap filling (spec: query §2.3). The grouped query becomes a common table; every bin between the time bounds of WHERE is
 * joined with every other group that has rows, and the SELECT list reads from that join: group keys as `k…`, aggregates as
 * `a…`. What `locf` and `interpolate` add are windows over the bins of one group.
 */
import type { ExpressionScope } from "./bind-context.ts";
import { bigintSql, type Bound } from "./bound.ts";
import { castTo } from "./coerce.ts";
import { binFixed, binWallClock, earliestOf, fromWallClock } from "./emit-time.ts";
import type { CallSite, ScalarResult } from "./function-types.ts";
import { binArguments, zoneOfBound } from "./functions-time.ts";
import { GAPFILL_BINS_MAX } from "./limits.ts";
import { notImplemented, planError, type TextPosition } from "./sql-error.ts";
import type { Call, Expression } from "./syntax.ts";
import { timeComparisons } from "./time-bounds.ts";
import { arrowName, engineName, FLOAT64, isInteger, isNumeric } from "./types.ts";
import { offsetAt, type Zone } from "./zones.ts";

const GAPFILLS: ReadonlySet<string> = new Set(["date_bin_gapfill", "date_bin_wallclock_gapfill"]);
const FILLS: ReadonlySet<string> = new Set(["locf", "interpolate"]);

/** True for the call that makes a query a gap-filling one. */
export const isGapfillCall = (expression: Expression): expression is Call => expression.kind === "call" && GAPFILLS.has(expression.name);
export const isFillCall = (call: Call): boolean => FILLS.has(call.name);

/** A column, which may be shown in a zone: `time`, `tz(time, 'Europe/Oslo')`. */
function isTimeSource(expression: Expression | undefined): boolean {
  return expression?.kind === "column" || (expression?.kind === "call" && expression.name === "tz" && isTimeSource(expression.arguments[0]));
}

interface Bins {
  /** Engine text of the start of a row's bin. */
  readonly sql: string;
  readonly width: bigint;
  readonly originNs: bigint;
  /** Set when bins follow the clock of a zone with changing offsets. */
  readonly zone: Zone | undefined;
  /** Text of the time column that is binned: the bounds are those of this column. */
  readonly column: string;
  readonly position: TextPosition;
}

/** One gap-filling SELECT while it is bound. */
export class Gapfill {
  readonly #aggregates: string[] = [];
  readonly #alias: string;
  #keys: readonly string[] = [];
  #bins: Bins | undefined;

  constructor(alias: string) {
    this.#alias = alias;
  }

  /** Binds `date_bin_gapfill(…)`: in GROUP BY the bin, in the SELECT list the same text, which stands for the key. */
  bin(call: Call, at: ExpressionScope, site: CallSite): Bound {
    const args = call.arguments.map((argument) => at.bind(argument, at));
    const { stride, width, time, originNs } = binArguments(args, site);
    if (stride.months !== 0) throw notImplemented(`${site.name.toUpperCase()} does not support months or years`, { position: site.position, hint: "use days, hours or smaller units" });
    const wall = call.name === "date_bin_wallclock_gapfill" ? zoneOfBound(time, site) : undefined;
    const zone = wall?.kind === "named" ? wall : undefined;
    const origin = wall?.kind === "fixed" ? originNs - wall.offsetNs : originNs;
    const sql = zone === undefined ? binFixed(time.sql, width, origin) : binWallClock(time.sql, zone, width, origin);
    if (!isTimeSource(call.arguments[1])) throw planError("DATE_BIN_GAPFILL requires a column as the source argument", { position: site.position });
    if (this.#bins !== undefined && this.#bins.sql !== sql) throw planError("DATE_BIN_GAPFILL specified more than once", { position: site.position });
    this.#bins = { sql, width, originNs: origin, zone, column: time.sql, position: site.position };
    return { sql, type: time.type, name: `${call.name}(${args.map((arg) => arg.name).join(",")})`, aggregate: false, window: false, loose: time.loose };
  }

  /** Sets the GROUP BY texts; returns what each becomes in the SELECT list. */
  setKeys(texts: Iterable<string>): ReadonlyMap<string, string> {
    this.#keys = [...texts];
    return new Map(this.#keys.map((text, index) => [text, `${this.#alias}.k${index}`]));
  }

  /** The column that holds an aggregate of the grouped query. */
  aggregate(sql: string): string {
    let index = this.#aggregates.indexOf(sql);
    if (index < 0) index = this.#aggregates.push(sql) - 1;
    return `${this.#alias}.a${index}`;
  }

  /** Binds `locf(aggregate)` and `interpolate(aggregate)`. */
  fill(call: Call, at: ExpressionScope, site: CallSite): Bound {
    if (call.arguments.length !== 1) throw planError(`'${call.name}' function requires 1 argument, got ${call.arguments.length}`, { position: site.position });
    const [value] = call.arguments.map((argument) => at.bind(argument, at)) as [Bound];
    if (!value.aggregate) throw planError(`${call.name} must be called on an aggregate column in a gap-filling query`, { position: site.position });
    const { sql, type } = call.name === "locf" ? { sql: this.#last(value.sql), type: value.type } : this.#interpolated(value, site);
    return { sql, type, name: `${call.name}(${value.name})`, aggregate: true, window: false };
  }

  #window(frame: string): string {
    const others = this.#others();
    const partition = others.length === 0 ? "" : `PARTITION BY ${others.join(", ")} `;
    return `(${partition}ORDER BY ${this.#time()} ROWS BETWEEN ${frame})`;
  }

  #last(value: string): string {
    return `last_value(${value} IGNORE NULLS) OVER ${this.#window("UNBOUNDED PRECEDING AND CURRENT ROW")}`;
  }

  /** On the line between the values before and after, which has no ends beyond the first and the last. */
  #interpolated(value: Bound, site: CallSite): ScalarResult {
    if (!isNumeric(value.type)) throw planError(`unsupported data type ${arrowName(value.type)} for interpolation gap filling`, { position: site.position });
    const number = castTo(value, FLOAT64, site.position).sql;
    const at = `CASE WHEN ${value.sql} IS NOT NULL THEN ${this.#time()} END`;
    const next = (sql: string): string => `first_value(${sql} IGNORE NULLS) OVER ${this.#window("CURRENT ROW AND UNBOUNDED FOLLOWING")}`;
    const [before, beforeAt, after, afterAt] = [this.#last(number), this.#last(at), next(number), next(at)];
    const line = `(${after} - ${before}) / CAST(${afterAt} - ${beforeAt} AS DOUBLE) * CAST(${this.#time()} - ${beforeAt} AS DOUBLE) + ${before}`;
    const whole = isInteger(value.type) ? `CAST(trunc(${line}) AS ${engineName(value.type)})` : line;
    return { sql: `CASE WHEN ${value.sql} IS NOT NULL THEN ${value.sql} ELSE ${whole} END`, type: value.type };
  }

  #timeIndex(): number {
    return this.#keys.indexOf((this.#bins as Bins).sql);
  }

  #time(): string {
    return `${this.#alias}.k${this.#timeIndex()}`;
  }

  #others(): string[] {
    return this.#keys.flatMap((_, index) => (index === this.#timeIndex() ? [] : [`${this.#alias}.k${index}`]));
  }

  /** After ORDER BY when the query has none: group keys, then time. */
  defaultOrder(): string {
    return [...this.#others(), this.#time()].map((key) => `${key} ASC NULLS LAST`).join(", ");
  }

  /** What FROM reads: `from` and `where` are those of the grouped query. Throws when the time bounds are missing. */
  source(from: string, where: { readonly sql: string; readonly expression: Expression } | undefined, at: ExpressionScope): string {
    const bins = this.#bins as Bins;
    const time = this.#timeIndex();
    const grouped = at.context.alias();
    const columns = [...this.#keys.map((key, index) => `${key} AS k${index}`), ...this.#aggregates.map((sql, index) => `${sql} AS a${index}`)];
    const inner = `SELECT ${columns.join(", ")} FROM ${from}${where === undefined ? "" : ` WHERE ${where.sql}`} GROUP BY ${this.#keys.join(", ")}`;
    const others = this.#keys.flatMap((_, index) => (index === time ? [] : [`k${index}`]));
    const groups = others.length === 0 ? `SELECT 1 AS one FROM ${grouped} LIMIT 1` : `SELECT DISTINCT ${others.join(", ")} FROM ${grouped}`;
    const shown = [
      ...this.#keys.map((_, index) => (index === time ? `b.t AS k${index}` : `o.k${index} AS k${index}`)),
      ...this.#aggregates.map((_, index) => `v.a${index} AS a${index}`),
    ];
    const same = [`v.k${time} = b.t`, ...others.map((key) => `v.${key} IS NOT DISTINCT FROM o.${key}`)].join(" AND ");
    const filled = `SELECT ${shown.join(", ")} FROM (${binsSql(bins, boundsOf(bins, where?.expression, at), `SELECT k${time} AS t FROM ${grouped}`)}) AS b CROSS JOIN (${groups}) AS o LEFT JOIN ${grouped} AS v ON ${same}`;
    return `(WITH ${grouped} AS MATERIALIZED (${inner}) ${filled}) AS ${this.#alias}`;
  }
}

interface Bounds {
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

function boundsOf(bins: Bins, where: Expression | undefined, at: ExpressionScope): Bounds {
  let [firstNs, lastNs]: (bigint | undefined)[] = [];
  if (where !== undefined) {
    for (const { column, operator, ns } of timeComparisons(where, at)) {
      if (column.sql !== bins.column) continue;
      const low = operator === ">" ? ns + 1n : operator === ">=" || operator === "=" ? ns : undefined;
      const high = operator === "<" ? ns - 1n : operator === "<=" || operator === "=" ? ns : undefined;
      if (low !== undefined && (firstNs === undefined || low > firstNs)) firstNs = low;
      if (high !== undefined && (lastNs === undefined || high < lastNs)) lastNs = high;
    }
  }
  if (firstNs !== undefined && lastNs !== undefined) return { firstNs, lastNs };
  const missing = firstNs !== undefined ? "upper time bound" : lastNs !== undefined ? "lower time bound" : "both upper and lower time bounds";
  throw planError(`gap-filling query is missing ${missing}`, { position: bins.position, hint: "bound the time in WHERE: time >= … AND time < …" });
}

const floorTo = (ns: bigint, { width, originNs }: Bins): bigint => ns - ((((ns - originNs) % width) + width) % width);

/** The starts of all bins from the first to the last. */
function binsSql(bins: Bins, { firstNs, lastNs }: Bounds, present: string): string {
  const { zone, width } = bins;
  const [first, last] = [firstNs, lastNs].map((ns) => floorTo(zone === undefined ? ns : ns + offsetAt(zone, ns), bins)) as [bigint, bigint];
  // Without the bins of an empty range nothing is filled; a clock set back may seem to end before it began.
  const count = last < first ? 1n : (last - first) / width + 1n;
  if (count > BigInt(GAPFILL_BINS_MAX)) {
    throw planError(`gap-filling query makes ${count} bins, more than ${GAPFILL_BINS_MAX}`, { position: bins.position, hint: "narrow the time range, or widen the interval" });
  }
  const starts = `SELECT ${bigintSql(first)} + i * ${width} AS t FROM range(CAST(${count} AS BIGINT)) AS s(i)`;
  if (zone === undefined) return starts;
  const instants = width > 3_600_000_000_000n
    ? `SELECT ${earliestOf("w.t", zone)} AS t FROM (${starts}) AS w`
    : `SELECT ${fromWallClock("w.t", zone)} AS t FROM (${starts}) AS w UNION SELECT ${earliestOf("w.t", zone)} AS t FROM (${starts}) AS w`;
  const edge = (ns: bigint): string => binWallClock(bigintSql(ns), zone, width, bins.originNs);
  return `SELECT t FROM (${instants}) AS i WHERE t BETWEEN ${edge(firstNs)} AND ${edge(lastNs)} UNION ${present}`;
}
