/** Dictionaries of a column's values within one row group; given up when too many values differ. */
import { DICTIONARY_PROBE_ROWS, DICTIONARY_VALUES_MAX } from "./limits.ts";

const SLOTS = DICTIONARY_VALUES_MAX * 4;

export interface WordDictionary {
  /** Two 32-bit words a value. */
  readonly words: Uint32Array;
  readonly count: number;
  readonly codes: Uint32Array;
}

const hopeless = (row: number, count: number): boolean => row === DICTIONARY_PROBE_ROWS && count > (DICTIONARY_PROBE_ROWS * 3) / 4;

/** Of 64-bit values as pairs of words; undefined: not worth it. */
export function wordDictionary(words: Uint32Array): WordDictionary | undefined {
  const rows = words.length >> 1;
  const valuesMax = Math.min(DICTIONARY_VALUES_MAX, rows >> 1);
  const slots = new Uint32Array(SLOTS);
  const codes = new Uint32Array(rows);
  const found = new Uint32Array(valuesMax * 2);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const low = words[row * 2] as number;
    const high = words[row * 2 + 1] as number;
    if (row > 0 && low === words[row * 2 - 2] && high === words[row * 2 - 1]) {
      codes[row] = codes[row - 1] as number;
      continue;
    }
    if (hopeless(row, count)) return undefined;
    let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & (SLOTS - 1);
    let code = slots[slot] as number;
    while (code !== 0 && (found[code * 2 - 2] !== low || found[code * 2 - 1] !== high)) {
      slot = (slot + 1) & (SLOTS - 1);
      code = slots[slot] as number;
    }
    if (code === 0) {
      if (count === valuesMax) return undefined;
      found[count * 2] = low;
      found[count * 2 + 1] = high;
      code = slots[slot] = ++count;
    }
    codes[row] = code - 1;
  }
  return { words: found.subarray(0, count * 2), count, codes };
}

export interface TextDictionary {
  readonly entries: readonly Uint8Array[];
  readonly codes: Uint32Array;
}

/** Of texts; undefined: not worth it. */
export function textDictionary(texts: readonly Uint8Array[]): TextDictionary | undefined {
  const valuesMax = Math.min(DICTIONARY_VALUES_MAX, texts.length >> 1);
  const slots = new Uint32Array(SLOTS);
  const codes = new Uint32Array(texts.length);
  const entries: Uint8Array[] = [];
  for (let row = 0; row < texts.length; row++) {
    if (hopeless(row, entries.length)) return undefined;
    const text = texts[row] as Uint8Array;
    let slot = hashBytes(text) & (SLOTS - 1);
    let code = slots[slot] as number;
    while (code !== 0 && compareBytes(entries[code - 1] as Uint8Array, text) !== 0) {
      slot = (slot + 1) & (SLOTS - 1);
      code = slots[slot] as number;
    }
    if (code === 0) {
      if (entries.length === valuesMax) return undefined;
      code = slots[slot] = entries.push(text);
    }
    codes[row] = code - 1;
  }
  return { entries, codes };
}

function hashBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}

/** Order of unsigned bytes, a prefix first: that of Parquet's UTF-8 statistics. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const size = Math.min(left.length, right.length);
  for (let at = 0; at < size; at++) {
    const difference = (left[at] as number) - (right[at] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
