/**
 * Where the same point may stand twice: the times that two Parquet files share, or a file and the buffer. Only rows of
 * these times need deduplication, so that one late boundary does not make a query group a whole table. The windows may be
 * wider than need be, never narrower.
 */
import type { Repeated } from "../core/buffer/repeated-times.ts";
import type { TimeWindow } from "../ports/query-engine.ts";
import { CONTESTED_WINDOWS_MAX } from "./query-limits.ts";

export interface TimeRange {
  readonly timeMin: bigint;
  readonly timeMax: bigint;
}

/** Floats hold nanoseconds of this century to 256; bounds are widened by more than that. */
const SLACK_NS = 1_024n;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

type Interval = readonly [from: number, to: number];

const asInterval = ({ timeMin, timeMax }: TimeRange): Interval => [Number(timeMin), Number(timeMax)];

/** `repeated`: where two batches, or two rows of one, may hold the same point. Ascending, apart from one another. */
export function contestedTimes(files: readonly TimeRange[], batches: readonly TimeRange[], repeated: Repeated): readonly TimeWindow[] {
  const stored = files.map(asInterval).sort(byStart);
  const buffered = joined(batches.map(asInterval).sort(byStart));
  const found: Interval[] = repeated === "everywhere" ? [...buffered] : repeated.map(asInterval);
  let end = Number.NEGATIVE_INFINITY;
  for (const [from, to] of stored) {
    if (from <= end) found.push([from, Math.min(to, end)]);
    end = Math.max(end, to);
    for (const [start, stop] of buffered) if (start <= to && stop >= from) found.push([Math.max(from, start), Math.min(to, stop)]);
  }
  const windows = joined(found.sort(byStart));
  return atMost(windows, CONTESTED_WINDOWS_MAX).map(toWindow);
}

/** Intervals that are apart, those nearest to one another made one until there are few. */
function atMost(intervals: readonly Interval[], count: number): readonly Interval[] {
  if (intervals.length <= count) return intervals;
  const gap = (at: number): number => (intervals[at] as Interval)[0] - (intervals[at - 1] as Interval)[1];
  const starts = Array.from({ length: intervals.length - 1 }, (_, index) => index + 1).sort((left, right) => gap(right) - gap(left)).slice(0, count - 1).sort((left, right) => left - right);
  return [0, ...starts].map((start, index): Interval => [(intervals[start] as Interval)[0], (intervals[(starts[index] ?? intervals.length) - 1] as Interval)[1]]);
}

/** Whether a range may hold rows of a window. */
export const isContested = (range: TimeRange, windows: readonly TimeWindow[]): boolean =>
  windows.some((window) => range.timeMin <= window.timeMax && range.timeMax >= window.timeMin);

const byStart = (left: Interval, right: Interval): number => left[0] - right[0];

/** Sorted intervals, those that touch made one. */
function joined(sorted: readonly Interval[]): Interval[] {
  const out: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = out.at(-1);
    if (last !== undefined && from <= last[1] + Number(2n * SLACK_NS)) last[1] = Math.max(last[1], to);
    else out.push([from, to]);
  }
  return out;
}

function toWindow([from, to]: Interval): TimeWindow {
  const timeMin = BigInt(from) - SLACK_NS;
  const timeMax = BigInt(to) + SLACK_NS;
  return { timeMin: timeMin < INT64_MIN ? INT64_MIN : timeMin, timeMax: timeMax > INT64_MAX ? INT64_MAX : timeMax };
}
