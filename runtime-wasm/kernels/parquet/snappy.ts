// Snappy block compression: greedy, one hash table of the last places of four bytes.
import { COMPRESSED, MATCHES, MATCHES_BYTES, PAGE } from "./layout";

const HASH_BITS: u32 = 14;
const OFFSET_MAX: u32 = 65_535;
const COPY_MAX: u32 = 64;
/** After so many places without a match the search takes larger steps: noise is passed over quickly. */
const SKIP_SHIFT: u32 = 5;

/** Compresses the page's first `size` bytes; the size of the result. */
export function snappy(size: u32): u32 {
  let to = COMPRESSED;
  for (let rest = size; ; rest >>= 7) {
    store<u8>(to++, rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  // Places count from 1, so that 0 is a free slot.
  memory.fill(MATCHES, 0, MATCHES_BYTES);
  const last: i32 = <i32>size - 4;
  let literalFrom: u32 = 0;
  let misses: u32 = 0;
  for (let at: i32 = 0; at <= last; ) {
    const word = load<u32>(PAGE + at);
    const slot = MATCHES + (((word * 0x1e35a7bd) >> (32 - HASH_BITS)) << 2);
    const known = load<u32>(slot);
    store<u32>(slot, at + 1);
    const candidate = known - 1;
    if (known == 0 || <u32>at - candidate > OFFSET_MAX || load<u32>(PAGE + candidate) != word) {
      at += 1 + <i32>(misses++ >> SKIP_SHIFT);
      continue;
    }
    misses = 0;
    const length = matchLength(candidate, at, size);
    to = literal(literalFrom, at, to);
    to = copies(<u32>at - candidate, length, to);
    at += length;
    literalFrom = at;
  }
  return <u32>(literal(literalFrom, size, to) - COMPRESSED);
}

/** Equal bytes from `left` and from `right` on; four are known to be. */
// @ts-ignore: decorator
@inline
function matchLength(left: u32, right: u32, size: u32): u32 {
  let length: u32 = 4;
  while (right + length + 8 <= size) {
    const difference = load<u64>(PAGE + left + length) ^ load<u64>(PAGE + right + length);
    if (difference != 0) return length + <u32>(ctz(difference) >> 3);
    length += 8;
  }
  while (right + length < size && load<u8>(PAGE + left + length) == load<u8>(PAGE + right + length)) length++;
  return length;
}

// @ts-ignore: decorator
@inline
function literal(from: u32, end: u32, out: usize): usize {
  if (from == end) return out;
  let to = out;
  const last = end - from - 1;
  if (last < 60) store<u8>(to++, last << 2);
  else {
    const bytes: u32 = last < 0x100 ? 1 : last < 0x10000 ? 2 : last < 0x1000000 ? 3 : 4;
    store<u8>(to++, (59 + bytes) << 2);
    for (let index: u32 = 0; index < bytes; index++) store<u8>(to++, last >> (index << 3));
  }
  memory.copy(to, PAGE + from, end - from);
  return to + (end - from);
}

// @ts-ignore: decorator
@inline
function copies(offset: u32, size: u32, out: usize): usize {
  let to = out;
  for (let rest = size; rest > 0; ) {
    const part = min(rest, COPY_MAX);
    store<u8>(to, ((part - 1) << 2) | 2);
    store<u16>(to + 1, offset);
    to += 3;
    rest -= part;
  }
  return to;
}
