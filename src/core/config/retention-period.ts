/** Retention periods as people write them: humantime's durations, the documentation's `mo`, and `none`. */
import { parseDuration } from "./humantime.ts";

/** What fits the catalog and the clock; longer is as good as for ever, and is to be said so. */
const RETENTION_NS_MAX = 2n ** 63n - 1n;
const DAYS_PER_MONTH = 30n;

/** Nanoseconds; `none`: for ever; undefined: the text is no retention period. */
export function parseRetentionPeriod(text: string): bigint | "none" | undefined {
  if (text === "none") return "none";
  // The documentation's month has 30 days; humantime has no `mo`.
  const ns = parseDuration(text.replace(/(\d+)\s*mo(?![a-z])/g, (_, months: string) => `${BigInt(months) * DAYS_PER_MONTH}d`));
  return ns === undefined || ns > RETENTION_NS_MAX ? undefined : ns;
}
