/**
 * Snappy block compression: every Parquet reader knows it, and it needs nothing of the platform. Greedy, one hash table
 * of the last places of four bytes.
 */
import type { ByteWriter } from "../bytes/byte-writer.ts";

const HASH_BITS = 14;
const OFFSET_MAX = 65_535;
const COPY_BYTES_MAX = 64;
/** After so many places without a match the search takes larger steps: noise is passed over quickly. */
const SKIP_SHIFT = 5;

/** Appends the compressed form of `source` (below 4 GiB). */
export function snappyCompress(source: Uint8Array, out: ByteWriter): void {
  out.varint(source.length);
  const table = new Int32Array(1 << HASH_BITS).fill(-1);
  const end = source.length - 4;
  let literalFrom = 0;
  let misses = 0;
  for (let at = 0; at <= end; ) {
    const word = wordAt(source, at);
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - HASH_BITS);
    const candidate = table[slot] as number;
    table[slot] = at;
    if (candidate < 0 || at - candidate > OFFSET_MAX || wordAt(source, candidate) !== word) {
      at += 1 + (misses++ >> SKIP_SHIFT);
      continue;
    }
    misses = 0;
    let size = 4;
    while (at + size < source.length && source[candidate + size] === source[at + size]) size++;
    literal(source, literalFrom, at, out);
    copies(at - candidate, size, out);
    at += size;
    literalFrom = at;
  }
  literal(source, literalFrom, source.length, out);
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);

function literal(source: Uint8Array, from: number, to: number, out: ByteWriter): void {
  if (from === to) return;
  const last = to - from - 1;
  if (last < 60) out.byte(last << 2);
  else {
    const bytes = last < 0x100 ? 1 : last < 0x1_0000 ? 2 : last < 0x100_0000 ? 3 : 4;
    out.byte((59 + bytes) << 2);
    for (let index = 0; index < bytes; index++) out.byte(last >>> (index * 8));
  }
  out.append(source.subarray(from, to));
}

function copies(offset: number, size: number, out: ByteWriter): void {
  for (let rest = size; rest > 0; rest -= COPY_BYTES_MAX) {
    out.byte(((Math.min(rest, COPY_BYTES_MAX) - 1) << 2) | 2);
    out.byte(offset & 255);
    out.byte(offset >>> 8);
  }
}
