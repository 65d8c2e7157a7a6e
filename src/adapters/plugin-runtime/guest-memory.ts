/**
 * Bounded access to a guest's linear memory. Every pointer and length comes from hostile code: nothing is read or
 * written before the range lies inside the memory, and what is read is copied before anyone looks at it.
 */
import { DatabaseError } from "../../core/errors/database-error.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The fault of a guest that broke the contract. Code `plugin.message_invalid`. */
export function guestFault(message: string): DatabaseError {
  return new DatabaseError("plugin.message_invalid", { message });
}

/** A `WebAssembly.Memory`, or anything that looks like one. */
export interface MemoryLike {
  readonly buffer: ArrayBufferLike;
  /** By pages; by 0 it only refreshes `buffer`. */
  grow(pages: number): number;
}

export class GuestMemory {
  readonly memory: MemoryLike;
  #buffer: ArrayBufferLike;
  #bytes: Uint8Array;
  #view: DataView;

  constructor(memory: MemoryLike) {
    this.memory = memory;
    this.#buffer = memory.buffer;
    this.#bytes = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
  }

  get byteLength(): number {
    // Growth on another thread may reach this thread's buffer object late; growing by nothing refreshes it.
    this.memory.grow(0);
    this.#refresh();
    return this.#buffer.byteLength;
  }

  /** Throws `plugin.message_invalid` unless `size` bytes at `pointer` lie inside the memory. */
  check(pointer: number, size: number): void {
    if (!(Number.isSafeInteger(pointer) && pointer >= 0 && Number.isSafeInteger(size) && size >= 0)) {
      throw guestFault(`Guest address ${pointer} with ${size} bytes is not valid`);
    }
    this.#refresh();
    if (pointer + size > this.#buffer.byteLength && pointer + size > this.byteLength) {
      throw guestFault(`Guest address ${pointer} with ${size} bytes lies outside its memory of ${this.#buffer.byteLength} bytes`);
    }
  }

  /** The view for `size` checked bytes at `pointer`; valid until the guest runs again. */
  view(pointer: number, size: number): DataView {
    this.check(pointer, size);
    return this.#view;
  }

  /** A copy, not shared. */
  read(pointer: number, size: number): Uint8Array<ArrayBuffer> {
    this.check(pointer, size);
    const copy = new Uint8Array(size);
    copy.set(this.#bytes.subarray(pointer, pointer + size));
    return copy;
  }

  write(pointer: number, bytes: Uint8Array): void {
    this.check(pointer, bytes.length);
    this.#bytes.set(bytes, pointer);
  }

  /** UTF-8 text; throws `plugin.message_invalid` for anything else. */
  text(pointer: number, size: number): string {
    const bytes = this.read(pointer, size);
    try {
      return decoder.decode(bytes);
    } catch {
      throw guestFault(`Text of ${size} bytes from the guest is not UTF-8`);
    }
  }

  /** Text whose damage matters to nobody (log lines): bad sequences become U+FFFD. */
  textLenient(pointer: number, size: number): string {
    return lenientDecoder.decode(this.read(pointer, size));
  }

  #refresh(): void {
    const buffer = this.memory.buffer;
    if (buffer === this.#buffer && this.#bytes.byteLength === buffer.byteLength) return;
    this.#buffer = buffer;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }
}

export const encodeText = (text: string): Uint8Array => encoder.encode(text);
