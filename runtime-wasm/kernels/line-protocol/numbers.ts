// Numbers: floats correctly rounded, integers of both signs. What needs more than 64 bits of digits or has an exponent is
// left to the host.
import { INVERSE_POWERS_OF_FIVE, POWERS_OF_TEN } from "./powers";

/** Kinds of values, in the host's order. */
export const FLOAT64: u32 = 0;
export const INT64: u32 = 1;
export const UINT64: u32 = 2;
export const BOOL: u32 = 3;
export const UTF8: u32 = 4;

/** What `readNumber` has read: 64 bits and their kind. */
export let numberBits: u64 = 0;
export let numberKind: u32 = FLOAT64;

const DIGITS_MAX: u32 = 19;
const INT64_MAX: u64 = 0x7fffffffffffffff;

// @ts-ignore: decorator
@inline
function areEightDigits(x: u64): bool {
  return ((x & 0xf0f0f0f0f0f0f0f0) | (((x + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4)) == 0x3333333333333333;
}

// @ts-ignore: decorator
@inline
function eightDigits(x: u64): u64 {
  x -= 0x3030303030303030;
  x = x * 10 + (x >> 8);
  return ((x & 0x000000ff000000ff) * 0x000f424000000064 + ((x >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >> 32;
}

/** What `readDigits` has read. */
export let digitsValue: u64 = 0;

/** Appends the digits from `start` on to `value`; the position after them. More than 19 overflow: the caller counts. */
// @ts-ignore: decorator
@inline
export function readDigits(start: usize, before: u64): usize {
  let at = start;
  let value = before;
  let eight = load<u64>(at);
  while (areEightDigits(eight)) {
    value = value * 100_000_000 + eightDigits(eight);
    at += 8;
    eight = load<u64>(at);
  }
  let digit: u32 = 0;
  while ((digit = <u32>load<u8>(at) - 48) <= 9) {
    value = value * 10 + digit;
    at++;
  }
  digitsValue = value;
  return at;
}

/** Reads the number at `start`; the position after it, or 0. */
// @ts-ignore: decorator
@inline
export function readNumber(start: usize): usize {
  const negative = load<u8>(start) == 45;
  const first = negative ? start + 1 : start;
  let at = first;
  let value: u64 = 0;
  let digit: u32 = 0;
  while ((digit = <u32>load<u8>(at) - 48) <= 9) {
    value = value * 10 + digit;
    at++;
  }
  let digits = <u32>(at - first);
  if (digits == 0) return 0;
  const suffix = load<u8>(at);
  if (suffix == 105 || suffix == 117) return integer(value, digits, negative, suffix == 117) ? at + 1 : 0;
  let fraction: u32 = 0;
  if (suffix == 46) {
    const point = at + 1;
    at = readDigits(point, value);
    value = digitsValue;
    fraction = <u32>(at - point);
    if (fraction == 0) return 0;
    digits += fraction;
  }
  if (digits > DIGITS_MAX && digits - leadingZeros(first) > DIGITS_MAX) return 0;
  numberKind = FLOAT64;
  if (value < 0x20000000000000 && fraction <= 22) {
    const quotient = <f64>value / load<f64>(POWERS_OF_TEN + (fraction << 3));
    numberBits = reinterpret<u64>(negative ? -quotient : quotient);
    return at;
  }
  if (fraction > 27 || value == 0) return 0;
  numberBits = nearest(value, fraction) | (negative ? 0x8000000000000000 : 0);
  return at;
}

function leadingZeros(first: usize): u32 {
  let zeros: u32 = 0;
  let byte = load<u8>(first);
  for (let at = first; byte == 48 || byte == 46; byte = load<u8>(++at)) if (byte == 48) zeros++;
  return zeros;
}

function integer(magnitude: u64, digits: u32, negative: bool, unsigned: bool): bool {
  if (digits > DIGITS_MAX) return false;
  if (unsigned) {
    if (negative) return false;
    numberKind = UINT64;
    numberBits = magnitude;
    return true;
  }
  if (magnitude > INT64_MAX + (negative ? 1 : 0)) return false;
  numberKind = INT64;
  numberBits = negative ? 0 - magnitude : magnitude;
  return true;
}

/** High 64 bits of the product. */
// @ts-ignore: decorator
@inline
function multiplyHigh(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const middle = a1 * b0 + ((a0 * b0) >> 32);
  return a1 * b1 + (middle >> 32) + ((a0 * b1 + (middle & 0xffffffff)) >> 32);
}

/** Bits of the double nearest to `value / 10^fraction` (Eisel and Lemire; exact for fractions up to 27 digits). */
function nearest(value: u64, fraction: u32): u64 {
  const shift = clz(value);
  const scaled = value << shift;
  const power = INVERSE_POWERS_OF_FIVE + (fraction << 4);
  const powerHigh = load<u64>(power);
  let low = scaled * powerHigh;
  let high = multiplyHigh(scaled, powerHigh);
  if ((high & 0x1ff) == 0x1ff) {
    const more = multiplyHigh(scaled, load<u64>(power, 8));
    low += more;
    if (more > low) high++;
  }
  const upper = high >> 63;
  const cut = upper + 9;
  let mantissa = high >> cut;
  let exponent = ((217_706 * -(<i64>fraction)) >> 16) + 63 + <i64>upper - <i64>shift + 1023;
  // Exactly half way: to the even one.
  if (low <= 1 && fraction <= 4 && (mantissa & 3) == 1 && mantissa << cut == high) mantissa &= ~1;
  mantissa += mantissa & 1;
  mantissa >>= 1;
  if (mantissa >= 0x20000000000000) {
    mantissa = 0x10000000000000;
    exponent++;
  }
  return (mantissa & ~0x10000000000000) | (<u64>exponent << 52);
}
