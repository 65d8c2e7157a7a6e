// Where everything lies in the kernel's memory: pages of one row group at most. The host knows the areas by their addresses
// (`src/core/parquet/page-kernel.ts` has the same sizes). The memory never grows: views of it stay valid.

export const ROWS_MAX: u32 = 65_536;
/** Distinct numbers of a dictionary page. */
export const DICTIONARY_MAX: u32 = 16_384;
export const PAGE_BYTES: u32 = 1_048_576;
const SLOTS: u32 = 131_072;
const MATCH_SLOTS: u32 = 16_384;

/** i64 least | i64 greatest | u32 has bounds | u32 dictionary entries | u32 body bytes */
export const REPORT: usize = memory.data(32, 16);

const START: usize = (__heap_base + 63) & ~63;
/** Values, codes or validity bytes from the host. */
export const INPUT: usize = START;
export const CODES: usize = INPUT + ROWS_MAX * 8;
/** Values of the dictionary, or the host's codes in the order of their first use. */
export const DICTIONARY: usize = CODES + ROWS_MAX * 4 + 64;
export const SLOTS_AT: usize = DICTIONARY + ROWS_MAX * 4;
export const SLOT_MASK: u32 = SLOTS - 1;
/** An encoded body. */
export const BODY: usize = SLOTS_AT + SLOTS * 4;
export const PAGE: usize = BODY + ROWS_MAX * 8 + 65_536;
export const MATCHES: usize = PAGE + PAGE_BYTES + 64;
export const MATCHES_BYTES: u32 = MATCH_SLOTS * 4;
/** Snappy's worst case is 7/6 of its input. */
export const COMPRESSED: usize = MATCHES + MATCHES_BYTES;
