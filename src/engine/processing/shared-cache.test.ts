// Goal: overlapping runs share their private cache by key, last writer wins, within its limit (design §8.10). Method: real
// encoding on both sides; an instance is played by its decoded updates.
import { describe, expect, it } from "vitest";
import { type CacheChange, decodeCacheChanges, encodeCacheChanges } from "../../core/trigger/cache-changes.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { SharedCache } from "./shared-cache.ts";

const utf8 = new TextEncoder();
const change = (key: string, value: string | undefined, more: Partial<CacheChange> = {}): CacheChange => ({
  key: utf8.encode(key), kind: value === undefined ? "deleted" : "value", secondsLeft: undefined, value: utf8.encode(value ?? ""), ...more,
});
const told = (bytes: Uint8Array): string[] => decodeCacheChanges(bytes).map(({ key, kind, value, secondsLeft }) => `${new TextDecoder().decode(key)} ${kind} ${new TextDecoder().decode(value)}${secondsLeft === undefined ? "" : ` ${secondsLeft}`}`.trim());

function open(bytesMax = 100_000): { cache: SharedCache; clock: VirtualClock; told: string[] } {
  const clock = new VirtualClock();
  const notShared: string[] = [];
  return { cache: new SharedCache({ clock, bytesMax, onNotShared: (key, reason) => notShared.push(`${key}: ${reason}`) }), clock, told: notShared };
}

describe("the shared private cache", () => {
  it("tells each instance what the others changed since its last run, once", () => {
    const { cache } = open();
    const [one, two] = [cache.join(), cache.join()];
    cache.merge(one, encodeCacheChanges([change("a", "1"), change("b", "2")]));
    expect(told(cache.updatesFor(one))).toEqual([]);
    expect(told(cache.updatesFor(two))).toEqual(["a value 1", "b value 2"]);
    expect(told(cache.updatesFor(two))).toEqual([]);
    cache.merge(two, encodeCacheChanges([change("a", "3"), change("b", undefined)]));
    expect(told(cache.updatesFor(one)).sort()).toEqual(["a value 3", "b deleted"]);
    const three = cache.join();
    expect(told(cache.updatesFor(three))).toEqual(["a value 3"]);
  });

  it("the last writer of a key wins, also over a run that began earlier", () => {
    const { cache } = open();
    const [one, two] = [cache.join(), cache.join()];
    cache.updatesFor(one);
    cache.updatesFor(two);
    cache.merge(two, encodeCacheChanges([change("a", "two")]));
    cache.merge(one, encodeCacheChanges([change("a", "one")]));
    expect(told(cache.updatesFor(two))).toEqual(["a value one"]);
    expect(told(cache.updatesFor(one))).toEqual([]);
  });

  it("says once what cannot be shared, and that the others do not have it", () => {
    const { cache, told: notShared } = open();
    const [one, two] = [cache.join(), cache.join()];
    for (let round = 0; round < 3; round += 1) cache.merge(one, encodeCacheChanges([change("lock", undefined, { kind: "not-data" })]));
    expect(told(cache.updatesFor(two))).toEqual(["lock not-data"]);
    expect(notShared).toEqual(["lock: its value is no plain data"]);
  });

  it("counts time to live on, and lets what ended go", async () => {
    const { cache, clock } = open();
    const [one, two] = [cache.join(), cache.join()];
    cache.merge(one, encodeCacheChanges([change("short", "1", { secondsLeft: 2 }), change("long", "2", { secondsLeft: 10 })]));
    await clock.advance(4_000);
    expect(told(cache.updatesFor(two))).toEqual(["short deleted", "long value 2 6"]);
  });

  it("is bounded: what does not fit stays with its instance", () => {
    const { cache, told: notShared } = open(10_000);
    const [one, two] = [cache.join(), cache.join()];
    cache.merge(one, encodeCacheChanges([change("fits", "x".repeat(5_000)), change("large", "x".repeat(6_000))]));
    expect(cache.bytes).toBeLessThanOrEqual(10_000);
    expect(told(cache.updatesFor(two)).map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual(["fits value", "large not-data"]);
    expect(notShared[0]).toContain("large");
  });

  it("gives an instance that was reset its data back", () => {
    const { cache } = open();
    const one = cache.join();
    cache.merge(one, encodeCacheChanges([change("a", "1")]));
    cache.reset(one);
    expect(told(cache.updatesFor(one))).toEqual(["a value 1"]);
  });

  it("refuses damaged bytes of a guest", () => {
    const { cache } = open();
    const good = encodeCacheChanges([change("key", "value")]);
    for (let size = 1; size < good.length; size += 1) expect(() => cache.merge(cache.join(), good.subarray(0, size))).toThrow("damaged");
    expect(() => cache.merge(cache.join(), Uint8Array.from(good, (byte, at) => (at === 7 ? 9 : byte)))).toThrow("damaged");
  });
});
