// Goal: memory is used again, and never while somebody may look at what it held. Method: random copies, returns and pins
// against a model that remembers every byte.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BatchMemory, batchMemoryBytes } from "./batch-memory.ts";
import { REUSED_BYTES_MIN } from "./limits.ts";

const SIZES = [100, REUSED_BYTES_MIN, REUSED_BYTES_MIN + 1, 70_000, 70_100, 200_000];
const filled = (size: number, value: number): Uint8Array => new Uint8Array(size).fill(value);

type Step = { readonly kind: "copy"; readonly size: number } | { readonly kind: "give"; readonly at: number } | { readonly kind: "unpin"; readonly at: number } | { readonly kind: "pin" } | { readonly kind: "unused" } | { readonly kind: "release"; readonly bytes: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("copy" as const), size: fc.constantFrom(...SIZES) }) },
  { weight: 4, arbitrary: fc.oneof(fc.record({ kind: fc.constant("give" as const), at: fc.nat() }), fc.record({ kind: fc.constant("unpin" as const), at: fc.nat() })) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("pin" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("release" as const), bytes: fc.integer({ min: 0, max: 400_000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("unused" as const) }) },
);

interface Copy {
  readonly bytes: Uint8Array;
  readonly value: number;
}

describe("BatchMemory", () => {
  it("changes nothing that is in use or pinned", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const keptBytesMax = 750_000;
        const memory = new BatchMemory(keptBytesMax);
        const used: Copy[] = [];
        const pins: { readonly seen: readonly Copy[]; readonly unpin: () => void }[] = [];
        steps.forEach((what, index) => {
          if (what.kind === "copy") used.push({ bytes: memory.copy(filled(what.size, index + 1)), value: index + 1 });
          else if (what.kind === "pin") pins.push({ seen: [...used], unpin: memory.pin() });
          else if (what.kind === "release") {
            const before = memory.keptBytes;
            memory.release(what.bytes);
            expect(memory.keptBytes).toBeLessThanOrEqual(Math.max(0, before - what.bytes));
          } else if (what.kind === "unused") memory.releaseUnused();
          else if (what.kind === "unpin") for (const { unpin } of pins.splice(what.at % (pins.length + 1), 1)) unpin();
          else for (const { bytes } of used.splice(what.at % (used.length + 1), 1)) memory.giveBack(bytes);
          for (const { bytes, value } of [...used, ...pins.flatMap(({ seen }) => seen)]) {
            if (bytes[0] !== value || bytes[bytes.length - 1] !== value) throw new Error(`a copy of ${bytes.length} bytes has changed`);
          }
          expect(memory.keptBytes).toBeLessThanOrEqual(keptBytesMax);
        });
      }),
      { numRuns: 300 },
    );
  });

  it("uses the same memory for a batch of about the same size", () => {
    const memory = new BatchMemory(1e9);
    const first = memory.copy(filled(200_000, 1));
    memory.giveBack(first);
    expect([memory.keptBytes, memory.copy(filled(200_100, 2)).buffer === first.buffer, memory.keptBytes]).toEqual([batchMemoryBytes(200_000), true, 0]);
  });

  it("waits for readers that came before, not for later ones", () => {
    const memory = new BatchMemory(1e9);
    const copy = (): Uint8Array => memory.copy(filled(100_000, 1));
    const [first, second] = [copy(), copy()];
    const early = memory.pin();
    memory.giveBack(first);
    const late = memory.pin();
    memory.giveBack(second);
    expect(copy().buffer).not.toBe(first.buffer);
    early();
    early();
    expect(copy().buffer).toBe(first.buffer);
    expect(copy().buffer).not.toBe(second.buffer);
    late();
    expect(copy().buffer).toBe(second.buffer);
  });

  it("takes a sixteenth more than needed at most, and nothing more for small batches", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (size) => {
        const taken = batchMemoryBytes(size);
        expect([Number.isInteger(taken), taken >= size, taken <= (size < REUSED_BYTES_MIN ? size : size * 1.0626)]).toEqual([true, true, true]);
        expect(batchMemoryBytes(taken)).toBe(taken);
      }),
    );
  });

  it("keeps no more than its share", () => {
    const memory = new BatchMemory(300_000);
    for (const copy of Array.from({ length: 5 }, () => memory.copy(filled(100_000, 1)))) memory.giveBack(copy);
    expect(memory.keptBytes).toBe(2 * batchMemoryBytes(100_000));
  });

  it("lets go of what was not needed for a while", () => {
    const memory = new BatchMemory(1e9);
    const size = batchMemoryBytes(100_000);
    const copies = (count: number): Uint8Array[] => Array.from({ length: count }, () => memory.copy(filled(100_000, 1)));
    const give = (all: readonly Uint8Array[]): void => all.forEach((copy) => memory.giveBack(copy));
    give(copies(5));
    memory.releaseUnused();
    expect(memory.keptBytes).toBe(5 * size);
    give(copies(3));
    memory.releaseUnused();
    expect(memory.keptBytes).toBe(3 * size);
    memory.releaseUnused();
    expect(memory.keptBytes).toBe(0);
  });
});
