/** How many actions run at once; the others wait in line, and the line is bounded. */
import { DatabaseError } from "../../core/errors/database-error.ts";
import { WAITING_MAX } from "./limits.ts";

export class Slots {
  #free: number;
  readonly #line: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Throws `object_store.unavailable` when too many wait. */
  async use<T>(action: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await this.#wait();
    try {
      return await action();
    } finally {
      const next = this.#line.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #wait(): Promise<void> {
    if (this.#line.length >= WAITING_MAX) {
      throw new DatabaseError("object_store.unavailable", {
        message: `More than ${WAITING_MAX} requests to the object store are waiting`,
        hint: "try again later, or raise --object-store-connection-limit",
      });
    }
    return new Promise((resolve) => void this.#line.push(resolve));
  }
}
