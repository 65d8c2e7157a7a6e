/** Calendar arithmetic and times as text, exact over the 64-bit range of nanoseconds. */

export const NS_PER_SECOND = 1_000_000_000n;
export const NS_PER_DAY = 86_400n * NS_PER_SECOND;
const INT64_MIN = -(1n << 63n);
const INT64_MAX = (1n << 63n) - 1n;

export const fitsInt64 = (value: bigint): boolean => value >= INT64_MIN && value <= INT64_MAX;

/** Days from 1970-01-01 to a proleptic Gregorian date. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

/** Date of a day number; inverse of `daysFromCivil`. */
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const mp = Math.floor((5 * dayOfYear + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * mp + 2) / 5) + 1 };
}

const pad = (value: number | bigint, width: number): string => String(value).padStart(width, "0");

/** `2024-01-31` of a day number. */
export function formatDate(days: number): string {
  const { year, month, day } = civilFromDays(days);
  const shown = year < 0 ? `-${pad(-year, 4)}` : year > 9999 ? `+${year}` : pad(year, 4);
  return `${shown}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** 0, 3, 6 or 9 fraction digits, as needed, with the point. */
export function formatFraction(nanos: bigint): string {
  if (nanos === 0n) return "";
  const digits = pad(nanos, 9);
  return `.${digits.endsWith("000000") ? digits.slice(0, 3) : digits.endsWith("000") ? digits.slice(0, 6) : digits}`;
}

/** `12:34:56.789` of nanoseconds since midnight. */
export function formatTimeOfDay(nanos: bigint): string {
  const seconds = Number(nanos / NS_PER_SECOND);
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  return clock + formatFraction(nanos % NS_PER_SECOND);
}

/** ISO without a zone: `2065-01-07T17:28:56` (spec: query §1). */
export function formatTimestamp(ns: bigint): string {
  let days = ns / NS_PER_DAY;
  let rest = ns % NS_PER_DAY;
  if (rest < 0n) {
    days -= 1n;
    rest += NS_PER_DAY;
  }
  return `${formatDate(Number(days))}T${formatTimeOfDay(rest)}`;
}
