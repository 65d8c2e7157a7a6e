// CRC-32 (IEEE 802.3, reflected), sixteen bytes a step. The host copies bytes into the window, a stretch at a time.

const POLYNOMIAL: u32 = 0xedb88320;
const SLICES: u32 = 16;
/** A table of 256 words for each byte of a step. */
const TABLES: usize = (__heap_base + 63) & ~63;
const WINDOW: usize = TABLES + SLICES * 1024;

makeTables();

function makeTables(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >> 1) ^ POLYNOMIAL : value >> 1;
    store<u32>(TABLES + (byte << 2), value);
  }
  for (let slice: u32 = 1; slice < SLICES; slice++) {
    for (let byte: u32 = 0; byte < 256; byte++) {
      const value = load<u32>(TABLES + ((slice - 1) << 10) + (byte << 2));
      store<u32>(TABLES + (slice << 10) + (byte << 2), load<u32>(TABLES + ((value & 255) << 2)) ^ (value >> 8));
    }
  }
}

// @ts-ignore: decorator
@inline
function at(slice: u32, byte: u32): u32 {
  return load<u32>(TABLES + (slice << 10) + ((byte & 255) << 2));
}

/** Four bytes of a step, of which the first goes through table `slice`. */
// @ts-ignore: decorator
@inline
function word(value: u32, slice: u32): u32 {
  return at(slice, value) ^ at(slice - 1, value >> 8) ^ at(slice - 2, value >> 16) ^ at(slice - 3, value >> 24);
}

export function windowAddress(): usize {
  return WINDOW;
}

/** Continues the checksum `seed` with the window's first `size` bytes. */
export function update(seed: u32, size: u32): u32 {
  let crc = ~seed;
  let from = WINDOW;
  const end = WINDOW + size;
  for (; from + 16 <= end; from += 16) {
    crc = word(crc ^ load<u32>(from), 15) ^ word(load<u32>(from, 4), 11) ^ word(load<u32>(from, 8), 7) ^ word(load<u32>(from, 12), 3);
  }
  for (; from < end; from++) crc = at(0, crc ^ load<u8>(from)) ^ (crc >> 8);
  return ~crc;
}
