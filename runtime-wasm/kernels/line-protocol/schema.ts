// Tables, fields, columns and field keys, as the host has made them known. All live in one pool; a full pool is not an
// error: the host then parses the lines that need more.
import { differ16, hashBytes, sameBytes } from "./bytes";
import {
  COLUMN_BYTES, COLUMN_HOST, FIELD_BYTES, FIELD_COLUMNS, KEY_FIELD, KEY_HASH, KEY_MASK, KEY_NEXT, KEY_SIZE, KEY_SLOT_MASK, KEY_SLOTS_AT, KEY_TABLE, KEY_TEXT,
  KEYS_LIMIT, POOL, POOL_END, SCRATCH, TABLE_BYTES, TABLE_FIRST_KEY, TABLE_HOST,
} from "./layout";

let poolEnd: usize = POOL;
let keyCount: u32 = 0;

export function forgetSchema(): void {
  memory.fill(KEY_SLOTS_AT, 0, (KEY_SLOT_MASK + 1) * 4);
  poolEnd = POOL;
  keyCount = 0;
}

/** Zeroed memory, or 0 when there is none. */
function allocate(size: usize): usize {
  const at = (poolEnd + 63) & ~63;
  if (at + size > POOL_END - 64) return 0;
  poolEnd = at + size;
  memory.fill(at, 0, size);
  return at;
}

/** These return 0 when there is no room. */
export function addTable(host: u32): usize {
  const table = allocate(TABLE_BYTES);
  if (table != 0) store<u32>(table, host, TABLE_HOST);
  return table;
}

export function addField(): usize {
  return allocate(FIELD_BYTES);
}

export function addColumn(field: usize, kind: u32, host: u32): usize {
  const column = allocate(COLUMN_BYTES);
  if (column == 0) return 0;
  store<u32>(column, host, COLUMN_HOST);
  store<u32>(field + (kind << 2), <u32>column, FIELD_COLUMNS);
  return column;
}

/** Adds the spelling that the host has put into the scratch area. */
export function addKey(table: usize, field: usize, size: u32): usize {
  if (keyCount >= KEYS_LIMIT) return 0;
  const key = allocate(KEY_TEXT + size + 16);
  if (key == 0) return 0;
  keyCount++;
  const hash = hashBytes(SCRATCH, size, <u32>table);
  store<u32>(key, size, KEY_SIZE);
  store<u32>(key, <u32>field, KEY_FIELD);
  store<u32>(key, <u32>table, KEY_TABLE);
  store<u32>(key, hash, KEY_HASH);
  memory.fill(key + KEY_MASK, 0xff, min<u32>(size, 16));
  memory.copy(key + KEY_TEXT, SCRATCH, size);
  let slot = hash & KEY_SLOT_MASK;
  while (load<u32>(KEY_SLOTS_AT + (slot << 2)) != 0) slot = (slot + 1) & KEY_SLOT_MASK;
  store<u32>(KEY_SLOTS_AT + (slot << 2), <u32>key);
  return key;
}

// @ts-ignore: decorator
@inline
function matches(key: usize, at: usize): bool {
  const size = load<u32>(key, KEY_SIZE);
  const difference = v128.xor(v128.load(at), v128.load(key, KEY_TEXT));
  if (v128.any_true(v128.and(difference, v128.load(key, KEY_MASK)))) return false;
  if (size <= 16) return true;
  if (size <= 32) return !differ16(at + size - 16, key + KEY_TEXT + size - 16);
  return sameBytes(at, key + KEY_TEXT, size);
}

/** The key that stands at `at`, or 0; `previous` is the line's key before it (0: none). */
// @ts-ignore: decorator
@inline
export function nextKey(table: usize, previous: usize, at: usize): usize {
  const expected: usize = previous == 0 ? load<u32>(table, TABLE_FIRST_KEY) : load<u32>(previous, KEY_NEXT);
  if (expected != 0 && matches(expected, at)) return expected;
  const key = findKey(table, at);
  if (key == 0) return 0;
  if (previous == 0) store<u32>(table, <u32>key, TABLE_FIRST_KEY);
  else store<u32>(previous, <u32>key, KEY_NEXT);
  return key;
}

function findKey(table: usize, start: usize): usize {
  let at = start;
  for (; ; at++) {
    const byte = <u32>load<u8>(at);
    if (byte == 61) break;
    // A newline follows every window, so this ends.
    if (byte <= 32 || byte == 44 || byte == 92) return 0;
  }
  const size = <u32>(at + 1 - start);
  const hash = hashBytes(start, size, <u32>table);
  let slot = hash & KEY_SLOT_MASK;
  let key: usize = load<u32>(KEY_SLOTS_AT + (slot << 2));
  while (key != 0 && !isKey(key, table, hash, start, size)) {
    slot = (slot + 1) & KEY_SLOT_MASK;
    key = load<u32>(KEY_SLOTS_AT + (slot << 2));
  }
  return key;
}

function isKey(key: usize, table: usize, hash: u32, at: usize, size: u32): bool {
  if (load<u32>(key, KEY_HASH) != hash || load<u32>(key, KEY_TABLE) != <u32>table || load<u32>(key, KEY_SIZE) != size) return false;
  return sameBytes(at, key + KEY_TEXT, size);
}
