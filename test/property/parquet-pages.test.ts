// Goal: the kernel gives the same bytes as the TypeScript encoder for every page, and what is compressed reads back.
import fc from "fast-check";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import { beforeAll, describe, expect, it } from "vitest";
import { kernelPages } from "../../src/core/parquet/kernel-pages.ts";
import { type PageEncoder, scriptPages } from "../../src/core/parquet/page-encoder.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { parquetKernelMaker } from "../support/kernel.ts";

let kernel: PageEncoder;
beforeAll(async () => {
  kernel = kernelPages((await parquetKernelMaker())());
});

/** Runs, few values and noise in one column: what decides between dictionary, runs, packing and plain values. */
function column(seed: number, rows: number, distinct: number, stickiness: number): number[] {
  const random = seededRandom(seed);
  const values: number[] = [];
  for (let row = 0; row < rows; row++) values.push(row > 0 && random() < stickiness ? (values[row - 1] as number) : Math.floor(random() * distinct));
  return values;
}

const shape = fc.record({
  seed: fc.nat(), rows: fc.oneof(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 9_000 })),
  distinct: fc.constantFrom(1, 2, 3, 9, 255, 300, 4_000, 2 ** 31), stickiness: fc.constantFrom(0, 0.5, 0.9, 0.99),
});
const special = fc.constantFrom(Number.NaN, 0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 1.7976931348623157e308, 0.1);
const plain = (bytes: Uint8Array): number[] => [...bytes];

/** Copies, since the next call may overwrite what was returned. */
function allOf(encoder: PageEncoder, type: "float64" | "int64" | "uint64", words: Uint32Array): unknown {
  const { encoding, data, dictionary, bounds } = encoder.numbers(type, words);
  return [encoding, plain(data), dictionary === undefined ? undefined : [dictionary.count, plain(dictionary.data)], bounds === undefined ? undefined : [plain(bounds.min), plain(bounds.max)]];
}

describe("Parquet pages by the kernel and by TypeScript", () => {
  it("hold the same numbers", () => {
    fc.assert(
      fc.property(shape, fc.constantFrom("float64", "int64", "uint64"), fc.array(special, { maxLength: 6 }), ({ seed, rows, distinct, stickiness }, type, specials) => {
        const values = column(seed, rows, distinct, stickiness);
        const floats = Float64Array.from(values, (value, row) => specials[row] ?? value / 3);
        const integers = BigUint64Array.from(values, (value, row) => BigInt(value) * 0x9e3779b97f4a7c15n * BigInt(row % 3));
        const words = new Uint32Array(type === "float64" ? floats.buffer : integers.buffer);
        expect(allOf(kernel, type, words)).toEqual(allOf(scriptPages, type, words));
      }),
      { numRuns: 150 },
    );
  });

  it("hold the same codes and levels", () => {
    fc.assert(
      fc.property(shape, ({ seed, rows, distinct, stickiness }) => {
        const values = column(seed, rows, distinct, stickiness);
        const encode = (encoder: PageEncoder): unknown => {
          const { data, used } = encoder.codes(Uint32Array.from(values));
          const codes = [plain(data), [...used]];
          return [codes, plain(encoder.levels(Uint8Array.from(values, (value) => value & 1)))];
        };
        expect(encode(kernel)).toEqual(encode(scriptPages));
      }),
      { numRuns: 150 },
    );
  });

  it("compress to the same bytes, which another implementation reads", () => {
    fc.assert(
      fc.property(shape, fc.uint8Array({ maxLength: 300 }), ({ seed, rows, distinct, stickiness }, noise) => {
        const source = Uint8Array.from([...column(seed, rows, Math.min(distinct, 256), stickiness), ...noise, ...noise]);
        const compressed = kernel.compress(source).slice();
        expect(plain(compressed)).toEqual(plain(scriptPages.compress(source)));
        const read = new Uint8Array(source.length);
        snappyUncompress(compressed, read);
        expect(plain(read)).toEqual(plain(source));
      }),
      { numRuns: 150 },
    );
  });

  it("are the same where they fill the kernel's memory and where they are too large for it", () => {
    const random = seededRandom(7);
    for (const rows of [65_536, 65_537]) {
      const words = Uint32Array.from({ length: rows * 2 }, () => random() * 2 ** 32);
      expect(Buffer.compare(kernel.numbers("int64", words).data, scriptPages.numbers("int64", words).data)).toBe(0);
      const codes = words.subarray(0, rows);
      expect(Buffer.compare(kernel.codes(codes).data, scriptPages.codes(codes).data)).toBe(0);
      const levels = Uint8Array.from(codes, (code) => code & 1);
      expect(Buffer.compare(kernel.levels(levels), scriptPages.levels(levels))).toBe(0);
    }
    for (const size of [0, 1_048_576, 1_048_577]) {
      const source = Uint8Array.from({ length: size }, (_, at) => (at % 3 === 0 ? random() * 256 : 7));
      expect(Buffer.compare(kernel.compress(source), scriptPages.compress(source))).toBe(0);
    }
  });
});
