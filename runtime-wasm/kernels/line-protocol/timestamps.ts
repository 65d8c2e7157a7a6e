// Timestamps to nanoseconds. Batches repeat a timestamp line after line, so the last one is compared first.
import { digitsValue, readDigits } from "./numbers";

/** Same order as the host's list: auto, second, millisecond, microsecond, nanosecond. */
const SECOND: u32 = 1;
const MILLISECOND: u32 = 2;
const MICROSECOND: u32 = 3;
/** Times from here on are left to the host, which knows the exact limit. */
const TIME_LIMIT: u64 = 9_223_372_036_000_000_000;
const TEXT: usize = memory.data(48, 16);

let precision: u32 = 0;
let missing: i64 = 0;
let lastSize: u32 = 0;
let lastTime: i64 = 0;
/** What `readTimestamp` has read. */
export let time: i64 = 0;

export function beginTimestamps(precisionIndex: u32, missingTime: i64): void {
  precision = precisionIndex;
  missing = missingTime;
  lastSize = 0;
}

/** Reads what follows the fields; the position of the newline that ends the line, or 0. */
// @ts-ignore: decorator
@inline
export function readTimestamp(start: usize): usize {
  let at = start;
  const byte = load<u8>(at);
  if (byte == 10) {
    time = missing;
    return at;
  }
  if (byte != 32) return 0;
  while (load<u8>(at) == 32) at++;
  at = repeats(at) ? at + lastSize : other(at);
  if (at == 0) return 0;
  time = lastTime;
  while (load<u8>(at) == 32) at++;
  return load<u8>(at) == 10 ? at : 0;
}

// @ts-ignore: decorator
@inline
function repeats(at: usize): bool {
  const size = lastSize;
  if (size < 16) return false;
  if (v128.any_true(v128.xor(v128.load(at), v128.load(TEXT)))) return false;
  if (v128.any_true(v128.xor(v128.load(at + size - 16), v128.load(TEXT + size - 16)))) return false;
  const after = load<u8>(at + size);
  return after == 10 || after == 32;
}

function other(start: usize): usize {
  const negative = load<u8>(start) == 45;
  const first = negative ? start + 1 : start;
  const at = readDigits(first, 0);
  const digits = <u32>(at - first);
  if (digits == 0 || digits > 19) return 0;
  const magnitude = digitsValue;
  const unit = multiplier(magnitude);
  if (magnitude >= TIME_LIMIT / unit) return 0;
  const nanoseconds = <i64>(magnitude * unit);
  lastTime = negative ? -nanoseconds : nanoseconds;
  lastSize = <u32>(at - start);
  memory.copy(TEXT, start, 32);
  return at;
}

function multiplier(magnitude: u64): u64 {
  const head = magnitude / 1_000_000_000;
  if (precision == SECOND || (precision == 0 && head < 5)) return 1_000_000_000;
  if (precision == MILLISECOND || (precision == 0 && head < 5_000)) return 1_000_000;
  if (precision == MICROSECOND || (precision == 0 && head < 5_000_000)) return 1_000;
  return 1;
}
