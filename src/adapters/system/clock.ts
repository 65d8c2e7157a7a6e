/** The machine's clock and timers as the `Clock` port. */
import type { Clock } from "../../ports/clock.ts";

const NS_PER_MS = 1_000_000n;

export function createSystemClock(): Clock {
  // Date.now() has milliseconds; the monotonic clock fills in the rest, so that two calls in one millisecond differ.
  const startNs = BigInt(Date.now()) * NS_PER_MS;
  const startMs = performance.now();
  let last = 0n;
  return {
    nowNs() {
      const wallNs = BigInt(Date.now()) * NS_PER_MS;
      const fineNs = startNs + BigInt(Math.round((performance.now() - startMs) * 1e6));
      const drifted = fineNs < wallNs - NS_PER_MS || fineNs > wallNs + 2n * NS_PER_MS;
      const now = drifted ? wallNs : fineNs;
      if (now > last || last - now > NS_PER_MS) last = now;
      return last;
    },
    monotonicMs: () => performance.now(),
    after(delayMs, action) {
      const timer = setTimeout(action, delayMs);
      return () => clearTimeout(timer);
    },
  };
}
