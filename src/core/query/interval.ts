/** Interval literals in the spellings DataFusion takes, as months, days and nanoseconds. */
import { formatFraction, NS_PER_SECOND } from "./temporal.ts";

export interface Interval {
  readonly months: number;
  readonly days: number;
  readonly nanos: bigint;
}

type Unit = { readonly months: number } | { readonly days: number } | { readonly nanos: bigint };

const UNITS: ReadonlyMap<string, Unit> = new Map<string, Unit>([
  ...names({ months: 1200 }, "century", "centuries", "c"),
  ...names({ months: 120 }, "decade", "decades"),
  ...names({ months: 12 }, "year", "years", "y", "yr", "yrs"),
  ...names({ months: 3 }, "quarter", "quarters"),
  ...names({ months: 1 }, "month", "months", "mon", "mons"),
  ...names({ days: 7 }, "week", "weeks", "w"),
  ...names({ days: 1 }, "day", "days", "d"),
  ...names({ nanos: 3600n * NS_PER_SECOND }, "hour", "hours", "h", "hr", "hrs"),
  ...names({ nanos: 60n * NS_PER_SECOND }, "minute", "minutes", "m", "min", "mins"),
  ...names({ nanos: NS_PER_SECOND }, "second", "seconds", "s", "sec", "secs"),
  ...names({ nanos: 1_000_000n }, "millisecond", "milliseconds", "millisec", "millisecs", "ms", "msec", "msecs"),
  ...names({ nanos: 1000n }, "microsecond", "microseconds", "microsec", "us", "usec", "usecs"),
  ...names({ nanos: 1n }, "nanosecond", "nanoseconds", "ns", "nsec", "nsecs"),
]);

function names(unit: Unit, ...spellings: readonly string[]): [string, Unit][] {
  return spellings.map((spelling) => [spelling, unit]);
}

const PART = /\s*([+-]?)(?:(\d+):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?|(\d*)(?:\.(\d{1,9}))?\s*([a-zA-Z]+)?)/y;

/** Undefined when the text is not an interval; a bare number counts seconds. */
export function parseInterval(text: string): Interval | undefined {
  let total: Interval = { months: 0, days: 0, nanos: 0n };
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  PART.lastIndex = 0;
  while (PART.lastIndex < trimmed.length) {
    const match = PART.exec(trimmed);
    if (match === null || match[0].trim() === "") return undefined;
    const part = match[2] === undefined ? amountOf(match) : clockOf(match);
    if (part === undefined) return undefined;
    total = { months: total.months + part.months, days: total.days + part.days, nanos: total.nanos + part.nanos };
  }
  return Number.isSafeInteger(total.months) && Number.isSafeInteger(total.days) ? total : undefined;
}

function clockOf(match: RegExpExecArray): Interval {
  const seconds = BigInt(match[2] ?? 0) * 3600n + BigInt(match[3] ?? 0) * 60n + BigInt(match[4] ?? 0);
  const nanos = seconds * NS_PER_SECOND + BigInt((match[5] ?? "").padEnd(9, "0"));
  return { months: 0, days: 0, nanos: match[1] === "-" ? -nanos : nanos };
}

function amountOf(match: RegExpExecArray): Interval | undefined {
  if ((match[6] ?? "") === "" && match[7] === undefined) return undefined;
  const unit = UNITS.get((match[8] ?? "second").toLowerCase());
  if (unit === undefined) return undefined;
  const sign = match[1] === "-" ? -1 : 1;
  // The amount in billionths, so that a fraction carries over exactly to the smaller units.
  const billionths = BigInt(match[6] === "" || match[6] === undefined ? 0 : match[6]) * NS_PER_SECOND + BigInt((match[7] ?? "").padEnd(9, "0"));
  const signed = billionths * BigInt(sign);
  if ("nanos" in unit) return { months: 0, days: 0, nanos: (signed * unit.nanos) / NS_PER_SECOND };
  if ("days" in unit) return fromDays(signed * BigInt(unit.days));
  const months = signed * BigInt(unit.months);
  const rest = fromDays((months % NS_PER_SECOND) * 30n);
  return { months: Number(months / NS_PER_SECOND), days: rest.days, nanos: rest.nanos };
}

function fromDays(billionths: bigint): Interval {
  const rest = billionths % NS_PER_SECOND;
  return { months: 0, days: Number(billionths / NS_PER_SECOND), nanos: rest * 86_400n };
}

/** Arrow's text: `1 mons 2 days 3 hours` (spec: query §1). */
export function formatInterval({ months, days, nanos }: Interval): string {
  const parts: string[] = [];
  if (months !== 0) parts.push(`${months} mons`);
  if (days !== 0) parts.push(`${days} days`);
  const size = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? "-" : "";
  const seconds = size / NS_PER_SECOND;
  const [hours, minutes, rest] = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n];
  if (hours !== 0n) parts.push(`${sign}${hours} hours`);
  if (minutes !== 0n) parts.push(`${sign}${minutes} mins`);
  const fraction = size % NS_PER_SECOND;
  if (rest !== 0n || fraction !== 0n) parts.push(`${sign}${rest}${fraction === 0n ? ".000000000" : `.${String(fraction).padStart(9, "0")}`} secs`);
  return parts.length === 0 ? "0 secs" : parts.join(" ");
}

/** ISO 8601 text of a duration: `PT0.032689S`, `P0D` when zero (spec: query §1). */
export function formatDuration(ns: bigint): string {
  if (ns === 0n) return "P0D";
  const size = ns < 0n ? -ns : ns;
  return `${ns < 0n ? "-" : ""}PT${size / NS_PER_SECOND}${trimFraction(size % NS_PER_SECOND)}S`;
}

function trimFraction(nanos: bigint): string {
  return formatFraction(nanos).replace(/0+$/, "");
}
