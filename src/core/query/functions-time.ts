/** Time functions on nanosecond integers (spec: query §2.3): bins, truncation, parts, zones. */
import { bigintSql, type Bound } from "./bound.ts";
import { castTo, retyped, zoneOfType } from "./coerce.ts";
import { binFixed, binMonths, binWallClock, dateOf, engineTimestamp, floorMod, fromWallClock, truncateCalendar, wallClock } from "./emit-time.ts";
import { badArgument, expectCount, literalText, type CallSite, type ScalarFunction, type ScalarResult } from "./function-types.ts";
import type { Interval } from "./interval.ts";
import { notImplemented, planError } from "./sql-error.ts";
import { NS_PER_DAY, NS_PER_SECOND } from "./temporal.ts";
import { DATE, FLOAT64, INT32, INT64, INTERVAL, isText, TIMESTAMP, type TimestampType } from "./types.ts";
import { offsetAt, type Zone } from "./zones.ts";

/** The argument as a timestamp; keeps its zone. */
export function timeArgument(args: readonly Bound[], index: number, site: CallSite): Bound {
  const arg = args[index] as Bound;
  if (arg.type.kind === "timestamp") return arg;
  if (arg.type.kind === "date" || arg.type.kind === "null" || isText(arg.type)) return castTo(arg, TIMESTAMP, site.position);
  throw badArgument(args, site, "it takes a timestamp");
}

export const zoneOfBound = (time: Bound, site: CallSite): Zone | undefined => (time.type.kind === "timestamp" ? zoneOfType(time.type, site.position) : undefined);

/** What a clock of the value's own zone shows. */
export function shownTime(time: Bound, site: CallSite): Bound {
  const zone = zoneOfBound(time, site);
  if (zone === undefined) return time;
  const { constant } = time;
  if (constant?.kind !== "timestamp") return retyped(time, TIMESTAMP, wallClock(time.sql, zone));
  const ns = constant.ns + offsetAt(zone, constant.ns);
  return retyped(time, TIMESTAMP, bigintSql(ns), { kind: "timestamp", ns });
}

export interface BinArguments {
  readonly stride: Interval;
  /** Nanoseconds of a stride without months. */
  readonly width: bigint;
  readonly time: Bound;
  readonly originNs: bigint;
}

/** Arguments of date_bin and its relatives. Throws DataFusion's words for strides that make no bins. */
export function binArguments(args: readonly Bound[], site: CallSite): BinArguments {
  expectCount(args, site, 2, 3);
  const stride = castTo(args[0] as Bound, INTERVAL, site.position).constant;
  if (stride?.kind !== "interval") throw planError(`${site.name} requires a constant interval as its first argument`, { position: site.position, hint: "such as INTERVAL '10 minutes'" });
  const time = timeArgument(args, 1, site);
  const origin = args.length === 3 ? castTo(args[2] as Bound, TIMESTAMP, site.position).constant : undefined;
  if (args.length === 3 && origin?.kind !== "timestamp") throw planError("DATE_BIN origin must be a constant timestamp", { position: site.position });
  const { months, days, nanos } = stride.interval;
  const width = BigInt(days) * NS_PER_DAY + nanos;
  if (months !== 0 && width !== 0n) throw notImplemented("DATE_BIN stride does not support combination of month, day and nanosecond intervals", { position: site.position });
  if (months < 0 || width < 0n || (months === 0 && width === 0n)) throw planError("DATE_BIN stride must be non-zero and positive", { position: site.position });
  return { stride: stride.interval, width, time, originNs: origin?.kind === "timestamp" ? origin.ns : 0n };
}

const dateBin: ScalarFunction = (args, site) => binOf(binArguments(args, site));

function binOf({ stride, width, time, originNs }: BinArguments): ScalarResult {
  const sql = stride.months === 0 ? binFixed(time.sql, width, originNs) : binMonths(time.sql, stride.months, originNs);
  const { constant } = time;
  if (constant?.kind !== "timestamp" || stride.months !== 0) return { sql, type: time.type };
  const ns = constant.ns - ((((constant.ns - originNs) % width) + width) % width);
  return { sql: bigintSql(ns), type: time.type, constant: { kind: "timestamp", ns } };
}

/** Bins that start by the clock of the argument's own zone. */
const dateBinWallClock: ScalarFunction = (args, site) => {
  const bin = binArguments(args, site);
  if (bin.stride.months !== 0) throw notImplemented(`${site.name.toUpperCase()} does not support months or years`, { position: site.position });
  const zone = zoneOfBound(bin.time, site);
  if (zone === undefined || zone.kind === "fixed") return binOf({ ...bin, originNs: bin.originNs - (zone?.offsetNs ?? 0n) });
  return { sql: binWallClock(bin.time.sql, zone, bin.width, bin.originNs), type: bin.time.type };
};

const UNIT_WIDTH: Readonly<Record<string, bigint>> = {
  nanosecond: 1n, microsecond: 1000n, millisecond: 1_000_000n, second: NS_PER_SECOND, minute: 60n * NS_PER_SECOND, hour: 3600n * NS_PER_SECOND, day: NS_PER_DAY, week: 7n * NS_PER_DAY,
};
/** 1970-01-05 was a Monday. */
const MONDAY = 4n * NS_PER_DAY;

/** Where a unit of `date_trunc` always has the same length: that, and a time at which one begins. */
export function fixedTruncation(unit: string): { readonly widthNs: bigint; readonly originNs: bigint } | undefined {
  const widthNs = UNIT_WIDTH[unit];
  return widthNs === undefined ? undefined : { widthNs, originNs: unit === "week" ? MONDAY : 0n };
}

const dateTrunc: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const unit = literalText(args, 0, site, "the granularity").toLowerCase();
  const time = timeArgument(args, 1, site);
  const width = UNIT_WIDTH[unit];
  if (width === undefined && !["month", "quarter", "year"].includes(unit)) {
    throw planError(`Unsupported date_trunc granularity: ${unit}`, { position: site.position, hint: "microsecond to year are supported" });
  }
  const zone = zoneOfBound(time, site);
  const shown = zone === undefined ? time.sql : wallClock(time.sql, zone);
  const cut = width === undefined ? truncateCalendar(shown, unit) : width === 1n ? shown : binFixed(shown, width, unit === "week" ? MONDAY : 0n);
  return { sql: zone === undefined ? cut : fromWallClock(cut, zone), type: time.type };
};

const PARTS: Readonly<Record<string, string>> = {
  year: "year", isoyear: "isoyear", quarter: "quarter", month: "month", week: "week", day: "day", doy: "dayofyear", dow: "dayofweek", isodow: "isodow", hour: "hour", minute: "minute",
};
const IN_MINUTE: Readonly<Record<string, bigint>> = { second: NS_PER_SECOND, millisecond: 1_000_000n, microsecond: 1000n };
const unknownPart = (unit: string, site: CallSite): Error =>
  planError(`Date part '${unit}' not supported`, { position: site.position, hint: "year, quarter, month, week, day, doy, dow, hour, minute, second, … epoch" });

const datePart: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const unit = literalText(args, 0, site, "the part").toLowerCase().replace(/s$/, "");
  const [, arg] = args as [Bound, Bound];
  if (arg.type.kind === "interval") return intervalPart(unit, arg, site);
  if (arg.type.kind === "duration") return durationPart(unit, arg, site);
  const time = arg.type.kind === "time" ? retyped(arg, TIMESTAMP, `(epoch_us(DATE '1970-01-01' + ${arg.sql}) * 1000)`) : timeArgument(args, 1, site);
  const shown = shownTime(time, site).sql;
  const simple = PARTS[unit];
  if (simple !== undefined) return { sql: `CAST(date_part('${simple}', ${engineTimestamp(shown)}) AS INTEGER)`, type: INT32 };
  const inMinute = floorMod(shown, 60n * NS_PER_SECOND);
  const divisor = IN_MINUTE[unit];
  if (divisor !== undefined) return { sql: `CAST(${inMinute} // ${divisor} AS INTEGER)`, type: INT32 };
  if (unit === "nanosecond") return { sql: inMinute, type: INT64 };
  if (unit === "epoch") return { sql: secondsOf(time.sql), type: FLOAT64 };
  throw unknownPart(unit, site);
};

const secondsOf = (ns: string): string => `(CAST((${ns}) // 1000000000 AS DOUBLE) + CAST((${ns}) % 1000000000 AS DOUBLE) / 1000000000)`;

function intervalPart(unit: string, arg: Bound, site: CallSite): ScalarResult {
  if (unit === "epoch") return { sql: `CAST(epoch(${arg.sql}) AS DOUBLE)`, type: FLOAT64 };
  if (!["year", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond"].includes(unit)) throw unknownPart(unit, site);
  return { sql: unit === "week" ? `CAST(date_part('day', ${arg.sql}) // 7 AS INTEGER)` : `CAST(date_part('${unit}', ${arg.sql}) AS INTEGER)`, type: INT32 };
}

/** Whole units of a duration. */
function durationPart(unit: string, arg: Bound, site: CallSite): ScalarResult {
  if (unit === "epoch") return { sql: secondsOf(arg.sql), type: FLOAT64 };
  const width = UNIT_WIDTH[unit];
  if (width === undefined) throw unknownPart(unit, site);
  return { sql: `((${arg.sql}) // ${width})`, type: INT64 };
}

/** Fixed once per query. */
const now: ScalarFunction = (args, site) => {
  expectCount(args, site, 0);
  return { sql: bigintSql(site.nowNs), type: TIMESTAMP, constant: { kind: "timestamp", ns: site.nowNs } };
};

const today: ScalarFunction = (args, site) => {
  expectCount(args, site, 0);
  return { sql: dateOf(bigintSql(site.nowNs)), type: DATE };
};

const currentTime: ScalarFunction = (args, site) => {
  const instant: Bound = { ...now(args, site), name: "", aggregate: false, window: false };
  const time = castTo(instant, { kind: "time" }, site.position);
  return { sql: time.sql, type: time.type };
};

const withConstant = ({ sql, type, constant }: Bound): ScalarResult => ({ sql, type, ...(constant === undefined ? {} : { constant }) });

/** tz(ts[, zone]): the same instant, shown in the zone. */
const tz: ScalarFunction = (args, site) => {
  expectCount(args, site, 1, 2);
  const zone = args.length === 2 ? literalText(args, 1, site, "the time zone") : "UTC";
  const type: TimestampType = { kind: "timestamp", unit: "Nanosecond", zone };
  zoneOfType(type, site.position);
  return { ...withConstant(timeArgument(args, 0, site)), type };
};

/** The wall clock of a zoned time as a time without zone. */
const toLocalTime: ScalarFunction = (args, site) => {
  expectCount(args, site, 1);
  return withConstant(shownTime(timeArgument(args, 0, site), site));
};

const gapfill: ScalarFunction = (_args, site) => {
  throw planError(`${site.name} may only be used as a GROUP BY expression`, { position: site.position, hint: "SELECT it AS t and GROUP BY t" });
};

const fill: ScalarFunction = (_args, site) => {
  throw planError(`${site.name} may only be used in the SELECT list of a gap-filling query`, { position: site.position, hint: "GROUP BY date_bin_gapfill(…)" });
};

/** Name → binder. */
export const TIME_FUNCTIONS: ReadonlyMap<string, ScalarFunction> = new Map<string, ScalarFunction>([
  ["date_bin", dateBin], ["date_bin_wallclock", dateBinWallClock], ["date_trunc", dateTrunc], ["datetrunc", dateTrunc], ["date_part", datePart], ["datepart", datePart],
  ["now", now], ["current_timestamp", now], ["current_date", today], ["today", today], ["current_time", currentTime],
  ["tz", tz], ["to_local_time", toLocalTime],
  ["date_bin_gapfill", gapfill], ["date_bin_wallclock_gapfill", gapfill], ["locf", fill], ["interpolate", fill],
]);
