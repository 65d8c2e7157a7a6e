// Powers for decimal fractions, by the number of digits after the point.

/** 5^-n for n = 0..27, scaled to 128 bits with the top bit set and rounded up: high word, low word (Lemire, 2021). */
export const INVERSE_POWERS_OF_FIVE: usize = memory.data<u64>([
  0x8000000000000000, 0x0000000000000000,
  0xcccccccccccccccc, 0xcccccccccccccccd,
  0xa3d70a3d70a3d70a, 0x3d70a3d70a3d70a4,
  0x83126e978d4fdf3b, 0x645a1cac083126ea,
  0xd1b71758e219652b, 0xd3c36113404ea4a9,
  0xa7c5ac471b478423, 0x0fcf80dc33721d54,
  0x8637bd05af6c69b5, 0xa63f9a49c2c1b110,
  0xd6bf94d5e57a42bc, 0x3d32907604691b4d,
  0xabcc77118461cefc, 0xfdc20d2b36ba7c3e,
  0x89705f4136b4a597, 0x31680a88f8953031,
  0xdbe6fecebdedd5be, 0xb573440e5a884d1c,
  0xafebff0bcb24aafe, 0xf78f69a51539d749,
  0x8cbccc096f5088cb, 0xf93f87b7442e45d4,
  0xe12e13424bb40e13, 0x2865a5f206b06fba,
  0xb424dc35095cd80f, 0x538484c19ef38c95,
  0x901d7cf73ab0acd9, 0x0f9d37014bf60a11,
  0xe69594bec44de15b, 0x4c2ebe687989a9b4,
  0xb877aa3236a4b449, 0x09befeb9fad487c3,
  0x9392ee8e921d5d07, 0x3aff322e62439fd0,
  0xec1e4a7db69561a5, 0x2b31e9e3d06c32e6,
  0xbce5086492111aea, 0x88f4bb1ca6bcf585,
  0x971da05074da7bee, 0xd3f6fc16ebca5e04,
  0xf1c90080baf72cb1, 0x5324c68b12dd6339,
  0xc16d9a0095928a27, 0x75b7053c0f178294,
  0x9abe14cd44753b52, 0xc4926a9672793543,
  0xf79687aed3eec551, 0x3a83ddbd83f52205,
  0xc612062576589dda, 0x95364afe032a819e,
  0x9e74d1b791e07e48, 0x775ea264cf55347e,
]);

/** 10^n for n = 0..22: these are exact in a double. */
export const POWERS_OF_TEN: usize = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]);
