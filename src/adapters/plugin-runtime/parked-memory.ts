/**
 * A guest's memory on its way from one process to another: the pages that differ from the memory image. The image is what
 * every process has; a plugin that keeps little in its cache is parked in a few hundred kilobytes.
 */
import { assert } from "../../core/errors/assert.ts";
import type { GuestAnswer } from "./executor-protocol.ts";
import { WASM_PAGE_BYTES } from "./limits.ts";
import { IMAGE_PAGE_BYTES, type MemoryImage, restoreMemoryImage } from "./memory-image.ts";

export interface ParkedMemory {
  /** Size of the memory, a multiple of WASM_PAGE_BYTES. */
  readonly memoryBytes: number;
  /** Pairs: first page, page count; ascending. */
  readonly runs: readonly number[];
  /** Contents of the runs, one after the other. */
  readonly data: Uint8Array;
  /** A result in it that has been read: the next run frees it. */
  readonly answer?: GuestAnswer | undefined;
}

const WORDS_PER_PAGE = IMAGE_PAGE_BYTES / 4;

export function parkMemory(memory: WebAssembly.Memory, image: MemoryImage): ParkedMemory {
  const { buffer } = memory;
  const runs = changedRuns(new Int32Array(buffer), image);
  let pages = 0;
  for (let index = 1; index < runs.length; index += 2) pages += runs[index] as number;
  const data = new Uint8Array(pages * IMAGE_PAGE_BYTES);
  let at = 0;
  for (let index = 0; index < runs.length; index += 2) {
    const size = (runs[index + 1] as number) * IMAGE_PAGE_BYTES;
    data.set(new Uint8Array(buffer, (runs[index] as number) * IMAGE_PAGE_BYTES, size), at);
    at += size;
  }
  return { memoryBytes: buffer.byteLength, runs, data };
}

function changedRuns(words: Int32Array, image: MemoryImage): number[] {
  const imageWords = new Int32Array(image.data);
  const runs: number[] = [];
  let imageRun = 0;
  let imagePage = 0;
  for (let page = 0; page < words.length / WORDS_PER_PAGE; page += 1) {
    const first = image.runs[imageRun];
    const inImage = first !== undefined && page >= first;
    const changed = inImage ? differs(words, page, imageWords, imagePage) : isUsed(words, page);
    if (inImage) {
      imagePage += 1;
      if (page + 1 === first + (image.runs[imageRun + 1] as number)) imageRun += 2;
    }
    if (!changed) continue;
    const last = runs.length - 2;
    if (last >= 0 && (runs[last] as number) + (runs[last + 1] as number) === page) runs[last + 1] = (runs[last + 1] as number) + 1;
    else runs.push(page, 1);
  }
  return runs;
}

function differs(words: Int32Array, page: number, others: Int32Array, other: number): boolean {
  const start = page * WORDS_PER_PAGE;
  const offset = other * WORDS_PER_PAGE - start;
  for (let index = start; index < start + WORDS_PER_PAGE; index += 1) if (words[index] !== others[index + offset]) return true;
  return false;
}

function isUsed(words: Int32Array, page: number): boolean {
  const end = (page + 1) * WORDS_PER_PAGE;
  for (let index = page * WORDS_PER_PAGE; index < end; index += 1) if (words[index] !== 0) return true;
  return false;
}

/** Into a fresh memory of at least the parked size. */
export function unparkMemory(memory: WebAssembly.Memory, image: MemoryImage, parked: ParkedMemory): void {
  assert(memory.buffer.byteLength >= parked.memoryBytes, "a memory is as large as what is put into it");
  restoreMemoryImage(memory, image, false);
  const target = new Uint8Array(memory.buffer);
  let at = 0;
  for (let index = 0; index < parked.runs.length; index += 2) {
    const size = (parked.runs[index + 1] as number) * IMAGE_PAGE_BYTES;
    target.set(parked.data.subarray(at, at + size), (parked.runs[index] as number) * IMAGE_PAGE_BYTES);
    at += size;
  }
}

/** Whether the parts fit together and into `bytesMax`: they come from another process. */
export function isParkedMemory({ memoryBytes, runs, data }: ParkedMemory, bytesMax: number): boolean {
  if (!Number.isSafeInteger(memoryBytes) || memoryBytes % WASM_PAGE_BYTES !== 0 || memoryBytes > bytesMax || runs.length % 2 !== 0) return false;
  let end = 0;
  let pages = 0;
  for (let index = 0; index < runs.length; index += 2) {
    const [first, count] = [runs[index] as number, runs[index + 1] as number];
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || first < end || count < 1) return false;
    end = first + count;
    pages += count;
  }
  return end * IMAGE_PAGE_BYTES <= memoryBytes && data.length === pages * IMAGE_PAGE_BYTES;
}
