// Least and greatest of 64-bit values.
import { INPUT, REPORT } from "./layout";

// @ts-ignore: decorator
@inline
function report(least: i64, greatest: i64): void {
  store<i64>(REPORT, least);
  store<i64>(REPORT, greatest, 8);
  store<u32>(REPORT, 1, 16);
}

/** A NaN has no order: then there are none. Zeros count as -0 below and +0 above (the format's rule). */
export function floatBounds(count: u32): void {
  let least = Infinity;
  let greatest = -Infinity;
  let ordered = count > 0;
  for (let at = INPUT, end = INPUT + (count << 3); at < end; at += 8) {
    const value = load<f64>(at);
    if (value != value) ordered = false;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  if (!ordered) return;
  if (least == 0) least = -0.0;
  if (greatest == 0) greatest = 0.0;
  report(reinterpret<i64>(least), reinterpret<i64>(greatest));
}

/** `flip` is the sign bit for signed numbers: it makes their order that of unsigned ones. */
export function integerBounds(count: u32, flip: u64): void {
  if (count == 0) return;
  let least = load<u64>(INPUT) ^ flip;
  let greatest = least;
  for (let at = INPUT + 8, end = INPUT + (count << 3); at < end; at += 8) {
    const value = load<u64>(at) ^ flip;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  report(<i64>(least ^ flip), <i64>(greatest ^ flip));
}
