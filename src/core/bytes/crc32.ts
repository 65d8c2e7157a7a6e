/**
 * CRC-32 (IEEE 802.3, reflected, as gzip and zlib compute it), eight bytes a step. Always the same value whatever the
 * alignment of the bytes.
 */
/** Checksum of `bytes` from `start` on. */
export type Checksum = (bytes: Uint8Array, start: number) => number;

const POLYNOMIAL = 0xedb88320;
const TABLES = makeTables();

function makeTables(): readonly Int32Array[] {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256));
  const first = tables[0] as Int32Array;
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    first[byte] = value;
  }
  for (let slice = 1; slice < 8; slice++) {
    const previous = tables[slice - 1] as Int32Array;
    const table = tables[slice] as Int32Array;
    for (let byte = 0; byte < 256; byte++) {
      const value = previous[byte] as number;
      table[byte] = (first[value & 255] as number) ^ (value >>> 8);
    }
  }
  return tables;
}

const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

/** Checksum of `bytes` from `start` to `end` as an unsigned number; `seed` continues an earlier one. */
export function crc32(bytes: Uint8Array, start = 0, end: number = bytes.length, seed = 0): number {
  let crc = ~seed;
  let at = start;
  while (at < end && ((bytes.byteOffset + at) & 3) !== 0) crc = (T0[(crc ^ (bytes[at++] as number)) & 255] as number) ^ (crc >>> 8);
  const words = (end - at) >> 3;
  if (words > 0) {
    const view = new Int32Array(bytes.buffer, bytes.byteOffset + at, words * 2);
    for (let index = 0; index < words * 2; index += 2) {
      const low = crc ^ (view[index] as number);
      const high = view[index + 1] as number;
      crc =
        (T7[low & 255] as number) ^ (T6[(low >>> 8) & 255] as number) ^ (T5[(low >>> 16) & 255] as number) ^ (T4[low >>> 24] as number) ^
        (T3[high & 255] as number) ^ (T2[(high >>> 8) & 255] as number) ^ (T1[(high >>> 16) & 255] as number) ^ (T0[high >>> 24] as number);
    }
    at += words * 8;
  }
  while (at < end) crc = (T0[(crc ^ (bytes[at++] as number)) & 255] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}
