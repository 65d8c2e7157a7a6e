/**
 * Engine text of time arithmetic on BIGINT nanoseconds. Expanded here and not as engine macros, so that what nesting
 * multiplies is counted (limits: EMITTED_CHARACTERS_MAX); the engine folds repeated operands.
 */
import { bigintSql, stringSql } from "./bound.ts";
import { NS_PER_DAY } from "./temporal.ts";
import type { Zone } from "./zones.ts";

const DAY = bigintSql(NS_PER_DAY);

/** Remainder that is never negative; `divisor` is a positive constant. */
export const floorMod = (value: string, divisor: bigint): string => `(((${value}) % ${divisor} + ${divisor}) % ${divisor})`;

/** Microseconds, rounded down. */
const micros = (ns: string): string => `(((${ns}) - ${floorMod(ns, 1000n)}) // 1000)`;

/** The engine's TIMESTAMP (µs) of nanoseconds, rounded down. */
export const engineTimestamp = (ns: string): string => `make_timestamp(${micros(ns)})`;

/** Nanoseconds of an engine TIMESTAMP. */
export const nanosOf = (timestamp: string): string => `(epoch_us(${timestamp}) * 1000)`;

/** Start of the bin of constant width that holds `ns`. */
export const binFixed = (ns: string, width: bigint, origin: bigint): string =>
  origin === 0n ? `((${ns}) - ${floorMod(ns, width)})` : `((${ns}) - ${floorMod(`(${ns}) - ${bigintSql(origin % width)}`, width)})`;

/** `ns` plus calendar months, keeping what is below a microsecond. */
export const addMonths = (ns: string, months: string): string =>
  `(epoch_us(${engineTimestamp(ns)} + to_months(CAST(${months} AS INTEGER))) * 1000 + ${floorMod(ns, 1000n)})`;

/** `ns` plus an engine INTERVAL. */
export const addInterval = (ns: string, interval: string): string =>
  `(epoch_us(${engineTimestamp(ns)} + ${interval}) * 1000 + ${floorMod(ns, 1000n)})`;

/** Start of the bin of `months` months counted from `origin`: the last start that is not after `ns`. */
export function binMonths(ns: string, months: number, origin: bigint): string {
  const from = bigintSql(origin);
  const index = `((year(${engineTimestamp(ns)}) - year(${engineTimestamp(from)})) * 12 + month(${engineTimestamp(ns)}) - month(${engineTimestamp(from)}))`;
  const start = `(${index} - ${floorMod(index, BigInt(months))})`;
  const candidate = addMonths(from, start);
  return `CASE WHEN ${candidate} > (${ns}) THEN ${addMonths(from, `${start} - ${months}`)} ELSE ${candidate} END`;
}

const HOUR = 3_600_000_000_000n;

/**
 * Start of the bin by the clock of a zone. Where that clock showed the start twice, a bin longer than the repetition
 * begins at the first time, a shorter one at the time with the input's own offset (spec: query §2.3). Repetitions last an
 * hour, or half of one.
 */
export function binWallClock(ns: string, zone: Zone, width: bigint, origin: bigint): string {
  const wall = wallClock(ns, zone);
  const start = binFixed(wall, width, origin);
  if (width > HOUR) return earliestOf(start, zone);
  const sameOffset = `(${start} - (${wall} - (${ns})))`;
  return `CASE WHEN ${wallClock(sameOffset, zone)} = ${start} THEN ${sameOffset} ELSE ${fromWallClock(start, zone)} END`;
}

/** The first instant at which the clock of a zone showed `wall`. */
export function earliestOf(wall: string, zone: Zone): string {
  const later = fromWallClock(wall, zone);
  const before = (span: bigint): string => `(${later} - ${bigintSql(span)})`;
  const candidates = [HOUR, HOUR / 2n].map((span) => `WHEN ${wallClock(before(span), zone)} = ${wall} THEN ${before(span)}`);
  return `CASE ${candidates.join(" ")} ELSE ${later} END`;
}

/** Start of the calendar unit (month, quarter, year …) that holds `ns`. */
export const truncateCalendar = (ns: string, unit: string): string => nanosOf(`date_trunc(${stringSql(unit)}, ${engineTimestamp(ns)})`);

/** Nanoseconds of a DATE. */
export const dateNanos = (date: string): string => `(CAST((${date}) - DATE '1970-01-01' AS BIGINT) * ${DAY})`;

/** The DATE of nanoseconds. */
export const dateOf = (ns: string): string => `CAST(${engineTimestamp(ns)} AS DATE)`;

/** ISO text with 0, 3, 6 or 9 fraction digits. */
export function timestampText(ns: string): string {
  const rest = floorMod(ns, 1_000_000_000n);
  const digits = (divisor: number, width: number): string => `'.' || lpad(CAST(${rest} // ${divisor} AS VARCHAR), ${width}, '0')`;
  const fraction = `CASE WHEN ${rest} = 0 THEN '' WHEN ${rest} % 1000000 = 0 THEN ${digits(1_000_000, 3)} WHEN ${rest} % 1000 = 0 THEN ${digits(1000, 6)} ELSE ${digits(1, 9)} END`;
  return `(strftime(${engineTimestamp(ns)}, '%Y-%m-%dT%H:%M:%S') || ${fraction})`;
}

/** RFC 3339 text with the zone's offset; `Z` when that is zero. */
export function zonedText(ns: string, zone: Zone): string {
  const wall = wallClock(ns, zone);
  const minutes = `(((${wall}) - (${ns})) // 60000000000)`;
  const pair = (value: string): string => `lpad(CAST(${value} AS VARCHAR), 2, '0')`;
  const offset = `CASE WHEN ${minutes} < 0 THEN '-' ELSE '+' END || ${pair(`abs(${minutes}) // 60`)} || ':' || ${pair(`abs(${minutes}) % 60`)}`;
  return `(${timestampText(wall)} || CASE WHEN ${minutes} = 0 THEN 'Z' ELSE ${offset} END)`;
}

/** Nanoseconds of a text that is not known while planning. */
export const parsedTimestamp = (text: string, quiet: boolean): string => `epoch_ns(${quiet ? "TRY_CAST" : "CAST"}(${text} AS TIMESTAMP_NS))`;

/** Wall clock of an instant in a zone, as nanoseconds. */
export function wallClock(ns: string, zone: Zone): string {
  if (zone.kind === "fixed") return zone.offsetNs === 0n ? ns : `((${ns}) + ${bigintSql(zone.offsetNs)})`;
  return `(epoch_us(timezone(${stringSql(zone.name)}, make_timestamptz(${micros(ns)}))) * 1000 + ${floorMod(ns, 1000n)})`;
}

/** The instant at which the wall clock of a zone showed `ns`; of two the later one (`zones.ts` says the same of constants). */
export function fromWallClock(ns: string, zone: Zone): string {
  if (zone.kind === "fixed") return zone.offsetNs === 0n ? ns : `((${ns}) - ${bigintSql(zone.offsetNs)})`;
  return `(epoch_us(timezone(${stringSql(zone.name)}, ${engineTimestamp(ns)})) * 1000 + ${floorMod(ns, 1000n)})`;
}
