/** Timestamp precision: units, the reference's guess for `auto`, and conversion to nanoseconds (spec §4). */

export type Precision = "auto" | "second" | "millisecond" | "microsecond" | "nanosecond";

const MULTIPLIER: Readonly<Record<Exclude<Precision, "auto">, bigint>> = {
  second: 1_000_000_000n,
  millisecond: 1_000_000n,
  microsecond: 1_000n,
  nanosecond: 1n,
};

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** The unit that `auto` takes a timestamp for, by its magnitude. */
export function guessPrecision(timestamp: bigint): Exclude<Precision, "auto"> {
  const magnitude = (timestamp < 0n ? -timestamp : timestamp) / 1_000_000_000n;
  if (magnitude < 5n) return "second";
  if (magnitude < 5_000n) return "millisecond";
  if (magnitude < 5_000_000n) return "microsecond";
  return "nanosecond";
}

/** Nanoseconds since the epoch, or undefined when they do not fit 64 bits. */
export function toNanoseconds(timestamp: bigint, precision: Precision): bigint | undefined {
  const unit = precision === "auto" ? guessPrecision(timestamp) : precision;
  const value = timestamp * MULTIPLIER[unit];
  return value < INT64_MIN || value > INT64_MAX ? undefined : value;
}

/** The ingest instant that lines without a timestamp get: truncated to the precision, whole for `auto` and nanoseconds. */
export function ingestInstant(nowNs: bigint, precision: Precision): bigint {
  if (precision === "auto") return nowNs;
  const unit = MULTIPLIER[precision];
  return nowNs - (nowNs % unit);
}

/** True when the text's number fits a signed 64-bit integer. */
export function fitsInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}
