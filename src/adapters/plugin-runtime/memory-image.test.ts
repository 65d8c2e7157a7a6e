import fc from "fast-check";
import { expect, test } from "vitest";
import { createGuestMemory, restoreMemoryImage, takeMemoryImage } from "./memory-image.ts";
import { WASM_PAGE_BYTES } from "./limits.ts";

const PAGES = 4;
const memoryWith = (writes: readonly (readonly [number, number])[], pages = PAGES): WebAssembly.Memory => {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 16, shared: true });
  const bytes = new Uint8Array(memory.buffer);
  for (const [at, value] of writes) bytes[at] = value;
  return memory;
};
const contents = (memory: WebAssembly.Memory): Buffer => Buffer.from(new Uint8Array(memory.buffer));
const writes = fc.array(fc.tuple(fc.nat(PAGES * WASM_PAGE_BYTES - 1), fc.nat(255)), { maxLength: 30 });

test("restoring into a fresh or a used memory gives exactly what was taken", () => {
  fc.assert(
    fc.property(writes, writes, (taken, dirt) => {
      const source = memoryWith(taken);
      const image = takeMemoryImage(source);
      const fresh = createGuestMemory(image, 16 * WASM_PAGE_BYTES);
      restoreMemoryImage(fresh, image, false);
      expect(contents(fresh).equals(contents(source))).toBe(true);
      const used = memoryWith(dirt);
      restoreMemoryImage(used, image, true);
      expect(contents(used).equals(contents(source))).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test("what lies past the image in a grown memory becomes zero", () => {
  const image = takeMemoryImage(memoryWith([[5, 7]]));
  const grown = memoryWith([[5, 1], [PAGES * WASM_PAGE_BYTES + 9, 3]], PAGES + 2);
  restoreMemoryImage(grown, image, true);
  const bytes = contents(grown);
  expect(bytes[5]).toBe(7);
  expect(bytes.subarray(6).every((byte) => byte === 0)).toBe(true);
});

test("an image holds touched 4 KiB pages only", () => {
  expect(takeMemoryImage(memoryWith([])).data.byteLength).toBe(0);
  expect(takeMemoryImage(memoryWith([[4096, 1], [8191, 1], [20_480, 1]])).data.byteLength).toBe(2 * 4096);
});

test("a memory smaller than the image is an error of ours", () => {
  const image = takeMemoryImage(memoryWith([]));
  expect(() => restoreMemoryImage(memoryWith([], 1), image, true)).toThrow(expect.objectContaining({ code: "internal.invariant" }));
});
