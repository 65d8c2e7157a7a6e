import fc from "fast-check";
import { HostCallError } from "../../ports/plugin-runtime.ts";
import { describe, expect, test } from "vitest";
import { isDatabaseError } from "../../core/errors/database-error.ts";
import {
  type AbiType, type LowerContext, LiftBudget, bool, bytes, clippedString, f64, list, record, s64, string, tuple, u16, u32, u64, u8, unit,
} from "./canonical-abi.ts";
import { enumeration, option, result } from "./canonical-variants.ts";
import { flatReader } from "./contract.ts";
import { GuestMemory } from "./guest-memory.ts";

const PAGE = 65_536;

/** A memory with an allocator that only ever goes up. */
function lowerContext(): LowerContext {
  const memory = new GuestMemory(new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true }));
  let next = 1024;
  return {
    memory,
    allocate(size, align) {
      const pointer = Math.ceil(next / align) * align;
      next = pointer + size;
      return pointer;
    },
  };
}

const everything = record({
  flag: bool, small: u8, middle: u16, count: u32, big: u64, signed: s64, ratio: f64, text: string, data: bytes,
  names: list(record({ name: string, value: option(u64) })), maybe: option(string), outcome: result(tuple(u16, string), list(bytes)),
  level: enumeration("info", "warn", "error"), nothing: unit,
});

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const u64s = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const blob = fc.uint8Array({ maxLength: 40 });
const values = fc.record({
  flag: fc.boolean(), small: fc.nat(255), middle: fc.nat(65_535), count: fc.nat(0xffff_ffff), big: u64s,
  signed: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), ratio: fc.double(), text, data: blob,
  names: fc.array(fc.record({ name: text, value: fc.option(u64s, { nil: undefined }) }), { maxLength: 5 }),
  maybe: fc.option(text, { nil: undefined }),
  outcome: fc.oneof(
    fc.tuple(fc.nat(65_535), text).map((val) => ({ tag: "ok" as const, val })),
    fc.array(blob, { maxLength: 3 }).map((val) => ({ tag: "err" as const, val })),
  ),
  level: fc.constantFrom("info" as const, "warn" as const, "error" as const),
  nothing: fc.constant(undefined),
});

const liftContext = (memory: GuestMemory) => ({ memory, budget: new LiftBudget() });

describe("canonical ABI", () => {
  test("store and load give every value back", () => {
    fc.assert(
      fc.property(values, (value) => {
        const to = lowerContext();
        const pointer = to.allocate(everything.size, everything.align);
        everything.store(to, pointer, value);
        expect(everything.load(liftContext(to.memory), pointer)).toEqual(value);
      }),
      { numRuns: 200 },
    );
  });

  test("lower and lift give every flat value back", () => {
    const flatType = record({ text: string, maybe: option(string), big: s64, ttl: option(f64), list: list(bytes), level: enumeration("a", "b") });
    const flatValues = fc.record({
      text, maybe: fc.option(text, { nil: undefined }), big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      ttl: fc.option(fc.double(), { nil: undefined }), list: fc.array(blob, { maxLength: 4 }), level: fc.constantFrom("a" as const, "b" as const),
    });
    fc.assert(
      fc.property(flatValues, (value) => {
        const to = lowerContext();
        const flat: (number | bigint)[] = [];
        flatType.lower(to, value, flat);
        expect(flat).toHaveLength(flatType.flat.length);
        expect(flatType.lift(liftContext(to.memory), flatReader(flat))).toEqual(value);
      }),
      { numRuns: 100 },
    );
  });

  test("any bytes of a guest give a value, plugin.message_invalid or a refusal of their size", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: everything.size, maxLength: everything.size }), fc.boolean(), (raw, small) => {
        const to = lowerContext();
        // Small numbers make pointers and lengths that lie inside the memory.
        to.memory.write(0, small ? raw.map((byte, index) => (index % 4 < 2 ? byte : 0)) : raw);
        try {
          everything.load(liftContext(to.memory), 0);
        } catch (error) {
          if (error instanceof HostCallError) expect(error.kind).toBe("limit");
          else expect(isDatabaseError(error) && error.code).toBe("plugin.message_invalid");
        }
      }),
      { numRuns: 300 },
    );
  });

  // Layouts as in the component model's canonical ABI: sizes and alignments worked out by hand.
  test.each<[string, AbiType<never>, number, number]>([
    ["host-error", record({ kind: enumeration("a", "b"), message: string }) as AbiType<never>, 12, 4],
    ["result<list<u8>, host-error>", result(bytes, record({ kind: enumeration("a"), message: string })) as AbiType<never>, 16, 4],
    ["option<u64>", option(u64) as AbiType<never>, 16, 8],
    ["option<f64>", option(f64) as AbiType<never>, 16, 8],
    ["result<tuple<u16, string>, string>", result(tuple(u16, string), string) as AbiType<never>, 16, 4],
    ["result<_, string>", result(unit, string) as AbiType<never>, 12, 4],
  ])("%s has its size and alignment", (_name, type, size, align) => {
    expect([type.size, type.align]).toEqual([size, align]);
  });

  test("lists that claim more than the memory holds are refused before anything is allocated", () => {
    const to = lowerContext();
    const view = to.memory.view(0, 8);
    view.setUint32(0, 8, true);
    view.setUint32(4, 0xffff_ffff, true);
    for (const type of [bytes, string, list(u64)] as AbiType<unknown>[]) {
      expect(() => type.load(liftContext(to.memory), 0)).toThrow(expect.objectContaining({ code: "plugin.message_invalid" }));
    }
    // Items without size lie nowhere: only their number can be refused.
    expect(() => list(unit).load(liftContext(to.memory), 0)).toThrow(expect.objectContaining({ name: "HostCallError", kind: "limit" }));
  });

  test("one message cannot name the same bytes again and again", () => {
    const to = lowerContext();
    const size = 16 * PAGE - 8;
    const count = 1000;
    const table = to.memory.view(0, count * 8);
    for (let index = 0; index < count; index += 1) {
      table.setUint32(8 + index * 8, 0, true);
      table.setUint32(12 + index * 8, size, true);
    }
    table.setUint32(0, 8, true);
    table.setUint32(4, count, true);
    expect(() => list(bytes).load(liftContext(to.memory), 0)).toThrow(expect.objectContaining({ name: "HostCallError", kind: "limit" }));
  });

  test("a clipped string looks at its limit only, and bad UTF-8 does not hurt it", () => {
    const to = lowerContext();
    to.memory.write(16, Uint8Array.of(0x61, 0xff, 0x62, 0x63));
    const flat = flatReader([16, 4]);
    expect(clippedString(3).lift(liftContext(to.memory), flat)).toBe("a\ufffdb… (cut)");
    expect(() => string.lift(liftContext(to.memory), flatReader([16, 4]))).toThrow(expect.objectContaining({ code: "plugin.message_invalid" }));
  });

  test("an address beyond the memory from the guest's allocator is refused", () => {
    const { memory } = lowerContext();
    const to = { memory, allocate: () => 16 * PAGE - 2 };
    expect(() => string.lower(to, "longer than two bytes", [])).toThrow(expect.objectContaining({ code: "plugin.message_invalid" }));
  });
});
