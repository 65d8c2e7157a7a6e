/**
 * Compressed writes of which the inflated body is held at the same time. A body of a kilobyte may become one of the largest
 * size allowed, so they are counted before they are inflated; the others wait in line, still compressed.
 */
import type { DatabaseError } from "../core/errors/database-error.ts";
import { Gate } from "../engine/gate.ts";
import type { Clock } from "../ports/clock.ts";
import { INFLATED_BODIES_MAX, INFLATIONS_WAITING_MAX, INFLATION_WAIT_MS_MAX } from "./limits.ts";

export class Inflations {
  readonly #gate: Gate;
  #running = 0;

  constructor(clock: Pick<Clock, "after">, refusal: () => DatabaseError) {
    this.#gate = new Gate({ waitingMax: INFLATIONS_WAITING_MAX, waitMs: INFLATION_WAIT_MS_MAX, clock, refusal });
  }

  /** Runs `work` when it is its turn. Throws the refusal after the longest wait. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const enter = (): true | undefined => {
      if (this.#running >= INFLATED_BODIES_MAX) return undefined;
      this.#running++;
      return true;
    };
    if (this.#gate.tryNow(enter) === undefined) await this.#gate.wait(enter);
    try {
      return await work();
    } finally {
      this.#running--;
      this.#gate.wake();
    }
  }
}
