/**
 * Parquet's run-length and bit-packing hybrid, for dictionary codes and definition levels: runs of eight or more equal
 * values as one entry, the rest packed in groups of eight.
 */
import type { ByteWriter } from "../bytes/byte-writer.ts";
import { assert } from "../errors/assert.ts";

const GROUP = 8;
/** Codes are packed through a 32-bit accumulator that holds up to 7 bits of the value before. */
const WIDTH_MAX = 24;

/** Bits that hold `max`. */
export const bitWidth = (max: number): number => 32 - Math.clz32(max);

export function encodeHybrid(values: Uint32Array | Uint8Array, width: number, out: ByteWriter): void {
  assert(width <= WIDTH_MAX, "dictionary codes fit 24 bits");
  let packFrom = 0;
  for (let at = 0; at < values.length; ) {
    const value = values[at] as number;
    let end = at + 1;
    while (end < values.length && values[end] === value) end++;
    // A packed stretch before the run must be whole groups: it takes the run's first values.
    const fill = (GROUP - ((at - packFrom) % GROUP)) % GROUP;
    if (end - at - fill >= GROUP) {
      pack(values, packFrom, at + fill, width, out);
      out.varint((end - at - fill) * 2);
      for (let shift = 0; shift < width; shift += 8) out.byte(value >>> shift);
      packFrom = end;
    }
    at = end;
  }
  pack(values, packFrom, values.length, width, out);
}

function pack(values: Uint32Array | Uint8Array, from: number, to: number, width: number, out: ByteWriter): void {
  if (from === to) return;
  const groups = Math.ceil((to - from) / GROUP);
  out.varint(groups * 2 + 1);
  let bits = 0;
  let held = 0;
  for (let at = from; at < from + groups * GROUP; at++) {
    bits |= (at < to ? (values[at] as number) : 0) << held;
    held += width;
    while (held >= 8) {
      out.byte(bits & 255);
      bits >>>= 8;
      held -= 8;
    }
  }
}
