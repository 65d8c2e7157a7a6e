/** Snappy block decompression into exactly the size that the page header names. */
import { damagedParquet } from "./damaged.ts";

/** Up to here a loop beats a view and a copy. */
const LOOP_BYTES_MAX = 48;

export function snappyDecompress(source: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  let at = skipLength(source, size);
  let to = 0;
  while (at < source.length) {
    const tag = source[at++] as number;
    if ((tag & 3) === 0) {
      let length = (tag >> 2) + 1;
      if (length > 60) {
        const bytes = length - 60;
        length = littleEndian(source, at, bytes) + 1;
        at += bytes;
      }
      if (at + length > source.length || to + length > size) throw damagedParquet("a compressed page does not fit its size");
      if (length > LOOP_BYTES_MAX) out.set(source.subarray(at, at + length), to);
      else for (let index = 0; index < length; index++) out[to + index] = source[at + index] as number;
      at += length;
      to += length;
      continue;
    }
    const kind = tag & 3;
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offset = kind === 1 ? ((tag >> 5) << 8) | littleEndian(source, at, 1) : littleEndian(source, at, kind === 2 ? 2 : 4);
    at += kind === 1 ? 1 : kind === 2 ? 2 : 4;
    if (offset === 0 || offset > to || to + length > size) throw damagedParquet("a compressed page refers outside itself");
    // At most 64 bytes, which may overlap.
    for (let index = 0; index < length; index++) out[to + index] = out[to + index - offset] as number;
    to += length;
  }
  if (to !== size) throw damagedParquet("a compressed page is shorter than its size");
  return out;
}

function skipLength(source: Uint8Array, size: number): number {
  let value = 0;
  for (let at = 0, factor = 1; at < 5; at++, factor *= 128) {
    const byte = source[at];
    if (byte === undefined) break;
    value += (byte & 127) * factor;
    if (byte >= 128) continue;
    if (value !== size) break;
    return at + 1;
  }
  throw damagedParquet("a compressed page names another size than its header");
}

function littleEndian(source: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > source.length) throw damagedParquet("a compressed page is cut off");
  let value = 0;
  for (let index = bytes - 1; index >= 0; index--) value = value * 256 + (source[at + index] as number);
  return value;
}
