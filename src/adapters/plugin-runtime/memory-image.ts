/**
 * The memory image: the booted interpreter's linear memory without its empty pages, packed into one shared buffer that
 * every executor reads. Restoring it into any memory of at least its size gives exactly the booted state; the guest
 * must then be told by `resume`, since the image's random state is shared by all (design §4).
 */
import { assert } from "../../core/errors/assert.ts";
import { WASM_PAGE_BYTES } from "./limits.ts";

/** 4 KiB pages are a third smaller in sum than whole WebAssembly pages and cost no more to copy. */
export const IMAGE_PAGE_BYTES = 4096;
const WORDS_PER_PAGE = IMAGE_PAGE_BYTES / 8;

/** Plain values: crosses threads by reference. */
export interface MemoryImage {
  /** No two images of a runtime have the same; that of the bare interpreter has 0. */
  readonly id: number;
  /** Size of the memory that was taken, a multiple of WASM_PAGE_BYTES. */
  readonly memoryBytes: number;
  /** Pairs: first page, page count; ascending, never touching. */
  readonly runs: Uint32Array;
  /** Contents of the runs, one after the other. */
  readonly data: SharedArrayBuffer;
}

export function takeMemoryImage(memory: WebAssembly.Memory, id = 0): MemoryImage {
  const { buffer } = memory;
  const runs = findRuns(new BigUint64Array(buffer));
  const pages = runs.reduce((sum, run) => sum + run.count, 0);
  const data = new SharedArrayBuffer(pages * IMAGE_PAGE_BYTES);
  const target = new Uint8Array(data);
  let at = 0;
  for (const { first, count } of runs) {
    target.set(new Uint8Array(buffer, first * IMAGE_PAGE_BYTES, count * IMAGE_PAGE_BYTES), at);
    at += count * IMAGE_PAGE_BYTES;
  }
  return { id, memoryBytes: buffer.byteLength, runs: Uint32Array.from(runs.flatMap(({ first, count }) => [first, count])), data };
}

interface Run {
  readonly first: number;
  count: number;
}

function findRuns(words: BigUint64Array): Run[] {
  const runs: Run[] = [];
  let current: Run | undefined;
  for (let page = 0; page < words.length / WORDS_PER_PAGE; page += 1) {
    if (isEmpty(words, page)) {
      current = undefined;
    } else if (current === undefined) {
      current = { first: page, count: 1 };
      runs.push(current);
    } else {
      current.count += 1;
    }
  }
  return runs;
}

function isEmpty(words: BigUint64Array, page: number): boolean {
  const end = (page + 1) * WORDS_PER_PAGE;
  for (let index = page * WORDS_PER_PAGE; index < end; index += 1) if (words[index] !== 0n) return false;
  return true;
}

/** `used`: the memory may hold anything; a fresh memory is zero already and costs less. */
export function restoreMemoryImage(memory: WebAssembly.Memory, image: MemoryImage, used: boolean): void {
  const { buffer } = memory;
  assert(buffer.byteLength >= image.memoryBytes, "a memory is at least as large as the image restored into it");
  const target = new Uint8Array(buffer);
  const words = new Int32Array(buffer);
  const data = new Uint8Array(image.data);
  let from = 0;
  let end = 0;
  for (let index = 0; index < image.runs.length; index += 2) {
    const start = (image.runs[index] as number) * IMAGE_PAGE_BYTES;
    const size = (image.runs[index + 1] as number) * IMAGE_PAGE_BYTES;
    if (used) clear(words, end, start);
    target.set(data.subarray(from, from + size), start);
    from += size;
    end = start + size;
  }
  if (used) clear(words, end, buffer.byteLength);
}

/** Most pages are zero already. Reading them is faster than writing them, and costs no memory where nobody ever wrote. */
function clear(words: Int32Array, start: number, end: number): void {
  for (let page = start; page < end; page += IMAGE_PAGE_BYTES) {
    const first = page / 4;
    const last = first + IMAGE_PAGE_BYTES / 4;
    let any = 0;
    // Four at a time, without a branch: half the time of a loop that stops at the first.
    for (let at = first; at < last; at += 4) any |= (words[at] as number) | (words[at + 1] as number) | (words[at + 2] as number) | (words[at + 3] as number);
    if (any !== 0) words.fill(0, first, last);
  }
}

/** Whether the image fits, the memory grown where it may; undefined: the memory is elsewhere, and made anew there. */
export function growToImage(memory: WebAssembly.Memory | undefined, image: MemoryImage): boolean {
  const missing = memory === undefined ? 0 : image.memoryBytes - memory.buffer.byteLength;
  if (missing <= 0) return true;
  try {
    memory?.grow(missing / WASM_PAGE_BYTES);
    return true;
  } catch {
    return false;
  }
}

/** A memory of the image's size, or larger, that may grow to `bytesMax`. */
export function createGuestMemory(image: MemoryImage, bytesMax: number, bytes: number = image.memoryBytes): WebAssembly.Memory {
  return new WebAssembly.Memory({
    initial: Math.max(bytes, image.memoryBytes) / WASM_PAGE_BYTES,
    maximum: Math.max(image.memoryBytes, bytesMax - (bytesMax % WASM_PAGE_BYTES)) / WASM_PAGE_BYTES,
    shared: true,
  });
}
