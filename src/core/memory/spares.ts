/** Pieces of memory kept for reuse, by size: together they stay below a bound, and the smallest go first. */
export class Spares<T> {
  readonly #bytesMax: number;
  readonly #sizeOf: (spare: T) => number;
  /** Ascending in size. */
  readonly #kept: T[] = [];
  #bytes = 0;

  constructor(bytesMax: number, sizeOf: (spare: T) => number) {
    this.#bytesMax = bytesMax;
    this.#sizeOf = sizeOf;
  }

  /** The smallest one of at least `size`. */
  take(size: number): T | undefined {
    const fitting = this.#kept.findIndex((spare) => this.#sizeOf(spare) >= size);
    return fitting < 0 ? undefined : this.#takeAt(fitting);
  }

  takeLargest(): T | undefined {
    return this.#takeAt(this.#kept.length - 1);
  }

  #takeAt(index: number): T | undefined {
    const spare = this.#kept[index];
    if (spare === undefined) return undefined;
    this.#kept.splice(index, 1);
    this.#bytes -= this.#sizeOf(spare);
    return spare;
  }

  giveBack(spare: T): void {
    const size = this.#sizeOf(spare);
    const place = this.#kept.findIndex((other) => this.#sizeOf(other) >= size);
    this.#kept.splice(place < 0 ? this.#kept.length : place, 0, spare);
    this.#bytes += size;
    while (this.#bytes > this.#bytesMax) this.#takeAt(0);
  }
}
