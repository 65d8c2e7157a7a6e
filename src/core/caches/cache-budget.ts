/** The memory that all declared caches share. What does not fit is refused and counted: the answer then lacks some keys. */
import type { CellValue } from "../columns/cells.ts";
import { CACHE_VALUE_BYTES } from "./limits.ts";

export class CacheBudget {
  readonly limitBytes: number;
  #used = 0;
  #refused = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get used(): number {
    return this.#used;
  }

  /** Keys and rows that found no room. */
  get refused(): number {
    return this.#refused;
  }

  /** False: there is no room. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.limitBytes) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }

  countRefused(): void {
    this.#refused++;
  }
}

export const valueBytes = (values: readonly CellValue[]): number => values.reduce<number>((sum, value) => sum + CACHE_VALUE_BYTES + (typeof value === "string" ? value.length * 2 : 0), 0);
