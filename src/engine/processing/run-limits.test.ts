// Goal: what a plugin can make the engine keep is bounded. Expectations: design §8.17 and limits.ts.
import { describe, expect, it } from "vitest";
import { DatabaseError } from "../../core/errors/database-error.ts";
import { HostCallError } from "../../ports/plugin-runtime.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { type CacheOwner, GlobalCache } from "./global-cache.ts";
import { CACHE_ENTRY_BYTES } from "./limits.ts";
import { guestText } from "./plugin-host.ts";
import { RunMeter } from "./run-limits.ts";

const owner = (key: string, bytesMax = Number.POSITIVE_INFINITY): CacheOwner => ({ key, bytesMax });
const LIMIT = expect.objectContaining({ name: "HostCallError", kind: "limit" });

describe("a run's meter", () => {
  const limits = { runLogLinesMax: 2, runLogBytesMax: 100, runWriteBytesMax: 10, runWritesMax: 1, runQueriesMax: 1, cacheBytesMax: 7, responseBytesMax: 8, runConnectionsMax: 1, runNetworkBytesMax: 5 };

  it("refuses what goes beyond each limit and tells it once", () => {
    const met: string[] = [];
    const meter = new RunMeter(limits, (text) => met.push(text));
    meter.log("a");
    meter.log("b");
    meter.writeSync("0123456789");
    meter.query();
    meter.connection();
    meter.moved(3);
    expect(meter.networkRoom()).toBe(2);
    meter.moved(2);
    for (let again = 0; again < 3; again += 1) {
      expect(() => meter.log("c")).toThrow(LIMIT);
      expect(() => meter.write("1")).toThrow(LIMIT);
      expect(() => meter.writeSync("")).toThrow(LIMIT);
      expect(() => meter.query()).toThrow(LIMIT);
      expect(() => meter.connection()).toThrow(LIMIT);
      expect(() => meter.networkRoom()).toThrow(LIMIT);
      expect(() => meter.moved(1)).toThrow(LIMIT);
    }
    expect(met).toEqual(["one run logs at most 2 lines", "one run writes at most 10 bytes", "one run makes at most 1 synchronous writes", "one run makes at most 1 queries", "one run opens at most 1 connections", "one run sends and receives at most 5 bytes over the network"]);
  });
});

describe("the global cache", () => {
  it("counts an entry's own cost, so that empty values are not free", () => {
    const cache = new GlobalCache(new VirtualClock(), 20 * CACHE_ENTRY_BYTES);
    const fill = (): void => {
      for (let index = 0; index < 100; index += 1) cache.put(String(index), new Uint8Array(), undefined, owner("one"));
    };
    expect(fill).toThrow(LIMIT);
    expect(cache.bytes).toBeLessThanOrEqual(10 * CACHE_ENTRY_BYTES);
  });

  it("leaves half of it to the other triggers, and keeps the old value of a key that cannot be replaced", () => {
    const cache = new GlobalCache(new VirtualClock(), 10_000);
    cache.put("kept", Uint8Array.of(7), undefined, owner("one"));
    expect(() => cache.put("kept", new Uint8Array(6_000), undefined, owner("one"))).toThrow(LIMIT);
    expect(cache.get("kept")).toEqual(Uint8Array.of(7));
    cache.put("large", new Uint8Array(4_000), undefined, owner("one"));
    expect(() => cache.put("more", new Uint8Array(2_000), undefined, owner("one"))).toThrow(HostCallError);
    cache.put("other", new Uint8Array(4_000), undefined, owner("two"));
  });

  it("gives a trigger no more than its own limit", () => {
    const cache = new GlobalCache(new VirtualClock(), 1_000_000);
    cache.put("a", new Uint8Array(500), undefined, owner("one", 1_000));
    expect(() => cache.put("b", new Uint8Array(500), undefined, owner("one", 1_000))).toThrow(LIMIT);
    cache.put("b", new Uint8Array(500), undefined, owner("two", 1_000));
  });
});

describe("a failure's text", () => {
  it("reaches the plugin only when it is the caller's affair", () => {
    const logged: unknown[] = [];
    const log = { log: (...entry: unknown[]) => void logged.push(entry) };
    expect(guestText(new DatabaseError("write.rejected", { message: "bad line" }), log)).toBe("bad line");
    expect(guestText(new DatabaseError("wal.write_failed", { message: "ENOSPC /srv/data/wal" }), log)).toBe("internal error of the server");
    expect(guestText(new TypeError("at /srv/app/storage.js"), log)).toBe("internal error of the server");
    expect(logged).toHaveLength(2);
  });
});
