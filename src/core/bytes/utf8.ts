/** UTF-8 checks over raw bytes, without making a string of them. */

/** Position of the first byte that is not valid UTF-8, or -1. Runs of ASCII are skipped 16 bytes at a time. */
export function invalidUtf8At(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  while (at < end) {
    while (
      at + 16 <= end &&
      ((view.getInt32(at, true) | view.getInt32(at + 4, true) | view.getInt32(at + 8, true) | view.getInt32(at + 12, true)) & 0x80808080) === 0
    ) {
      at += 16;
    }
    if (at >= end) return -1;
    if ((bytes[at] as number) < 0x80) {
      at++;
      continue;
    }
    const size = sequenceSize(bytes, at, end);
    if (size === 0) return at;
    at += size;
  }
  return -1;
}

/** Bytes of the multi-byte sequence at `at`, or 0 when it is overlong, a surrogate, beyond U+10FFFF or cut off. */
function sequenceSize(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + size > end) return 0;
  const second = bytes[at + 1] as number;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let index = 2; index < size; index++) if (((bytes[at + index] as number) & 0xc0) !== 0x80) return 0;
  return size;
}

/** Largest `n <= limit` that does not cut a character of the UTF-8 text `bytes` in two. */
export function utf8Boundary(bytes: Uint8Array, limit: number): number {
  if (bytes.length <= limit) return bytes.length;
  let at = limit;
  while (at > 0 && ((bytes[at] as number) & 0xc0) === 0x80) at--;
  return at;
}
