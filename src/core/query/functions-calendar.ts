/** Times and dates from numbers and texts, and texts from times (spec: query §2.3). Integers of `to_timestamp` are nanoseconds. */
import { bigintSql, stringSql, type Bound } from "./bound.ts";
import { castTo, retyped } from "./coerce.ts";
import { readingFormats, writtenText } from "./chrono-format.ts";
import { binFixed, dateNanos, dateOf, floorMod } from "./emit-time.ts";
import { badArgument, expectCount, literalText, numberArgument, textArgument, type CallSite, type ScalarFunction, type ScalarResult } from "./function-types.ts";
import { shownTime, timeArgument } from "./functions-time.ts";
import { fitsInt64, NS_PER_SECOND } from "./temporal.ts";
import { DATE, FLOAT64, INT64, isInteger, isNumeric, isText, TIMESTAMP, UTF8, type SqlType, type TimestampType, type TimeUnit } from "./types.ts";

const UNIT_NS: Readonly<Record<TimeUnit, bigint>> = { Second: NS_PER_SECOND, Millisecond: 1_000_000n, Microsecond: 1000n, Nanosecond: 1n };

/** `to_timestamp` and its siblings: numbers count `unit`, text is parsed, formats are chrono's. */
const toTimestamp = (unit: TimeUnit): ScalarFunction => (args, site) => {
  expectCount(args, site, 1, Infinity);
  const [arg] = args as [Bound];
  const type: TimestampType = { kind: "timestamp", unit, zone: undefined };
  if (args.length > 1) return { sql: cut(parsedWithFormats(args, site), unit), type };
  if (isNumeric(arg.type)) return counted(args, site, unit, type);
  const cast = castTo(arg, arg.type.kind === "timestamp" ? { ...type, zone: arg.type.zone } : type, site.position);
  return { sql: cast.sql, type: cast.type, ...(cast.constant === undefined ? {} : { constant: cast.constant }) };
};

const cut = (ns: string, unit: TimeUnit): string => (unit === "Nanosecond" ? ns : binFixed(ns, UNIT_NS[unit], 0n));

function counted(args: readonly Bound[], site: CallSite, unit: TimeUnit, type: SqlType): ScalarResult {
  const [{ constant, type: given }] = args as [Bound];
  const scale = UNIT_NS[unit];
  if (constant?.kind === "integer" && fitsInt64(constant.value * scale)) {
    const ns = constant.value * scale;
    return { sql: bigintSql(ns), type, constant: { kind: "timestamp", ns } };
  }
  // A fraction of a unit counts for something only in seconds and coarser.
  if (!isInteger(given)) return { sql: `CAST(trunc(${numberArgument(args, 0, site, FLOAT64)} * ${scale}) AS BIGINT)`, type };
  return { sql: scale === 1n ? numberArgument(args, 0, site, INT64) : `(${numberArgument(args, 0, site, INT64)} * ${scale})`, type };
}

/** Nanoseconds read by the first format that fits. */
function parsedWithFormats(args: readonly Bound[], site: CallSite): string {
  const formats = args.slice(1).flatMap((_, index) => readingFormats(literalText(args, index + 1, site, "a format"), site.position));
  // One by one: formats with and without nanoseconds or an offset give values of different types.
  const value = textArgument(args, 0, site);
  const tries = formats.map((format, index) => `epoch_ns(${index < formats.length - 1 ? "try_strptime" : "strptime"}(${value}, ${stringSql(format)}))`);
  return tries.length === 1 ? (tries[0] as string) : `coalesce(${tries.join(", ")})`;
}

/** Seconds beyond this are outside the range of times. */
const SECONDS_MAX = 9_223_372_036n;

/**
 * Seconds, as DataFusion has it. InfluxDB's documentation gives nanoseconds, whose counts lie far outside the range of
 * seconds, so each is told from the other.
 */
const fromUnixtime: ScalarFunction = (args, site) => {
  expectCount(args, site, 1, 2);
  const zone = args.length === 2 ? literalText(args, 1, site, "the time zone") : undefined;
  const type: SqlType = { kind: "timestamp", unit: "Nanosecond", zone };
  const [arg] = args as [Bound];
  if (arg.constant?.kind === "integer") {
    const { value } = arg.constant;
    const ns = value > SECONDS_MAX || value < -SECONDS_MAX ? value : value * NS_PER_SECOND;
    return { sql: bigintSql(ns), type, constant: { kind: "timestamp", ns } };
  }
  const value = numberArgument(args, 0, site, INT64);
  return { sql: `CASE WHEN ${value} BETWEEN -${SECONDS_MAX} AND ${SECONDS_MAX} THEN ${value} * ${NS_PER_SECOND} ELSE ${value} END`, type };
};

/** Seconds since the epoch, rounded down. */
const toUnixtime: ScalarFunction = (args, site) => {
  expectCount(args, site, 1, Infinity);
  const [arg] = args as [Bound];
  if (isNumeric(arg.type)) return { sql: castTo(arg, INT64, site.position).sql, type: INT64 };
  const ns = args.length > 1 ? parsedWithFormats(args, site) : timeArgument(args, 0, site).sql;
  return { sql: `((${ns} - ${floorMod(ns, NS_PER_SECOND)}) // ${NS_PER_SECOND})`, type: INT64 };
};

const makeDate: ScalarFunction = (args, site) => {
  expectCount(args, site, 3);
  return { sql: `make_date(${args.map((_, index) => numberArgument(args, index, site, INT64)).join(", ")})`, type: DATE };
};

const toDate: ScalarFunction = (args, site) => {
  expectCount(args, site, 1, Infinity);
  const [arg] = args as [Bound];
  if (args.length > 1) return { sql: dateOf(parsedWithFormats(args, site)), type: DATE };
  if (isNumeric(arg.type)) return { sql: `(DATE '1970-01-01' + CAST(${numberArgument(args, 0, site, INT64)} AS INTEGER))`, type: DATE };
  return { sql: castTo(timeArgument(args, 0, site), DATE, site.position).sql, type: DATE };
};

const toChar: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const format = literalText(args, 1, site, "the format");
  const [arg] = args as [Bound];
  if (arg.type.kind === "duration") return { sql: castTo(arg, UTF8, site.position).sql, type: UTF8 };
  const time = clockOf(arg) ?? timeArgument(args, 0, site);
  return { sql: writtenText(format, shownTime(time, site).sql, time.sql, site.position), type: UTF8 };
};

/** A date or a time of day as a timestamp. */
function clockOf(arg: Bound): Bound | undefined {
  if (arg.type.kind === "time") return retyped(arg, TIMESTAMP, `(epoch_us(DATE '1970-01-01' + ${arg.sql}) * 1000)`);
  return arg.type.kind === "date" ? retyped(arg, TIMESTAMP, dateNanos(arg.sql)) : undefined;
}

const toTime: ScalarFunction = (args, site) => {
  expectCount(args, site, 1, Infinity);
  const [arg] = args as [Bound];
  const time: SqlType = { kind: "time" };
  if (args.length === 1 && isText(arg.type)) return { sql: `CAST(${arg.sql} AS TIME)`, type: time };
  const instant = args.length === 1 ? timeArgument(args, 0, site) : retyped(arg, TIMESTAMP, parsedWithFormats(args, site));
  if (arg.type.kind === "interval") throw badArgument(args, site);
  return { sql: castTo(instant, time, site.position).sql, type: time };
};

/** Name → binder. */
export const CALENDAR_FUNCTIONS: ReadonlyMap<string, ScalarFunction> = new Map<string, ScalarFunction>([
  ["to_timestamp", toTimestamp("Nanosecond")], ["to_timestamp_nanos", toTimestamp("Nanosecond")], ["to_timestamp_micros", toTimestamp("Microsecond")],
  ["to_timestamp_millis", toTimestamp("Millisecond")], ["to_timestamp_seconds", toTimestamp("Second")],
  ["from_unixtime", fromUnixtime], ["to_unixtime", toUnixtime], ["make_date", makeDate], ["to_date", toDate], ["to_char", toChar], ["date_format", toChar], ["to_time", toTime],
]);
