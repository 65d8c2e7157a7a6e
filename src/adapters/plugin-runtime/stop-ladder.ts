/**
 * When a run is to end, and how hard: first the guest is asked (soft), after a grace it is left by a throw (hard), after
 * another its thread is ended (terminate). Time is the main thread's; a run that waits counts as running.
 */
import type { Clock } from "../../ports/clock.ts";

export type StopReason = "time-limit" | "cancelled";

export interface StopActions {
  soft(): void;
  /** Half the grace has gone by: the hard stop is likely. */
  foresee(): void;
  hard(): void;
  terminate(): void;
}

export interface StopGraces {
  readonly hardStopGraceMs: number;
  readonly terminateGraceMs: number;
}

export class StopLadder {
  readonly #clock: Clock;
  readonly #graces: StopGraces;
  readonly #actions: StopActions;
  #cancelTimer: (() => void) | undefined;
  #reason: StopReason | undefined;
  #ended = false;

  constructor(clock: Clock, graces: StopGraces, actions: StopActions) {
    this.#clock = clock;
    this.#graces = graces;
    this.#actions = actions;
  }

  /** Why the run is being stopped; undefined: it is not. */
  get reason(): StopReason | undefined {
    return this.#reason;
  }

  start(wallTimeMsMax: number): void {
    if (this.#ended || this.#reason !== undefined) return;
    this.#cancelTimer = this.#clock.after(wallTimeMsMax, () => this.stop("time-limit"));
  }

  /** The first reason counts. */
  stop(reason: StopReason): void {
    if (this.#ended || this.#reason !== undefined) return;
    this.#reason = reason;
    this.#cancelTimer?.();
    const { hardStopGraceMs } = this.#graces;
    const cancelHard = this.#clock.after(hardStopGraceMs, () => this.#harden());
    const cancelForesight = this.#clock.after(hardStopGraceMs / 2, () => this.#actions.foresee());
    this.#cancelTimer = () => {
      cancelHard();
      cancelForesight();
    };
    this.#actions.soft();
  }

  end(): void {
    this.#ended = true;
    this.#cancelTimer?.();
  }

  #harden(): void {
    if (this.#ended) return;
    this.#cancelTimer = this.#clock.after(this.#graces.terminateGraceMs, () => {
      if (!this.#ended) this.#actions.terminate();
    });
    this.#actions.hard();
  }
}
