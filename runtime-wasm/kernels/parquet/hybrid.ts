// Parquet's run-length and bit-packing hybrid of the codes: runs of eight or more equal ones as one entry, the rest packed
// in groups of eight.
import { CODES } from "./layout";

const GROUP: u32 = 8;

// @ts-ignore: decorator
@inline
function varint(at: usize, value: u32): usize {
  while (value > 127) {
    store<u8>(at++, (value & 127) | 128);
    value >>= 7;
  }
  store<u8>(at++, value);
  return at;
}

// @ts-ignore: decorator
@inline
function code(row: u32): u32 {
  return load<u32>(CODES + (row << 2));
}

/** Row after the run that starts at `row`. */
function runEnd(row: u32, count: u32): u32 {
  const value = code(row);
  const wide = i32x4.splat(value);
  let end = row + 1;
  while (end + 4 <= count && i32x4.all_true(i32x4.eq(v128.load(CODES + (end << 2)), wide))) end += 4;
  while (end < count && code(end) == value) end++;
  return end;
}

/** Writes at `out`; the position after. `width` is at most 24. */
export function encodeHybrid(count: u32, width: u32, out: usize): usize {
  let packFrom: u32 = 0;
  let to = out;
  for (let at: u32 = 0; at < count; ) {
    const end = runEnd(at, count);
    // A packed stretch before the run must be whole groups: it takes the run's first values.
    const fill = (GROUP - ((at - packFrom) % GROUP)) % GROUP;
    if (end - at >= fill + GROUP) {
      to = pack(packFrom, at + fill, width, to);
      to = varint(to, (end - at - fill) << 1);
      const value = code(at);
      for (let shift: u32 = 0; shift < width; shift += 8) store<u8>(to++, value >> shift);
      packFrom = end;
    }
    at = end;
  }
  return pack(packFrom, count, width, to);
}

function pack(from: u32, end: u32, width: u32, out: usize): usize {
  if (from == end) return out;
  const groups = (end - from + GROUP - 1) / GROUP;
  let to = varint(out, (groups << 1) + 1);
  let bits: u64 = 0;
  let held: u32 = 0;
  for (let row = from, last = from + groups * GROUP; row < last; row++) {
    bits |= <u64>(row < end ? code(row) : 0) << held;
    held += width;
    if (held < 32) continue;
    store<u32>(to, <u32>bits);
    to += 4;
    bits >>= 32;
    held -= 32;
  }
  for (; held > 0; held -= 8) {
    store<u8>(to++, <u8>bits);
    bits >>= 8;
  }
  return to;
}
