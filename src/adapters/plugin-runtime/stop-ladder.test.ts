import { expect, test } from "vitest";
import type { Clock } from "../../ports/clock.ts";
import { StopLadder } from "./stop-ladder.ts";

/** Time that moves when told to. */
class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Map<number, { at: number; action: () => void }>();
  #next = 0;

  nowNs(): bigint {
    return BigInt(this.#now) * 1_000_000n;
  }

  monotonicMs(): number {
    return this.#now;
  }

  after(delayMs: number, action: () => void): () => void {
    const id = this.#next++;
    this.#timers.set(id, { at: this.#now + delayMs, action });
    return () => void this.#timers.delete(id);
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const [id, timer] of [...this.#timers].sort((a, b) => a[1].at - b[1].at)) {
      if (timer.at > this.#now || !this.#timers.delete(id)) continue;
      timer.action();
    }
  }

  get pending(): number {
    return this.#timers.size;
  }
}

function ladder(): { clock: ManualClock; steps: string[]; ladder: StopLadder } {
  const clock = new ManualClock();
  const steps: string[] = [];
  const note = (step: string) => () => void steps.push(`${step} at ${clock.monotonicMs()}`);
  const actions = { soft: note("soft"), foresee: note("foresee"), hard: note("hard"), terminate: note("terminate") };
  return { clock, steps, ladder: new StopLadder(clock, { hardStopGraceMs: 250, terminateGraceMs: 1000 }, actions) };
}

test("a run past its time is asked, then left, then its thread is ended", () => {
  const { clock, steps, ladder: stop } = ladder();
  stop.start(5000);
  for (const ms of [4999, 1, 125, 124, 1, 999, 1]) clock.advance(ms);
  expect(steps).toEqual(["soft at 5000", "foresee at 5125", "hard at 5250", "terminate at 6250"]);
  expect(stop.reason).toBe("time-limit");
});

test("a run that ends leaves no timer behind", () => {
  const { clock, steps, ladder: stop } = ladder();
  stop.start(5000);
  clock.advance(5000);
  stop.end();
  clock.advance(10_000);
  expect(steps).toEqual(["soft at 5000"]);
  expect(clock.pending).toBe(0);
});

test("cancelling stops at once; the first reason counts and the time limit does not come on top", () => {
  const { clock, steps, ladder: stop } = ladder();
  stop.start(100);
  stop.stop("cancelled");
  stop.stop("time-limit");
  clock.advance(100);
  expect(stop.reason).toBe("cancelled");
  expect(steps).toEqual(["soft at 0"]);
  clock.advance(25);
  clock.advance(125);
  expect(steps).toEqual(["soft at 0", "foresee at 125", "hard at 250"]);
});
