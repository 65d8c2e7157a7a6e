/**
 * Turns of the event loop for long work in slices. However many callers wait, one goes on per turn: with a `setImmediate`
 * each, all their slices would run back to back and hold the thread for the sum (design §8.6).
 */
export function createTurns(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  const next = (): void => {
    waiting.shift()?.();
    if (waiting.length > 0) setImmediate(next);
  };
  return () =>
    new Promise((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(next);
    });
}
