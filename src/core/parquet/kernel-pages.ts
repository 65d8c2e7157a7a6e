/**
 * Parquet pages with the WebAssembly kernel (`runtime-wasm/kernels/parquet`). Its memory holds one column of one row group
 * and never grows; sizes and kinds here are those of the kernel's `layout.ts`: change both.
 */
import { ENCODING, type EncodedCodes, type EncodedNumbers, type NumberType, type PageEncoder, scriptPages } from "./page-encoder.ts";
import type { Bounds } from "./statistics.ts";

/** The kernel's exports; addresses are byte positions in `memory`. */
export interface ParquetKernel {
  readonly memory: ArrayBuffer;
  inputAddress(): number;
  dictionaryAddress(): number;
  bodyAddress(): number;
  pageAddress(): number;
  compressedAddress(): number;
  reportAddress(): number;
  /** Encodes 64-bit values of the input; returns the encoding. */
  numbers(count: number, kind: number): number;
  codes(count: number): void;
  levels(count: number): void;
  /** Compresses the page area's first bytes; the size of the result. */
  compress(size: number): number;
}

/** All of the kernel's memory. */
export const PARQUET_KERNEL_BYTES = 5_242_880;
const ROWS_MAX = 65_536;
const PAGE_BYTES = 1_048_576;
const KINDS: Readonly<Record<NumberType, number>> = { float64: 0, int64: 1, time: 1, uint64: 2 };
/** Word offsets in the report: least and greatest value, whether there are bounds, dictionary entries, body bytes. */
const REPORT = { bounds: 0, hasBounds: 4, entries: 5, bodyBytes: 6 } as const;

/** Nothing else may use the kernel. What is too large for it is encoded in TypeScript: long texts, larger row groups. */
export function kernelPages(kernel: ParquetKernel): PageEncoder {
  return new KernelPages(kernel);
}

class KernelPages implements PageEncoder {
  readonly #kernel: ParquetKernel;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #input: number;
  readonly #dictionary: number;
  readonly #body: number;
  readonly #page: number;
  readonly #compressed: number;
  readonly #report: number;

  constructor(kernel: ParquetKernel) {
    this.#kernel = kernel;
    this.#bytes = new Uint8Array(kernel.memory);
    this.#words = new Uint32Array(kernel.memory);
    this.#input = kernel.inputAddress();
    this.#dictionary = kernel.dictionaryAddress();
    this.#body = kernel.bodyAddress();
    this.#page = kernel.pageAddress();
    this.#compressed = kernel.compressedAddress();
    this.#report = kernel.reportAddress();
  }

  numbers(type: NumberType, words: Uint32Array): EncodedNumbers {
    const count = words.length >> 1;
    if (count > ROWS_MAX) return scriptPages.numbers(type, words);
    this.#words.set(words, this.#input >> 2);
    const encoding = this.#kernel.numbers(count, KINDS[type]);
    const entries = this.#reported(REPORT.entries);
    const dictionary = encoding === ENCODING.dictionary ? { data: this.#part(this.#dictionary, entries * 8), count: entries } : undefined;
    return { encoding, data: this.#encodedBody(), dictionary, bounds: this.#bounds() };
  }

  codes(codes: Uint32Array): EncodedCodes {
    if (codes.length > ROWS_MAX) return scriptPages.codes(codes);
    this.#words.set(codes, this.#input >> 2);
    this.#kernel.codes(codes.length);
    const start = this.#dictionary >> 2;
    return { data: this.#encodedBody(), used: this.#words.subarray(start, start + this.#reported(REPORT.entries)) };
  }

  levels(valid: Uint8Array): Uint8Array {
    if (valid.length > ROWS_MAX) return scriptPages.levels(valid);
    this.#bytes.set(valid, this.#input);
    this.#kernel.levels(valid.length);
    return this.#encodedBody();
  }

  compress(source: Uint8Array): Uint8Array {
    if (source.length > PAGE_BYTES) return scriptPages.compress(source);
    this.#bytes.set(source, this.#page);
    return this.#part(this.#compressed, this.#kernel.compress(source.length));
  }

  #reported(word: number): number {
    return this.#words[(this.#report >> 2) + word] as number;
  }

  #part(address: number, size: number): Uint8Array {
    return this.#bytes.subarray(address, address + size);
  }

  #encodedBody(): Uint8Array {
    return this.#part(this.#body, this.#reported(REPORT.bodyBytes));
  }

  /** Copied: they live as long as the footer. */
  #bounds(): Bounds | undefined {
    if (this.#reported(REPORT.hasBounds) === 0) return undefined;
    const at = this.#report + REPORT.bounds * 4;
    return { min: this.#bytes.slice(at, at + 8), max: this.#bytes.slice(at + 8, at + 16) };
  }
}
