/** Watches how long the main thread keeps its timers waiting (design §8.6). */
import { monitorEventLoopDelay } from "node:perf_hooks";

export interface EventLoopDelay {
  /** The longest delay since the last call. */
  takeMaxSeconds(): number;
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
      takeMaxSeconds() {
        const max = Number.isFinite(histogram.max) ? Math.max(0, histogram.max / NS_PER_SECOND - RESOLUTION_MS / 1000) : 0;
        histogram.reset();
        return max;
      },
      stop: () => void histogram.disable(),
    };
  } catch {
    return { takeMaxSeconds: () => 0, stop: () => undefined };
  }
}
