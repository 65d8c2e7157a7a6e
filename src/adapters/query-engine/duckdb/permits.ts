/** Places for running queries, given in order of arrival; the line is bounded. */
import { DatabaseError } from "../../../core/errors/database-error.ts";

interface Waiter {
  readonly grant: () => void;
  readonly refuse: (error: DatabaseError) => void;
}

export class Permits {
  readonly #size: number;
  readonly #waitingMax: number;
  readonly #waiters: Waiter[] = [];
  #taken = 0;

  constructor(size: number, waitingMax: number) {
    this.#size = size;
    this.#waitingMax = waitingMax;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** Resolves with a function that gives the place back (once). Aborting leaves the line with `stopped()`. */
  acquire(signal: AbortSignal, stopped: () => DatabaseError): Promise<() => void> {
    if (this.#taken < this.#size) {
      this.#taken++;
      return Promise.resolve(this.#releaser());
    }
    if (this.#waiters.length >= this.#waitingMax) {
      return Promise.reject(
        new DatabaseError("query.concurrency_limit", {
          message: `Too many queries: ${this.#size} run and ${this.#waitingMax} wait`,
          hint: "try again later, or raise --max-concurrent-queries",
        }),
      );
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const index = this.#waiters.indexOf(waiter);
        if (index >= 0) this.#waiters.splice(index, 1);
        reject(stopped());
      };
      const waiter: Waiter = {
        grant: () => {
          signal.removeEventListener("abort", leave);
          resolve(this.#releaser());
        },
        refuse: reject,
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiters.push(waiter);
    });
  }

  /** Sends everyone in the line away. */
  refuseWaiting(error: DatabaseError): void {
    for (const waiter of this.#waiters.splice(0)) waiter.refuse(error);
  }

  #releaser(): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const next = this.#waiters.shift();
      if (next === undefined) this.#taken--;
      else next.grant();
    };
  }
}
