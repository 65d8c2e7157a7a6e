/**
 * Decimal text to the nearest double without `Number()`, for the numbers that come in practice: up to 20 digits, no
 * exponent. Small ones are one exact division (Clinger); longer ones go through double-double arithmetic with an error
 * bound, and whatever the bound cannot decide is left to `Number()`.
 */
const POW10 = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
/** Veltkamp's split of each power, for exact products. */
const POW10_HIGH = POW10.map((power) => {
  const c = 134_217_729 * power;
  return c - (c - power);
});
const POW10_LOW = POW10.map((power, index) => power - (POW10_HIGH[index] as number));

/** Digits that `head` of `nearestDouble` may hold: every such integer is exact in a double. */
export const HEAD_DIGITS = 15;
/** Further digits in `tail`. */
export const TAIL_DIGITS = 5;
export const FRACTION_DIGITS = 22;

/** `head / 10^fraction`, correctly rounded; head below 10^15, fraction at most 22. */
export function shortDecimal(head: number, fraction: number): number {
  return head / (POW10[fraction] as number);
}

/**
 * `(head * 10^tailDigits + tail) / 10^fraction`, correctly rounded, or NaN when undecided. Head below 10^15,
 * tailDigits at most 5, fraction at most 22.
 */
export function longDecimal(head: number, tail: number, tailDigits: number, fraction: number): number {
  const scale = POW10[tailDigits] as number;
  const product = head * scale;
  const headSplit = 134_217_729 * head;
  const headHigh = headSplit - (headSplit - head);
  const productError = headHigh * scale - product + (head - headHigh) * scale;
  const high = product + (productError + tail);
  const low = productError + tail - (high - product);
  const divisor = POW10[fraction] as number;
  const quotient = high / divisor;
  const split = 134_217_729 * quotient;
  const quotientHigh = split - (split - quotient);
  const quotientLow = quotient - quotientHigh;
  const back = quotient * divisor;
  const divisorHigh = POW10_HIGH[fraction] as number;
  const divisorLow = POW10_LOW[fraction] as number;
  const backError = quotientHigh * divisorHigh - back + quotientHigh * divisorLow + quotientLow * divisorHigh + quotientLow * divisorLow;
  const correction = (high - back - backError + low) / divisor;
  // Far above the error of the steps before (about 2^-104 of the quotient).
  const bound = quotient * 1e-30;
  const value = quotient + (correction + bound);
  return value === quotient + (correction - bound) ? value : Number.NaN;
}
