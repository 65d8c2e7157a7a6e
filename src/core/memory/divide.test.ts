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
    // 432 MiB are left after process and kernels: a twelfth, a tenth, 7/25, a fifth, a twentieth, two times a 32nd, a twentieth.
    expect(divideMemory(limit, {})).toEqual({
      process: 256 * MIB, kernels: 32 * MIB, wal_ring: 36 * MIB, bodies: Math.floor((43.2 * MIB) / 8) * 8, buffer: Math.floor((120.96 * MIB) / 8) * 8, queries: Math.floor((86.4 * MIB) / 8) * 8,
      merges: Math.floor((21.6 * MIB) / 8) * 8, trigger_feed: 13.5 * MIB, value_caches: 13.5 * MIB, column_cache: Math.floor((21.6 * MIB) / 8) * 8, plugins: expect.any(Number),
    });
    expect(divideMemory(limit, {}).plugins).toBeGreaterThan(74 * MIB);
  });

  it("names the flag of the part that is too large", () => {
    expect(() => divideMemory(720 * MIB, { buffer: 600 * MIB })).toThrow(/take 1\d{3} MiB together, and the memory limit is 720 MiB: process 256 MiB, .*buffer 600 MiB \(--buffer-size\)/);
    expect(() => divideMemory(MEMORY_BYTES_MIN, {})).not.toThrow();
    expect(() => divideMemory(300 * MIB, {})).toThrow("the memory limit is 300 MiB");
  });
});
