/**
 * Memory of large batches, used again once they have left the buffer: fresh pages must be zeroed by the system, and V8
 * collects the whole heap after every 64 MB that lie outside of it. Readers pin what they may look at: memory that is
 * given back waits until all who were there at that time are gone (epoch-based reclamation: Fraser 2004, §5.2.3).
 */
import { MEMORY_CLASSES_PER_OCTAVE, REUSED_BYTES_MIN } from "./limits.ts";

interface GivenBack {
  readonly memory: ArrayBuffer;
  /** Who came in this epoch or before may see it. */
  readonly epoch: number;
}

/** Bytes that are taken for a batch of `size` bytes: a few sizes fit many batches. */
export function batchMemoryBytes(size: number): number {
  if (size < REUSED_BYTES_MIN) return size;
  const step = 2 ** Math.floor(Math.log2(size)) / MEMORY_CLASSES_PER_OCTAVE;
  return Math.ceil(size / step) * step;
}

export class BatchMemory {
  readonly #keptBytesMax: number;
  /** By size. */
  readonly #free = new Map<number, ArrayBuffer[]>();
  /** In the order of their epochs. */
  #waiting: GivenBack[] = [];
  /** Readers by the epoch in which they came, oldest first. */
  readonly #pins = new Map<number, number>();
  #epoch = 0;
  #keptBytes = 0;
  /** The least that was kept since the last look. */
  #unusedBytes = 0;

  /** `keptBytesMax`: what is kept for reuse at most. */
  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax;
  }

  /** Bytes kept for reuse. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** A copy in memory of its own, whose size is that of `batchMemoryBytes`. */
  copy(bytes: Uint8Array): Uint8Array {
    // Not `slice`: a Buffer's slice is a view, and would keep a whole WAL file in memory.
    if (bytes.length < REUSED_BYTES_MIN) return new Uint8Array(bytes);
    this.#settle();
    const size = batchMemoryBytes(bytes.length);
    const kept = this.#free.get(size)?.pop();
    this.#count(-(kept?.byteLength ?? 0));
    const own = new Uint8Array(kept ?? new ArrayBuffer(size), 0, bytes.length);
    own.set(bytes);
    return own;
  }

  /** Takes the memory of a copy that only pinned readers may still look at. */
  giveBack({ buffer }: Uint8Array): void {
    const size = buffer.byteLength;
    if (size < REUSED_BYTES_MIN || this.#keptBytes + size > this.#keptBytesMax || !(buffer instanceof ArrayBuffer)) return;
    this.#count(size);
    this.#waiting.push({ memory: buffer, epoch: this.#epoch++ });
  }

  /** What is in the buffer now stays as it is until the returned function is called. */
  pin(): () => void {
    const epoch = this.#epoch;
    this.#pins.set(epoch, (this.#pins.get(epoch) ?? 0) + 1);
    let pinned = true;
    return () => {
      if (!pinned) return;
      pinned = false;
      const others = (this.#pins.get(epoch) as number) - 1;
      if (others > 0) this.#pins.set(epoch, others);
      else this.#pins.delete(epoch);
    };
  }

  /** Lets go of at least so much of what is kept, or of all; what readers may look at goes last. */
  release(bytes: number): void {
    this.#settle();
    let left = bytes;
    for (const [size, alike] of this.#free) {
      while (left > 0 && alike.pop() !== undefined) {
        this.#count(-size);
        left -= size;
      }
      if (alike.length === 0) this.#free.delete(size);
    }
    for (let next = this.#waiting.at(-1); left > 0 && next !== undefined; next = this.#waiting.at(-1)) {
      this.#waiting.pop();
      this.#count(-next.memory.byteLength);
      left -= next.memory.byteLength;
    }
  }

  /** Lets go of what nobody needed since the last call. */
  releaseUnused(): void {
    this.release(this.#unusedBytes);
    this.#unusedBytes = this.#keptBytes;
  }

  #count(bytes: number): void {
    this.#keptBytes += bytes;
    this.#unusedBytes = Math.min(this.#unusedBytes, this.#keptBytes);
  }

  /** Frees what no reader can look at any more. */
  #settle(): void {
    const [oldest = Number.POSITIVE_INFINITY] = this.#pins.keys();
    let count = 0;
    for (; count < this.#waiting.length && (this.#waiting[count] as GivenBack).epoch < oldest; count++) {
      const { memory } = this.#waiting[count] as GivenBack;
      const alike = this.#free.get(memory.byteLength);
      if (alike === undefined) this.#free.set(memory.byteLength, [memory]);
      else alike.push(memory);
    }
    if (count > 0) this.#waiting.splice(0, count);
  }
}
