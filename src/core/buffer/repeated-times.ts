/**
 * Times at which a point may stand twice in a table's buffer. One repeated point must not make queries deduplicate all
 * rows, so a few ranges are kept; where they would become many, those that are nearest to one another become one.
 */
import { REPEATED_RANGES_MAX } from "./limits.ts";

export interface RepeatedRange {
  /** Nanoseconds, both inclusive. */
  readonly timeMin: bigint;
  readonly timeMax: bigint;
}

/** `everywhere`: nothing is known. */
export type Repeated = readonly RepeatedRange[] | "everywhere";

export class RepeatedTimes {
  #ranges: Repeated = [];

  /** Ascending, apart from one another. */
  get ranges(): Repeated {
    return this.#ranges;
  }

  giveUp(): void {
    this.#ranges = "everywhere";
  }

  add(range: RepeatedRange): void {
    if (this.#ranges === "everywhere") return;
    const joined: RepeatedRange[] = [];
    for (const next of [...this.#ranges, range].sort((left, right) => (left.timeMin < right.timeMin ? -1 : 1))) {
      const last = joined.at(-1);
      if (last !== undefined && next.timeMin <= last.timeMax) joined[joined.length - 1] = union(last, next);
      else joined.push(next);
    }
    while (joined.length > REPEATED_RANGES_MAX) joinNearest(joined);
    this.#ranges = joined;
  }
}

const union = (left: RepeatedRange, right: RepeatedRange): RepeatedRange => ({ timeMin: left.timeMin, timeMax: left.timeMax > right.timeMax ? left.timeMax : right.timeMax });

function joinNearest(ranges: RepeatedRange[]): void {
  let nearest = 1;
  const gap = (at: number): bigint => (ranges[at] as RepeatedRange).timeMin - (ranges[at - 1] as RepeatedRange).timeMax;
  for (let at = 2; at < ranges.length; at++) if (gap(at) < gap(nearest)) nearest = at;
  ranges.splice(nearest - 1, 2, union(ranges[nearest - 1] as RepeatedRange, ranges[nearest] as RepeatedRange));
}
