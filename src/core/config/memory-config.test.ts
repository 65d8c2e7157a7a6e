import { expect, it } from "vitest";
import { parseMemoryConfig, resolveMemory } from "./memory-config.ts";

const MIB = 1_048_576;
const resolve = (flags: Readonly<Record<string, string>>, machineMib = 960): ReturnType<typeof resolveMemory> =>
  resolveMemory(parseMemoryConfig({ text: (name) => flags[name], list: () => [], isSet: (name) => name in flags, count: () => 0 }), machineMib * MIB);

it("takes bytes and parts of the machine, bare numbers as megabytes", () => {
  expect(resolve({}).limitBytes).toBe(720 * MIB);
  expect(resolve({}, 64_000).limitBytes).toBe(2_048 * MIB);
  expect(resolve({ "memory-limit": "800" }).limitBytes).toBe(800 * MIB);
  expect(resolve({ "memory-limit": "90%" }).limitBytes).toBe(864 * MIB);
  expect(resolve({ "buffer-size": "64mb", "exec-mem-pool-bytes": "5%" }).parts).toMatchObject({ buffer: 64 * MIB, queries: 48 * MIB });
  expect(resolve({ "force-snapshot-mem-threshold": "90mb" }).parts.buffer).toBe(90 * MIB);
  expect(resolve({ "force-snapshot-mem-threshold": "90mb", "buffer-size": "50mb" }).parts.buffer).toBe(50 * MIB);
});

it("cuts the ring to whole words, and refuses one that no record could fit", () => {
  expect(resolve({ "wal-ring-size": "2000001b" }).parts.wal_ring).toBe(2_000_000);
  expect(() => resolve({ "wal-ring-size": "1000b" })).toThrow("The WAL ring of 1000 bytes is too small");
});

it("refuses what is no size, and parts that do not fit, naming them", () => {
  for (const text of ["0", "x", "101%", "0%", "-1mb"]) expect(() => resolve({ "memory-limit": text })).toThrow(`"${text}" is not a size for --memory-limit`);
  expect(() => resolve({ "buffer-size": "700mb" })).toThrow("buffer 700 MiB (--buffer-size)");
});
