/**
 * Durations as people write them, in the dialect of the `humantime` crate that the reference uses for schedules, TTLs
 * and retention periods (spec: processing-engine §2.2). Exact: nanoseconds as bigint.
 */

const NS_PER_UNIT: ReadonlyMap<string, bigint> = new Map(
  (
    [
      ["nanos nsec ns", 1n],
      ["usec us µs", 1_000n],
      ["millis msec ms", 1_000_000n],
      ["seconds second secs sec s", 1_000_000_000n],
      ["minutes minute min mins m", 60_000_000_000n],
      ["hours hour hr hrs h", 3_600_000_000_000n],
      ["days day d", 86_400_000_000_000n],
      ["weeks week wk wks w", 604_800_000_000_000n],
      ["months month M", 2_630_016_000_000_000n],
      ["years year yr yrs y", 31_557_600_000_000_000n],
    ] as const
  ).flatMap(([names, ns]) => names.split(" ").map((name): [string, bigint] => [name, ns])),
);

/** humantime keeps seconds in 64 bits; longer texts cannot be a duration. */
const TEXT_LENGTH_MAX = 256;
const DURATION_NS_MAX = 18_446_744_073_709_551_615n * 1_000_000_000n;

/** Nanoseconds of a duration such as `1h 30m`, `4.2s` or `0`; undefined when the text is none. */
export function parseDuration(text: string): bigint | undefined {
  const trimmed = text.trim();
  if (trimmed === "0") return 0n;
  if (trimmed === "" || trimmed.length > TEXT_LENGTH_MAX) return undefined;
  const part = /\s*(\d+)(?:\.(\d+))?\s*([a-zA-Zµ]+)\s*/y;
  let total = 0n;
  while (part.lastIndex < trimmed.length) {
    const match = part.exec(trimmed);
    if (match === null) return undefined;
    const unit = NS_PER_UNIT.get(match[3] as string);
    if (unit === undefined) return undefined;
    total += BigInt(match[1] as string) * unit + fractionOf(match[2], unit);
    if (total > DURATION_NS_MAX) return undefined;
  }
  return total;
}

function fractionOf(digits: string | undefined, unit: bigint): bigint {
  return digits === undefined ? 0n : (BigInt(digits) * unit) / 10n ** BigInt(digits.length);
}

const FORMAT_UNITS: readonly (readonly [name: string, ns: bigint, plural: string])[] = [
  ["year", 31_557_600_000_000_000n, "years"],
  ["month", 2_630_016_000_000_000n, "months"],
  ["day", 86_400_000_000_000n, "days"],
  ["h", 3_600_000_000_000n, "h"],
  ["m", 60_000_000_000n, "m"],
  ["s", 1_000_000_000n, "s"],
  ["ms", 1_000_000n, "ms"],
  ["us", 1_000n, "us"],
  ["ns", 1n, "ns"],
];

/** humantime's normal form: `60s` becomes `1m`, 1.2 ms becomes `1ms 200us`. */
export function formatDuration(ns: bigint): string {
  if (ns === 0n) return "0s";
  const parts: string[] = [];
  let rest = ns;
  for (const [name, unit, plural] of FORMAT_UNITS) {
    const count = rest / unit;
    if (count > 0n) parts.push(`${count}${count === 1n ? name : plural}`);
    rest %= unit;
  }
  return parts.join(" ");
}
