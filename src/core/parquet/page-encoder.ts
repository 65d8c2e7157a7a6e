/**
 * The inner loops of Parquet pages. This one is TypeScript: oracle of the WebAssembly kernel (`kernel-pages.ts`) and its
 * stand-in; both give the same bytes. Results may be views that the next call overwrites.
 */
import { ByteWriter } from "../bytes/byte-writer.ts";
import { wordDictionary } from "./dictionary.ts";
import { bitWidth, encodeHybrid } from "./hybrid.ts";
import { snappyCompress } from "./snappy.ts";
import { type Bounds, floatBounds, integerBounds } from "./statistics.ts";

/** Encodings by their numbers in the format. */
export const ENCODING = { plain: 0, rle: 3, dictionary: 8, byteStreamSplit: 9 } as const;

export type NumberType = "int64" | "uint64" | "float64" | "time";

export interface EncodedNumbers {
  readonly encoding: number;
  readonly data: Uint8Array;
  /** Plain values, when `data` holds their codes. */
  readonly dictionary: { readonly data: Uint8Array; readonly count: number } | undefined;
  readonly bounds: Bounds | undefined;
}

export interface EncodedCodes {
  /** Dense codes: their width, then the hybrid. */
  readonly data: Uint8Array;
  /** The given codes, each once, in the order of their first use. */
  readonly used: Uint32Array;
}

export interface PageEncoder {
  /** 64-bit values as pairs of words, at most a row group of them. */
  numbers(type: NumberType, words: Uint32Array): EncodedNumbers;
  codes(codes: Uint32Array): EncodedCodes;
  /** Definition levels of bytes that are 0 or 1. */
  levels(valid: Uint8Array): Uint8Array;
  /** Snappy. */
  compress(source: Uint8Array): Uint8Array;
}

export const scriptPages: PageEncoder = {
  numbers(type, words) {
    const bounds = type === "float64" ? floatBounds(new Float64Array(words.buffer, words.byteOffset, words.length >> 1)) : integerBounds(words, type !== "uint64");
    const dictionary = wordDictionary(words);
    if (dictionary !== undefined) {
      const { words: entries, count, codes } = dictionary;
      return { encoding: ENCODING.dictionary, data: codedBody(codes, count), dictionary: { data: bytesOf(entries), count }, bounds };
    }
    // Split by byte, the exponents of neighbours stand together and compress.
    const [encoding, data] = type === "float64" ? [ENCODING.byteStreamSplit, splitBytes(bytesOf(words))] : [ENCODING.plain, bytesOf(words)];
    return { encoding, data, dictionary: undefined, bounds };
  },
  codes(codes) {
    const dense = new Map<number, number>();
    const mapped = codes.map((code) => {
      const known = dense.get(code) ?? dense.size;
      dense.set(code, known);
      return known;
    });
    return { data: codedBody(mapped, dense.size), used: Uint32Array.from(dense.keys()) };
  },
  levels(valid) {
    const out = new ByteWriter();
    encodeHybrid(valid, 1, out);
    return out.view();
  },
  compress(source) {
    const out = new ByteWriter((source.length >> 1) + 64);
    snappyCompress(source, out);
    return out.view();
  },
};

const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

function splitBytes(bytes: Uint8Array): Uint8Array {
  const count = bytes.length >> 3;
  const out = new Uint8Array(bytes.length);
  for (let stream = 0; stream < 8; stream++) {
    const base = stream * count;
    for (let index = 0, at = stream; index < count; index++, at += 8) out[base + index] = bytes[at] as number;
  }
  return out;
}

function codedBody(codes: Uint32Array, count: number): Uint8Array {
  const out = new ByteWriter(codes.length);
  const width = Math.max(1, bitWidth(Math.max(0, count - 1)));
  out.byte(width);
  encodeHybrid(codes, width, out);
  return out.view();
}
