/** A clock that stands still until a test moves it; timers fire in the order of their times. */
import type { Clock } from "../ports/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

export class VirtualClock implements Clock {
  #ms = 0;
  #order = 0;
  readonly #startNs: bigint;
  readonly #timers = new Set<Timer>();

  /** `startNs`: the Unix time, in nanoseconds, at which the clock starts. */
  constructor(startNs = 1_767_225_600_000_000_000n) {
    this.#startNs = startNs;
  }

  nowNs(): bigint {
    return this.#startNs + BigInt(Math.round(this.#ms * 1e6));
  }

  monotonicMs(): number {
    return this.#ms;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer: Timer = { atMs: this.#ms + Math.max(0, delayMs), order: this.#order++, action };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that wait. */
  get timerCount(): number {
    return this.#timers.size;
  }

  /** Moves time forward, firing what is due; `settle` lets promises run between two timers. */
  async advance(ms: number, settle: () => Promise<void> = flushPromises): Promise<void> {
    const end = this.#ms + ms;
    await settle();
    for (let timer = this.#due(end); timer !== undefined; timer = this.#due(end)) {
      this.#timers.delete(timer);
      this.#ms = Math.max(this.#ms, timer.atMs);
      timer.action();
      await settle();
    }
    this.#ms = end;
    await settle();
  }

  /** Moves time forward in one step: each timer that is due fires once, so hours of short timers cost one call. */
  async jump(ms: number, settle: () => Promise<void> = flushPromises): Promise<void> {
    this.#ms += ms;
    const due = [...this.#timers].filter((timer) => timer.atMs <= this.#ms).sort((a, b) => a.atMs - b.atMs || a.order - b.order);
    for (const timer of due) if (this.#timers.delete(timer)) timer.action();
    await settle();
  }

  #due(end: number): Timer | undefined {
    return [...this.#timers].filter((timer) => timer.atMs <= end).sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
  }
}

/** Promise chains of the code under test are shorter than this. */
const TURNS = 50;

export async function flushPromises(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
}
