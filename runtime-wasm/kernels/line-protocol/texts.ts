// Strings and booleans.

/** True when the string that was read last has backslashes to resolve. */
export let textEscaped: bool = false;
export let flag: bool = false;

/** `start` is behind the opening quote; the position of the closing one, or 0. */
export function textEnd(start: usize, end: usize): usize {
  const quote = i8x16.splat(34);
  const backslash = i8x16.splat(92);
  textEscaped = false;
  let at = start;
  while (at < end) {
    const bytes = v128.load(at);
    const found = i8x16.bitmask(v128.or(i8x16.eq(bytes, quote), i8x16.eq(bytes, backslash)));
    if (found == 0) {
      at += 16;
      continue;
    }
    at += ctz(found);
    if (at >= end) return 0;
    if (load<u8>(at) == 34) return at;
    const next = load<u8>(at + 1);
    const escape = next == 34 || next == 92;
    if (escape) textEscaped = true;
    at += escape ? 2 : 1;
  }
  return 0;
}

/** Reads a boolean in one of its ten spellings; the position after it, or 0. The caller checks what follows. */
export function readBoolean(at: usize): usize {
  const first = load<u8>(at);
  flag = first == 116 || first == 84;
  if (!flag && first != 102 && first != 70) return 0;
  const second = load<u8>(at + 1);
  if (second == 44 || second == 32 || second == 10) return at + 1;
  const word = load<u32>(at);
  // Little-endian: true, True, TRUE; fals, Fals, FALS.
  if (word == 0x65757274 || word == 0x65757254 || word == 0x45555254) return at + 4;
  const last = load<u8>(at + 4);
  if ((word == 0x736c6166 || word == 0x736c6146) && last == 101) return at + 5;
  return word == 0x534c4146 && last == 69 ? at + 5 : 0;
}
