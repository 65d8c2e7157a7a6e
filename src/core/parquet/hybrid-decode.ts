/** Reads Parquet's run-length and bit-packing hybrid. */
import { damagedParquet } from "./damaged.ts";

const WIDTH_MAX = 32;

/** `count` values of `width` bits each, from all of `bytes`. */
export function decodeHybrid(bytes: Uint8Array, width: number, count: number): Uint32Array {
  if (width > WIDTH_MAX) throw damagedParquet("codes are wider than 32 bits");
  const out = new Uint32Array(count);
  let at = 0;
  let filled = 0;
  while (filled < count) {
    let head = 0;
    let factor = 1;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined || factor > 2 ** 35) throw damagedParquet("codes are cut off");
      head += (byte & 127) * factor;
      if (byte < 128) break;
      factor *= 128;
    }
    if (head % 2 === 0) {
      const run = Math.min(head / 2, count - filled);
      if (run === 0) throw damagedParquet("a run of codes is empty");
      let value = 0;
      const size = (width + 7) >> 3;
      if (at + size > bytes.length) throw damagedParquet("codes are cut off");
      for (let index = 0; index < size; index++) value += (bytes[at + index] as number) * 2 ** (index * 8);
      at += size;
      out.fill(value, filled, filled + run);
      filled += run;
    } else {
      const groups = (head - 1) / 2;
      const take = Math.min(groups * 8, count - filled);
      if (groups === 0) throw damagedParquet("a run of codes is empty");
      if (at + Math.ceil((take * width) / 8) > bytes.length) throw damagedParquet("codes are cut off");
      unpack(bytes, at, width, out, filled, take);
      at += groups * width;
      filled += take;
    }
  }
  return out;
}

function unpack(bytes: Uint8Array, from: number, width: number, out: Uint32Array, filled: number, take: number): void {
  if (width === 0) return;
  if (width > 24) {
    // Wider than the accumulator below holds; rare enough for arithmetic that is slower.
    for (let index = 0; index < take; index++) {
      let value = 0;
      for (let bit = 0; bit < width; bit++) {
        const place = index * width + bit;
        if (((bytes[from + (place >> 3)] as number) >> (place & 7)) & 1) value += 2 ** bit;
      }
      out[filled + index] = value;
    }
    return;
  }
  const mask = (1 << width) - 1;
  let bits = 0;
  let held = 0;
  let at = from;
  for (let index = 0; index < take; index++) {
    while (held < width) {
      bits |= (bytes[at++] as number) << held;
      held += 8;
    }
    out[filled + index] = bits & mask;
    bits >>>= width;
    held -= width;
  }
}
