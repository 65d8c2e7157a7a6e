/**
 * The guest that takes over when a run has to be ended by force. It is made ready on another executor while that run has
 * its grace: image restored, interpreter resumed and run in. So the trigger is usable again as soon as the run is over,
 * and not after all that.
 */
import type { Clock } from "../../ports/clock.ts";
import { REPLY, STOP } from "./control-block.ts";
import type { InstanceSettings } from "./contract.ts";
import type { Executor, ExecutorClient } from "./executor.ts";
import type { ExecutorJob, ExecutorPool } from "./executor-pool.ts";
import type { GuestLife } from "./guest-life.ts";
import { PREPARE_MS_MAX } from "./limits.ts";

export interface SuccessorParts {
  readonly pool: Pick<ExecutorPool, "release" | "withdraw" | "forget" | "discard">;
  readonly clock: Pick<Clock, "after">;
  readonly life: GuestLife;
  readonly settings: InstanceSettings;
  readonly owner: string;
}

export class Successor implements ExecutorJob, ExecutorClient {
  readonly key: number;
  readonly owner: string;
  readonly #parts: SuccessorParts;
  #executor: Executor | undefined;
  #cancelTimer: () => void = () => undefined;
  #state: "waiting" | "preparing" | "ready" | "gone" = "waiting";
  #settle: () => void = () => undefined;
  /** Resolves when it is ready or gone. */
  readonly settled: Promise<void> = new Promise((resolve) => (this.#settle = resolve));

  constructor(parts: SuccessorParts) {
    this.#parts = parts;
    this.key = parts.life.key;
    this.owner = parts.owner;
  }

  begin(executor: Executor): void {
    const { life, settings, pool, clock } = this.#parts;
    this.#executor = executor;
    this.#state = "preparing";
    this.#cancelTimer = clock.after(PREPARE_MS_MAX, () => {
      this.#become("gone");
      void pool.discard(executor);
    });
    executor.mailbox.setStop(STOP.none);
    executor.serve(this);
    executor.prepare(settings, life);
  }

  refuse(): void {
    this.#become("gone");
  }

  /** The guest itself asks for nothing; what it asks all the same must not keep it waiting. */
  onRing(): void {
    if (this.#executor?.mailbox.take() !== undefined) this.#executor.mailbox.reply(REPLY.none);
  }

  /** Nothing was run: the executor is broken. */
  onDone(): void {
    this.onPrepared(false);
  }

  onPrepared(ready: boolean): void {
    const { pool, life } = this.#parts;
    this.#cancelTimer();
    if (ready && this.#state === "preparing") {
      life.reset = "none";
      this.#become("ready");
    } else {
      this.#become("gone");
      pool.forget(this.key);
    }
    if (this.#executor !== undefined) pool.release(this.#executor);
  }

  onLost(): void {
    this.#cancelTimer();
    this.#become("gone");
  }

  /** Ready, or so soon that nothing else would be ready sooner. */
  get isComing(): boolean {
    return this.#state === "preparing" || this.#state === "ready";
  }

  /** Undefined: it is not ready, and nothing is left of it. From now on the guest is the caller's. */
  take(): GuestLife | undefined {
    if (this.#state !== "ready") {
      this.drop();
      return undefined;
    }
    this.#state = "gone";
    return this.#parts.life;
  }

  /** It is not needed. */
  drop(): void {
    if (this.#state === "gone") return;
    const { pool } = this.#parts;
    if (this.#state === "ready") pool.forget(this.key);
    else if (this.#state === "waiting") pool.withdraw(this);
    this.#become("gone");
  }

  #become(state: "ready" | "gone"): void {
    this.#state = state;
    this.#settle();
  }
}
