/** Runs asynchronous jobs one after another, in the order of their calls, with a bound on how many may wait. */
import type { DatabaseError } from "../core/errors/database-error.ts";

export class Serial {
  private readonly waitingMax: number;
  private readonly overflow: () => DatabaseError;
  private waiting = 0;
  private last: Promise<unknown> = Promise.resolve();

  constructor(waitingMax: number, overflow: () => DatabaseError) {
    this.waitingMax = waitingMax;
    this.overflow = overflow;
  }

  /** Rejects with `overflow` when too many wait. A failing job does not stop the next. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.waiting >= this.waitingMax) throw this.overflow();
    this.waiting++;
    const result = this.last.then(job);
    this.last = result.then(
      () => this.waiting--,
      () => this.waiting--,
    );
    return result;
  }
}
