/** Time functions on nanosecond integers (spec: query §2.3). */
import { bigintSql, stringSql, type Bound } from "./bound.ts";
import { castTo } from "./coerce.ts";
import { binFixed, binMonths, dateOf, engineTimestamp, floorMod, truncateCalendar, wallClock, fromWallClock } from "./emit-time.ts";
import { badArgument, expectCount, literalText, numberArgument, textArgument, type CallSite, type ScalarFunction } from "./function-types.ts";
import type { Interval } from "./interval.ts";
import { notImplemented, planError } from "./sql-error.ts";
import { NS_PER_DAY, NS_PER_SECOND } from "./temporal.ts";
import { chronoToStrftime } from "./chrono-format.ts";
import { DATE, FLOAT64, INT32, INT64, INTERVAL, isNumeric, isText, TIMESTAMP, UTF8, type SqlType } from "./types.ts";

/** The argument as a timestamp; keeps its zone. */
function timeArgument(args: readonly Bound[], index: number, site: CallSite): Bound {
  const arg = args[index] as Bound;
  if (arg.type.kind === "timestamp") return arg;
  if (arg.type.kind === "date" || arg.type.kind === "null" || isText(arg.type)) return castTo(arg, TIMESTAMP, site.position);
  throw badArgument(args, site, "it takes a timestamp");
}

const zoneOf = (type: SqlType): string | undefined => (type.kind === "timestamp" ? type.zone : undefined);

/** Nanoseconds of the wall clock that the value shows. */
const shownNanos = (time: Bound): string => {
  const zone = zoneOf(time.type);
  return zone === undefined || zone === "UTC" ? time.sql : wallClock(time.sql, zone);
};

function strideOf(args: readonly Bound[], site: CallSite): Interval {
  const stride = castTo(args[0] as Bound, INTERVAL, site.position);
  if (stride.constant?.kind !== "interval") throw planError(`${site.name} requires a constant interval as its first argument`, { position: site.position, hint: "such as INTERVAL '10 minutes'" });
  return stride.constant.interval;
}

const dateBin: ScalarFunction = (args, site) => {
  expectCount(args, site, 2, 3);
  const { months, days, nanos } = strideOf(args, site);
  const time = timeArgument(args, 1, site);
  const origin = args.length === 3 ? castTo(args[2] as Bound, TIMESTAMP, site.position).constant : undefined;
  if (args.length === 3 && origin?.kind !== "timestamp") throw planError("DATE_BIN origin must be a constant timestamp", { position: site.position });
  const from = origin?.kind === "timestamp" ? origin.ns : 0n;
  const width = BigInt(days) * NS_PER_DAY + nanos;
  if (months !== 0 && width !== 0n) throw notImplemented("DATE_BIN stride does not support combination of month, day and nanosecond intervals", { position: site.position });
  if (months < 0 || width < 0n || (months === 0 && width === 0n)) throw planError("DATE_BIN stride must be non-zero and positive", { position: site.position });
  return { sql: months === 0 ? binFixed(time.sql, width, from) : binMonths(time.sql, months, from), type: time.type };
};

const UNIT_WIDTH: Readonly<Record<string, bigint>> = {
  nanosecond: 1n, microsecond: 1000n, millisecond: 1_000_000n, second: NS_PER_SECOND, minute: 60n * NS_PER_SECOND, hour: 3600n * NS_PER_SECOND, day: NS_PER_DAY, week: 7n * NS_PER_DAY,
};
/** 1970-01-05 was a Monday. */
const MONDAY = 4n * NS_PER_DAY;

const dateTrunc: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const unit = literalText(args, 0, site, "the granularity").toLowerCase();
  const time = timeArgument(args, 1, site);
  const zone = zoneOf(time.type);
  const shown = shownNanos(time);
  const width = UNIT_WIDTH[unit];
  if (width === undefined && !["month", "quarter", "year"].includes(unit)) {
    throw planError(`Unsupported date_trunc granularity: ${unit}`, { position: site.position, hint: "microsecond to year are supported" });
  }
  const cut = width === undefined ? truncateCalendar(shown, unit) : width === 1n ? shown : binFixed(shown, width, unit === "week" ? MONDAY : 0n);
  return { sql: zone === undefined || zone === "UTC" ? cut : fromWallClock(cut, zone), type: time.type };
};

const PARTS: Readonly<Record<string, string>> = {
  year: "year", isoyear: "isoyear", quarter: "quarter", month: "month", week: "week", day: "day", doy: "dayofyear", dow: "dayofweek", isodow: "isodow", hour: "hour", minute: "minute",
};

const datePart: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const unit = literalText(args, 0, site, "the part").toLowerCase().replace(/s$/, "");
  const time = timeArgument(args, 1, site);
  const shown = shownNanos(time);
  const simple = PARTS[unit];
  if (simple !== undefined) return { sql: `CAST(date_part('${simple}', ${engineTimestamp(shown)}) AS INTEGER)`, type: INT32 };
  const inMinute = floorMod(shown, 60n * NS_PER_SECOND);
  switch (unit) {
    case "second":
      return { sql: `CAST(${inMinute} // ${NS_PER_SECOND} AS INTEGER)`, type: INT32 };
    case "millisecond":
      return { sql: `CAST(${inMinute} // 1000000 AS INTEGER)`, type: INT32 };
    case "microsecond":
      return { sql: `CAST(${inMinute} // 1000 AS INTEGER)`, type: INT32 };
    case "nanosecond":
      return { sql: inMinute, type: INT64 };
    case "epoch":
      return { sql: `(CAST((${time.sql}) // 1000000000 AS DOUBLE) + CAST((${time.sql}) % 1000000000 AS DOUBLE) / 1000000000)`, type: FLOAT64 };
    default:
      throw planError(`Date part '${unit}' not supported`, { position: site.position, hint: "year, quarter, month, week, day, doy, dow, hour, minute, second, … epoch" });
  }
};

/** `to_timestamp` and its siblings: integers count `scale` nanoseconds, text is parsed, formats are chrono's. */
const toTimestamp = (scale: bigint): ScalarFunction => (args, site) => {
  expectCount(args, site, 1, Infinity);
  const [arg] = args as [Bound];
  if (args.length > 1) return { sql: parsedWithFormats(args, site), type: TIMESTAMP };
  if (isNumeric(arg.type) && scale !== 1n) {
    if (arg.constant?.kind === "integer") {
      const ns = arg.constant.value * scale;
      return { sql: bigintSql(ns), type: TIMESTAMP, constant: { kind: "timestamp", ns } };
    }
    return { sql: `(${numberArgument(args, 0, site, INT64)} * ${scale})`, type: TIMESTAMP };
  }
  const cast = castTo(arg, TIMESTAMP, site.position);
  return { sql: cast.sql, type: TIMESTAMP, ...(cast.constant === undefined ? {} : { constant: cast.constant }) };
};

function parsedWithFormats(args: readonly Bound[], site: CallSite): string {
  const value = textArgument(args, 0, site);
  const formats = args.slice(1).map((_, index) => stringSql(chronoToStrftime(literalText(args, index + 1, site, "a format"), site.position)));
  return `(epoch_us(strptime(${value}, [${formats.join(", ")}])) * 1000)`;
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

/** tz(ts[, zone]): the same instant, shown in the zone. */
const tz: ScalarFunction = (args, site) => {
  expectCount(args, site, 1, 2);
  const zone = args.length === 2 ? literalText(args, 1, site, "the time zone") : "UTC";
  return { sql: timeArgument(args, 0, site).sql, type: { kind: "timestamp", unit: "Nanosecond", zone } };
};

/** The wall clock of a zoned time as a time without zone. */
const toLocalTime: ScalarFunction = (args, site) => {
  expectCount(args, site, 1);
  return { sql: shownNanos(timeArgument(args, 0, site)), type: TIMESTAMP };
};

const toChar: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const format = chronoToStrftime(literalText(args, 1, site, "the format"), site.position);
  return { sql: `strftime(${engineTimestamp(shownNanos(timeArgument(args, 0, site)))}, ${stringSql(format)})`, type: UTF8 };
};

const toUnixtime: ScalarFunction = (args, site) => {
  expectCount(args, site, 1);
  const time = timeArgument(args, 0, site);
  return { sql: `((${time.sql} - ${floorMod(time.sql, NS_PER_SECOND)}) // ${NS_PER_SECOND})`, type: INT64 };
};

const makeDate: ScalarFunction = (args, site) => {
  expectCount(args, site, 3);
  return { sql: `make_date(${args.map((_, index) => numberArgument(args, index, site, INT64)).join(", ")})`, type: DATE };
};

const toDate: ScalarFunction = (args, site) => {
  expectCount(args, site, 1);
  const [arg] = args as [Bound];
  return { sql: isNumeric(arg.type) ? `(DATE '1970-01-01' + CAST(${numberArgument(args, 0, site, INT64)} AS INTEGER))` : dateOf(timeArgument(args, 0, site).sql), type: DATE };
};

const gapfill: ScalarFunction = (_args, site) => {
  throw notImplemented(`${site.name} is not available yet`, { position: site.position, hint: "use date_bin and fill gaps in the client" });
};

/** Name → binder. */
export const TIME_FUNCTIONS: ReadonlyMap<string, ScalarFunction> = new Map<string, ScalarFunction>([
  ["date_bin", dateBin], ["date_trunc", dateTrunc], ["datetrunc", dateTrunc], ["date_part", datePart], ["datepart", datePart],
  ["to_timestamp", toTimestamp(1n)], ["to_timestamp_nanos", toTimestamp(1n)], ["to_timestamp_micros", toTimestamp(1000n)],
  ["to_timestamp_millis", toTimestamp(1_000_000n)], ["to_timestamp_seconds", toTimestamp(NS_PER_SECOND)], ["from_unixtime", toTimestamp(NS_PER_SECOND)],
  ["now", now], ["current_timestamp", now], ["current_date", today], ["today", today],
  ["current_time", currentTime],
  ["tz", tz], ["to_local_time", toLocalTime], ["to_char", toChar], ["date_format", toChar], ["to_unixtime", toUnixtime], ["make_date", makeDate], ["to_date", toDate],
  ...["date_bin_gapfill", "date_bin_wallclock", "date_bin_wallclock_gapfill", "locf", "interpolate"].map((name): [string, ScalarFunction] => [name, gapfill]),
]);
