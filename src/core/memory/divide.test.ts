import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultMemoryLimit, divideMemory, MEMORY_BYTES_MIN, MEMORY_PARTS } from "./divide.ts";

const MIB = 1_048_576;

describe("divideMemory()", () => {
  it("never gives out more than the limit, whatever is fixed, or says what takes it", () => {
    const size = fc.integer({ min: 1, max: 4_000 }).map((mib) => mib * MIB);
    fc.assert(
      fc.property(size, fc.record({ wal_ring: size, buffer: size, queries: size, plugins: size }, { requiredKeys: [] }), (limit, fixed) => {
        try {
          const parts = divideMemory(limit, fixed);
          expect(MEMORY_PARTS.reduce((sum, part) => sum + parts[part], 0)).toBeLessThanOrEqual(limit);
          for (const [part, bytes] of Object.entries(fixed)) expect(parts[part as "buffer"]).toBe(bytes);
          expect(parts.wal_ring % 8).toBe(0);
        } catch (error) {
          expect(error).toMatchObject({ code: "server.misconfigured", message: expect.stringContaining("The parts of the memory take") });
        }
      }),
    );
  });

  it("fits a machine with 1 GB without any flag", () => {
    const limit = defaultMemoryLimit(960 * MIB);
    expect(limit).toBe(720 * MIB);
    // 304 MiB are left after process and kernels: a twelfth, at least 40, 27 %, a fifth, at least 16, two times a 32nd, a twentieth.
    const words = (mib: number): number => Math.floor((mib * MIB) / 8) * 8;
    expect(divideMemory(limit, {})).toEqual({
      process: 384 * MIB, kernels: 32 * MIB, wal_ring: words(304 / 12), bodies: 40 * MIB, buffer: words(82.08), queries: words(60.8), merges: 16 * MIB,
      trigger_feed: 9.5 * MIB, value_caches: 9.5 * MIB, column_cache: words(15.2), plugins: expect.any(Number),
    });
    expect(divideMemory(limit, {}).plugins).toBeGreaterThan(45 * MIB);
  });

  it("names the flag of the part that is too large", () => {
    expect(() => divideMemory(720 * MIB, { buffer: 600 * MIB })).toThrow(/take 1\d{3} MiB together, and the memory limit is 720 MiB: process 384 MiB, .*buffer 600 MiB \(--buffer-size\)/);
    expect(() => divideMemory(MEMORY_BYTES_MIN, {})).not.toThrow();
    expect(() => divideMemory(300 * MIB, {})).toThrow("the memory limit is 300 MiB");
  });
});
