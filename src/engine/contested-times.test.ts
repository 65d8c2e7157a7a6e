// Goal: a time that two sources share always lies in a window; files that follow one another make none.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CONTESTED_WINDOWS_MAX } from "./query-limits.ts";
import { contestedTimes, isContested, type TimeRange } from "./contested-times.ts";

const NOW = 1_700_000_000_000_000_000n;
const range = fc
  .tuple(fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: NOW, max: NOW + 20_000n })), fc.bigInt({ min: 0n, max: 9_000n }))
  .map(([timeMin, length]): TimeRange => ({ timeMin, timeMax: timeMin + length > 2n ** 63n - 1n ? 2n ** 63n - 1n : timeMin + length }));

const shared = (left: TimeRange, right: TimeRange): bigint[] => {
  const from = left.timeMin > right.timeMin ? left.timeMin : right.timeMin;
  const to = left.timeMax < right.timeMax ? left.timeMax : right.timeMax;
  return from > to ? [] : [from, to, (from + to) / 2n];
};

describe("contestedTimes()", () => {
  it("covers every time that two sources share", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 50 }), fc.array(range, { maxLength: 20 }), fc.oneof(fc.constant("everywhere" as const), fc.array(range, { maxLength: 60 })), (files, batches, repeated) => {
        const windows = contestedTimes(files, batches, repeated);
        const covered = (time: bigint): boolean => windows.some(({ timeMin, timeMax }) => time >= timeMin && time <= timeMax);
        for (const [index, file] of files.entries()) {
          for (const other of [...files.slice(index + 1), ...batches]) {
            expect(shared(file, other).every(covered)).toBe(true);
            if (shared(file, other).length > 0) expect(isContested(file, windows) && isContested(other, windows)).toBe(true);
          }
        }
        for (const batch of repeated === "everywhere" ? batches : repeated) expect(covered(batch.timeMin) && covered(batch.timeMax)).toBe(true);
        expect(windows.length).toBeLessThanOrEqual(CONTESTED_WINDOWS_MAX);
        windows.slice(1).forEach((window, index) => expect(window.timeMin > (windows[index]?.timeMax ?? 0n)).toBe(true));
      }),
      { numRuns: 500 },
    );
  });

  it("makes no window for files and batches that follow one another, and a narrow one at a shared edge", () => {
    const hour = 3_600_000_000_000n;
    const files = Array.from({ length: 10 }, (_, index) => ({ timeMin: NOW + BigInt(index) * hour, timeMax: NOW + BigInt(index + 1) * hour - 1_000_000n }));
    const batch = { timeMin: NOW + 10n * hour, timeMax: NOW + 11n * hour };
    expect(contestedTimes(files, [batch], [])).toEqual([]);
    const early = { ...batch, timeMin: NOW + 10n * hour - 2_000_000n };
    const [window, ...others] = contestedTimes(files, [early], []);
    expect(others).toEqual([]);
    expect((window?.timeMax ?? 0n) - (window?.timeMin ?? 0n)).toBeLessThan(1_010_000n);
    expect(files.filter((file) => isContested(file, window === undefined ? [] : [window]))).toHaveLength(1);
  });
});
