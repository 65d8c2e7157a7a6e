/** Callers that wait for something scarce, first come first served, bounded in number and time. */
import type { DatabaseError } from "../core/errors/database-error.ts";
import type { Clock } from "../ports/clock.ts";

export interface GateOptions {
  readonly waitingMax: number;
  readonly waitMs: number;
  readonly clock: Pick<Clock, "after">;
  /** Why a caller is sent away. */
  readonly refusal: () => DatabaseError;
}

interface Waiting<T> {
  readonly attempt: () => T | undefined;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
  readonly cancelTimer: () => void;
}

export class Gate {
  readonly #options: GateOptions;
  readonly #queue: Waiting<unknown>[] = [];

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get waitingCount(): number {
    return this.#queue.length;
  }

  /** The result of `attempt` at once when nobody waits and it has one; else undefined (then call `wait`). */
  tryNow<T>(attempt: () => T | undefined): T | undefined {
    return this.#queue.length === 0 ? attempt() : undefined;
  }

  /** Resolves to what `attempt` gives, once it gives something, in the order of the calls. */
  wait<T>(attempt: () => T | undefined): Promise<T> {
    const { waitingMax, waitMs, clock, refusal } = this.#options;
    if (this.#queue.length >= waitingMax) return Promise.reject(refusal());
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting<T> = {
        attempt,
        resolve,
        reject,
        cancelTimer: clock.after(waitMs, () => {
          const index = this.#queue.indexOf(waiting as Waiting<unknown>);
          if (index < 0) return;
          this.#queue.splice(index, 1);
          reject(refusal());
          // The one behind may fit where this one did not.
          this.wake();
        }),
      };
      this.#queue.push(waiting as Waiting<unknown>);
    });
  }

  /** Something became free: lets in as many as succeed now. */
  wake(): void {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      let value: unknown;
      try {
        value = first.attempt();
        if (value === undefined) return;
        first.resolve(value);
      } catch (error) {
        first.reject(error as Error);
      }
      first.cancelTimer();
      this.#queue.shift();
    }
  }

  /** Sends everybody away. */
  close(error: DatabaseError): void {
    for (const waiting of this.#queue.splice(0)) {
      waiting.cancelTimer();
      waiting.reject(error);
    }
  }
}
