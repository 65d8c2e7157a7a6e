/** Least and greatest value of a column chunk in Parquet's plain encoding; undefined where there is none to tell. */
import { compareBytes } from "./dictionary.ts";
import { STATISTICS_TEXT_BYTES_MAX } from "./limits.ts";

export interface Bounds {
  readonly min: Uint8Array;
  readonly max: Uint8Array;
}

/** Of 64-bit integers as pairs of words. BigInt is avoided: it allocates. */
export function integerBounds(words: Uint32Array, signed: boolean): Bounds | undefined {
  if (words.length === 0) return undefined;
  // Flipping the sign bit makes signed order unsigned.
  const flip = signed ? 0x8000_0000 : 0;
  let [min, max] = [0, 0];
  const before = (left: number, right: number): boolean => {
    const leftHigh = ((words[left + 1] as number) ^ flip) >>> 0;
    const rightHigh = ((words[right + 1] as number) ^ flip) >>> 0;
    return leftHigh < rightHigh || (leftHigh === rightHigh && (words[left] as number) < (words[right] as number));
  };
  for (let at = 2; at < words.length; at += 2) {
    if (before(at, min)) min = at;
    else if (before(max, at)) max = at;
  }
  return { min: plain(words, min), max: plain(words, max) };
}

const plain = (words: Uint32Array, at: number): Uint8Array => {
  const pair = words.slice(at, at + 2);
  return new Uint8Array(pair.buffer);
};

/** NaN has no order, so a chunk that holds one tells nothing; zeros count as -0 below and +0 above (format's rule). */
export function floatBounds(values: Float64Array): Bounds | undefined {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    if (value !== value) return undefined;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (values.length === 0) return undefined;
  const bytesOf = (value: number): Uint8Array => new Uint8Array(Float64Array.of(value).buffer);
  return { min: bytesOf(min === 0 ? -0 : min), max: bytesOf(max === 0 ? 0 : max) };
}

export function textBounds(texts: readonly Uint8Array[]): Bounds | undefined {
  let [min, max] = [texts[0], texts[0]];
  if (min === undefined || max === undefined) return undefined;
  for (const text of texts) {
    if (compareBytes(text, min) < 0) min = text;
    if (compareBytes(text, max) > 0) max = text;
  }
  return min.length > STATISTICS_TEXT_BYTES_MAX || max.length > STATISTICS_TEXT_BYTES_MAX ? undefined : { min, max };
}

export function boolBounds(values: Uint8Array): Bounds | undefined {
  if (values.length === 0) return undefined;
  return { min: Uint8Array.of(values.includes(0) ? 0 : 1), max: Uint8Array.of(values.includes(1) ? 1 : 0) };
}
