// Comparing and hashing runs of bytes, sixteen at a time. Loads may pass the end of a run: all regions are padded.

// @ts-ignore: decorator
@inline
export function differ16(a: usize, b: usize): bool {
  return v128.any_true(v128.xor(v128.load(a), v128.load(b)));
}

/** True when `size` bytes at `a` and `b` are the same. */
// @ts-ignore: decorator
@inline
export function sameBytes(a: usize, b: usize, size: u32): bool {
  let at: u32 = 0;
  for (; at + 16 <= size; at += 16) if (differ16(a + at, b + at)) return false;
  if (at == size) return true;
  if (size >= 16) return !differ16(a + size - 16, b + size - 16);
  for (; at < size; at++) if (load<u8>(a + at) != load<u8>(b + at)) return false;
  return true;
}

export function hashBytes(at: usize, size: u32, seed: u32): u32 {
  let hash: u64 = ((<u64>seed) << 32) | size;
  let done: u32 = 0;
  for (; done + 8 <= size; done += 8) {
    hash = (hash ^ load<u64>(at + done)) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  for (; done < size; done++) hash = (hash ^ load<u8>(at + done)) * 0x9e3779b97f4a7c15;
  hash ^= hash >> 31;
  hash *= 0xbf58476d1ce4e5b9;
  return <u32>(hash >> 32);
}
