/** Runs work that is cut into slices without holding the thread: other tasks get their turn every few milliseconds. */
import type { Clock } from "../ports/clock.ts";

/** Work of one slice. */
const SLICE_MS = 4;

export type Drive = <T>(work: Generator<undefined, T>) => Promise<T>;

export function createDrive(clock: Pick<Clock, "monotonicMs">, yieldToEventLoop: () => Promise<void>): Drive {
  return async (work) => {
    let sliceEnd = clock.monotonicMs() + SLICE_MS;
    for (;;) {
      const step = work.next();
      if (step.done === true) return step.value;
      if (clock.monotonicMs() < sliceEnd) continue;
      await yieldToEventLoop();
      sliceEnd = clock.monotonicMs() + SLICE_MS;
    }
  };
}
