/** Counts of durations by upper bound, as Prometheus has them: each bucket holds the ones below it too. */

/** Seconds. */
export const DURATION_BOUNDS: readonly number[] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export class Histogram {
  readonly #counts = new Array<number>(DURATION_BOUNDS.length).fill(0);
  #count = 0;
  #sum = 0;

  add(seconds: number): void {
    this.#count += 1;
    this.#sum += seconds;
    const bucket = DURATION_BOUNDS.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  /** Upper bound and how many are at or below it. */
  buckets(): (readonly [bound: number, count: number])[] {
    let below = 0;
    return this.#counts.map((count, index) => [DURATION_BOUNDS[index] as number, (below += count)] as const);
  }

  /** Upper bound of the bucket that this share of the durations does not pass; NaN when there are none. */
  quantile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    return this.buckets().find(([, count]) => count >= share * this.#count)?.[0] ?? Number.POSITIVE_INFINITY;
  }
}
