import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createGuestMemory, IMAGE_PAGE_BYTES, takeMemoryImage } from "./memory-image.ts";
import { isParkedMemory, parkMemory, unparkMemory } from "./parked-memory.ts";

const PAGES = 32;

function memoryWith(bytes: readonly (readonly [page: number, at: number, value: number])[], growPages = 0): WebAssembly.Memory {
  const memory = new WebAssembly.Memory({ initial: (PAGES * IMAGE_PAGE_BYTES) / 65_536, maximum: 16, shared: true });
  memory.grow(growPages);
  for (const [page, at, value] of bytes) new Uint8Array(memory.buffer)[page * IMAGE_PAGE_BYTES + at] = value;
  return memory;
}

const touched = (pages: number): fc.Arbitrary<[number, number, number][]> => fc.array(fc.tuple(fc.nat(pages - 1), fc.nat(IMAGE_PAGE_BYTES - 1), fc.nat(255)), { maxLength: 12 });

describe("a parked memory", () => {
  test("comes back byte for byte in another memory, whatever changed since the image", () => {
    fc.assert(
      fc.property(touched(PAGES), touched(PAGES + 16), fc.nat(1), (before, after, grown) => {
        const image = takeMemoryImage(memoryWith(before));
        const memory = memoryWith(before, 1);
        for (const [page, at, value] of after) new Uint8Array(memory.buffer)[page * IMAGE_PAGE_BYTES + at] = value;
        const parked = parkMemory(memory, image);
        expect(isParkedMemory(parked, memory.buffer.byteLength)).toBe(true);
        const other = createGuestMemory(image, memory.buffer.byteLength * 2, parked.memoryBytes + grown * 65_536);
        unparkMemory(other, image, parked);
        expect(Buffer.compare(Buffer.from(other.buffer, 0, memory.buffer.byteLength), Buffer.from(memory.buffer))).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  test("holds changed pages only", () => {
    const image = takeMemoryImage(memoryWith([[1, 0, 1], [2, 5, 2]]));
    const parked = parkMemory(memoryWith([[1, 0, 1], [2, 5, 3], [7, 0, 9], [8, 0, 9]]), image);
    expect(parked.runs).toEqual([2, 1, 7, 2]);
    expect(parked.data.length).toBe(3 * IMAGE_PAGE_BYTES);
  });

  test("from a process that lies is refused", () => {
    const good = { memoryBytes: 131_072, runs: [1, 1, 4, 2], data: new Uint8Array(3 * IMAGE_PAGE_BYTES) };
    expect(isParkedMemory(good, 131_072)).toBe(true);
    for (const bad of [
      { memoryBytes: 131_071 }, { memoryBytes: 196_608 }, { runs: [1, 1, 4] }, { runs: [4, 2, 1, 1] }, { runs: [1, 1, 1, 2] }, { runs: [1, 1, 31, 2] }, { runs: [1, 0, 4, 3] },
      { runs: [-1, 1, 4, 2] }, { runs: [1, 1, 4, 1] }, { data: new Uint8Array(1) },
    ]) expect(isParkedMemory({ ...good, ...bad }, 131_072)).toBe(false);
  });
});
