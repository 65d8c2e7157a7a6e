// The first bytes of all values, then the second ones, and so on: exponents of neighbours stand together and compress.

/** A 8 × 16 transposition of bytes with four rounds of interleaving; the last values one by one. */
export function splitBytes(from: usize, count: u32, to: usize): void {
  const whole = count & ~15;
  for (let row: u32 = 0; row < whole; row += 16) {
    const at = from + (row << 3);
    let a = v128.load(at);
    let b = v128.load(at, 16);
    let c = v128.load(at, 32);
    let d = v128.load(at, 48);
    let e = v128.load(at, 64);
    let f = v128.load(at, 80);
    let g = v128.load(at, 96);
    let h = v128.load(at, 112);
    for (let round = 0; round < 4; round++) {
      const a1 = low(a, e);
      const b1 = high(a, e);
      const c1 = low(b, f);
      const d1 = high(b, f);
      const e1 = low(c, g);
      const f1 = high(c, g);
      const g1 = low(d, h);
      const h1 = high(d, h);
      a = a1;
      b = b1;
      c = c1;
      d = d1;
      e = e1;
      f = f1;
      g = g1;
      h = h1;
    }
    const out = to + row;
    v128.store(out, a);
    v128.store(out + count, b);
    v128.store(out + count * 2, c);
    v128.store(out + count * 3, d);
    v128.store(out + count * 4, e);
    v128.store(out + count * 5, f);
    v128.store(out + count * 6, g);
    v128.store(out + count * 7, h);
  }
  for (let row = whole; row < count; row++) {
    for (let byte: u32 = 0; byte < 8; byte++) store<u8>(to + byte * count + row, load<u8>(from + (row << 3) + byte));
  }
}

// @ts-ignore: decorator
@inline
function low(left: v128, right: v128): v128 {
  return i8x16.shuffle(left, right, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline
function high(left: v128, right: v128): v128 {
  return i8x16.shuffle(left, right, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
