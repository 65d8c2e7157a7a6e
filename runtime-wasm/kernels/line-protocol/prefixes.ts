// Raw `measurement,tags` prefixes: an open-addressing table over an arena, and for each the one that followed it last.
import { hashBytes, sameBytes } from "./bytes";
import {
  PREFIX_ARENA, PREFIX_ARENA_END, PREFIX_HASH, PREFIX_HOST, PREFIX_NEXT, PREFIX_OFFSET, PREFIX_SIZE, PREFIX_SLOT_MASK, PREFIX_SLOTS_AT, PREFIX_TABLE,
  PREFIXES, PREFIXES_MAX, SCRATCH,
} from "./layout";

export let lastPrefix: i32 = -1;
let count: u32 = 0;
let arenaEnd: usize = PREFIX_ARENA;

export function forgetPrefixes(): void {
  memory.fill(PREFIX_SLOTS_AT, 0xff, (PREFIX_SLOT_MASK + 1) * 4);
  count = 0;
  arenaEnd = PREFIX_ARENA;
  lastPrefix = -1;
}

/** Makes `index` the last prefix again (-1: none). */
export function goBack(index: i32): void {
  lastPrefix = index;
}

// @ts-ignore: decorator
@inline
export function prefixAt(index: i32): usize {
  return PREFIXES + (<usize>index << 5);
}

/** Makes the prefix the last one, and the one expected after its predecessor. */
// @ts-ignore: decorator
@inline
function follow(index: i32): void {
  if (lastPrefix >= 0) store<i32>(prefixAt(lastPrefix), index, PREFIX_NEXT);
  lastPrefix = index;
}

/** Adds the prefix that the host has put into the scratch area; false: no room. */
export function addPrefix(size: u32, table: u32, host: u32): bool {
  if (count >= PREFIXES_MAX || arenaEnd + size > PREFIX_ARENA_END) return false;
  const hash = hashBytes(SCRATCH, size, 0);
  const index = <i32>count;
  count++;
  const prefix = prefixAt(index);
  memory.copy(arenaEnd, SCRATCH, size);
  store<u32>(prefix, <u32>arenaEnd, PREFIX_OFFSET);
  store<u32>(prefix, size, PREFIX_SIZE);
  store<u32>(prefix, hash, PREFIX_HASH);
  store<i32>(prefix, -1, PREFIX_NEXT);
  store<u32>(prefix, table, PREFIX_TABLE);
  store<u32>(prefix, host, PREFIX_HOST);
  arenaEnd += size;
  let slot = hash & PREFIX_SLOT_MASK;
  while (load<i32>(PREFIX_SLOTS_AT + (slot << 2)) >= 0) slot = (slot + 1) & PREFIX_SLOT_MASK;
  store<i32>(PREFIX_SLOTS_AT + (slot << 2), index);
  follow(index);
  return true;
}

/** The prefix that is expected after the last one, when it stands at `at` with a space after it; else 0. */
// @ts-ignore: decorator
@inline
export function expectedPrefix(at: usize, end: usize): usize {
  if (lastPrefix < 0) return 0;
  const index = load<i32>(prefixAt(lastPrefix), PREFIX_NEXT);
  if (index < 0) return 0;
  const prefix = prefixAt(index);
  const size = load<u32>(prefix, PREFIX_SIZE);
  if (at + size >= end || load<u8>(at + size) != 32) return 0;
  if (!sameBytes(at, load<u32>(prefix, PREFIX_OFFSET), size)) return 0;
  lastPrefix = index;
  return prefix;
}

/** The known prefix that starts the line at `at`, or 0. */
export function findPrefix(at: usize, end: usize): usize {
  const size = prefixSize(at, end);
  if (size == 0) return 0;
  const hash = hashBytes(at, size, 0);
  for (let slot = hash & PREFIX_SLOT_MASK; ; slot = (slot + 1) & PREFIX_SLOT_MASK) {
    const index = load<i32>(PREFIX_SLOTS_AT + (slot << 2));
    if (index < 0) return 0;
    const prefix = prefixAt(index);
    if (load<u32>(prefix, PREFIX_HASH) != hash || load<u32>(prefix, PREFIX_SIZE) != size) continue;
    if (!sameBytes(at, load<u32>(prefix, PREFIX_OFFSET), size)) continue;
    follow(index);
    return prefix;
  }
}

/** Bytes before the first space that no backslash escapes; 0 when the line ends before. */
function prefixSize(start: usize, end: usize): u32 {
  const space = i8x16.splat(32);
  const backslash = i8x16.splat(92);
  const newline = i8x16.splat(10);
  let at = start;
  while (at < end) {
    const bytes = v128.load(at);
    const found = i8x16.bitmask(v128.or(v128.or(i8x16.eq(bytes, space), i8x16.eq(bytes, backslash)), i8x16.eq(bytes, newline)));
    if (found == 0) {
      at += 16;
      continue;
    }
    at += ctz(found);
    const byte = load<u8>(at);
    if (byte != 92) return byte == 32 && at < end ? <u32>(at - start) : 0;
    at += 2;
  }
  return 0;
}
