/** Watches how long the main thread keeps its timers waiting (design §8.6). */
import { monitorEventLoopDelay } from "node:perf_hooks";

export interface EventLoopDelay {
  /** The longest delay since the last call, and the one that a hundredth of the samples (one each 10 ms) pass. */
  takeSeconds(): { readonly max: number; readonly p99: number };
  stop(): void;
}

const RESOLUTION_MS = 10;
const NS_PER_SECOND = 1e9;

/** Bun and Deno may lack the histogram; the delay is then reported as 0. */
export function watchEventLoopDelay(): EventLoopDelay {
  try {
    const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    histogram.enable();
    return {
      takeSeconds() {
        const delay = (ns: number): number => (Number.isFinite(ns) ? Math.max(0, ns / NS_PER_SECOND - RESOLUTION_MS / 1000) : 0);
        const taken = { max: delay(histogram.max), p99: delay(histogram.percentile(99)) };
        histogram.reset();
        return taken;
      },
      stop: () => void histogram.disable(),
    };
  } catch {
    return { takeSeconds: () => ({ max: 0, p99: 0 }), stop: () => undefined };
  }
}
