/** Text to nanoseconds, in every ISO spelling the dialect takes. */
import { civilFromDays, daysFromCivil, fitsInt64, NS_PER_SECOND } from "./temporal.ts";
import { instantOf, zoneOf, type Zone } from "./zones.ts";

const TIMESTAMP_TEXT =
  /^\s*([+-]?\d{4,6})-(\d{1,2})-(\d{1,2})(?:[Tt ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9})\d*)?)?)?\s*(Z|z|[+-]\d{1,2}(?::?\d{2})?|[A-Za-z][A-Za-z_]*(?:\/[A-Za-z0-9_+-]+)*)?\s*$/;

/** Nanoseconds of an ISO timestamp or date; undefined when the text is none or lies outside 64 bits. Without a zone in the text it is `zone`'s, or UTC. */
export function parseTimestamp(text: string, zone?: Zone): bigint | undefined {
  const match = TIMESTAMP_TEXT.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((group) => Number(match[group] ?? 0)) as [number, number, number, number, number, number];
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60) return undefined;
  const days = daysFromCivil(year, month, day);
  if (civilFromDays(days).day !== day) return undefined;
  const wall = (BigInt(days) * 86_400n + BigInt(hour * 3600 + minute * 60 + second)) * NS_PER_SECOND + BigInt((match[7] ?? "").padEnd(9, "0"));
  const written = match[8]?.toUpperCase() === "Z" ? zoneOf("UTC") : match[8] === undefined ? zone : zoneOf(match[8]);
  if (match[8] !== undefined && written === undefined) return undefined;
  const value = written === undefined ? wall : instantOf(written, wall);
  return fitsInt64(value) ? value : undefined;
}
