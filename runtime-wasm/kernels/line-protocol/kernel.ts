// Line protocol to columns, for plain lines of series and field keys that the host has made known. The kernel never decides
// that a line is wrong: it stops before a line that it does not take, and the host parses that one. Rows collect in each
// table's stage; the host takes them and calls `clear`. The host puts bytes into the window with a newline and zeros after.
import {
  COLUMN_COUNT, COLUMN_DATA, COLUMN_FIRST_ROW, COLUMN_NEXT, COLUMN_PREVIOUS, COLUMN_VALID, FIELD_COLUMNS, FIELD_LINE, KEY_FIELD, KEY_SIZE, LINE_FIELDS_MAX,
  PREFIX_HOST, PREFIX_SIZE, PREFIX_TABLE, REPORT, ROW_COLUMNS, SCRATCH, STAGE_ROWS, TABLE_FIRST_COLUMN, TABLE_LAST_COLUMN, TABLE_LINE_NUMBERS, TABLE_LINE_STARTS,
  TABLE_NEXT, TABLE_PREFIXES, TABLE_ROWS, TABLE_TIME, WINDOW,
} from "./layout";
import { BOOL, numberBits, numberKind, readNumber, UTF8 } from "./numbers";
import { expectedPrefix, findPrefix, forgetPrefixes, goBack, lastPrefix } from "./prefixes";
import { forgetSchema, nextKey } from "./schema";
import { flag, readBoolean, textEnd, textEscaped } from "./texts";
import { beginTimestamps, readTimestamp, time } from "./timestamps";

export { addPrefix } from "./prefixes";
export { addColumn, addField, addKey, addTable } from "./schema";

/** What `run` returns. */
const CONSUMED: i32 = 0;
const STAGE_FULL: i32 = 1;
const DECLINED: i32 = 2;

/** Marks a string with backslashes to resolve, in the upper word of its column's cell. */
const ESCAPED: u64 = 0x8000000000000000;

/** Counts lines that were tried: a field that has the current number was used before in this line. */
let lineTried: u32 = 0;
let rowColumns: u32 = 0;
let firstTable: usize = 0;
let lastTable: usize = 0;
/** Body position of the window's first byte. */
let base: u32 = 0;

export function scratchAddress(): usize {
  return SCRATCH;
}

export function windowAddress(): usize {
  return WINDOW;
}

export function reportAddress(): usize {
  return REPORT;
}

/** Forgets all series, tables and keys. Needed once before anything else. */
export function forget(): void {
  forgetPrefixes();
  forgetSchema();
  firstTable = lastTable = 0;
}

export function begin(precision: u32, missingTime: i64): void {
  goBack(-1);
  beginTimestamps(precision, missingTime);
}

/** True when the window's first `size` bytes are ASCII. */
export function isAscii(size: u32): bool {
  let all = i64x2.splat(0);
  // The zeros behind the window's text do not disturb.
  for (let at: u32 = 0; at < size; at += 16) all = v128.or(all, v128.load(WINDOW + at));
  return i8x16.bitmask(all) == 0;
}

/** Empties the stages. */
export function clear(): void {
  for (let table = firstTable; table != 0; ) {
    const rows = load<u32>(table, TABLE_ROWS);
    for (let column: usize = load<u32>(table, TABLE_FIRST_COLUMN); column != 0; ) {
      memory.fill(column + COLUMN_VALID, 0, rows);
      memory.fill(column + COLUMN_DATA, 0, rows << 3);
      store<u32>(column, 0, COLUMN_COUNT);
      const next: usize = load<u32>(column, COLUMN_NEXT);
      store<u32>(column, 0, COLUMN_NEXT);
      store<u32>(column, 0, COLUMN_PREVIOUS);
      column = next;
    }
    store<u32>(table, 0, TABLE_ROWS);
    store<u32>(table, 0, TABLE_FIRST_COLUMN);
    store<u32>(table, 0, TABLE_LAST_COLUMN);
    const next: usize = load<u32>(table, TABLE_NEXT);
    store<u32>(table, 0, TABLE_NEXT);
    table = next;
  }
  firstTable = lastTable = 0;
}

/** Parses the window from `from` up to `size`; `start` is the body position of the window, `lineNumber` the last line's. */
export function run(from: u32, size: u32, start: u32, lineNumber: u32): i32 {
  base = start;
  const end = WINDOW + size;
  let at = WINDOW + from;
  let lines = lineNumber;
  let state = CONSUMED;
  while (at < end) {
    const byte = load<u8>(at);
    if (byte == 10 || byte == 32 || byte == 9) {
      at++;
      continue;
    }
    if (byte == 35) {
      while (at < end && load<u8>(at) != 10) at++;
      continue;
    }
    const before = lastPrefix;
    let prefix = expectedPrefix(at, end);
    if (prefix == 0) prefix = findPrefix(at, end);
    if (prefix == 0) {
      state = DECLINED;
      break;
    }
    const table: usize = load<u32>(prefix, PREFIX_TABLE);
    const row = load<u32>(table, TABLE_ROWS);
    if (row >= STAGE_ROWS) {
      goBack(before);
      state = STAGE_FULL;
      break;
    }
    const next = fields(at + load<u32>(prefix, PREFIX_SIZE) + 1, end, table, row);
    if (next == 0) {
      undo(table, row);
      state = DECLINED;
      break;
    }
    lines++;
    store<i64>(table + (row << 3), time, TABLE_TIME);
    store<u32>(table + (row << 2), load<u32>(prefix, PREFIX_HOST), TABLE_PREFIXES);
    store<u32>(table + (row << 2), lines, TABLE_LINE_NUMBERS);
    store<u32>(table + (row << 2), <u32>(at - WINDOW) + base, TABLE_LINE_STARTS);
    store<u32>(table, row + 1, TABLE_ROWS);
    if (row == 0) {
      if (lastTable == 0) firstTable = table;
      else store<u32>(lastTable, <u32>table, TABLE_NEXT);
      lastTable = table;
    }
    at = next + 1;
  }
  store<u32>(REPORT, <u32>min<usize>(at, end) - <u32>WINDOW);
  store<u32>(REPORT, lines, 4);
  store<u32>(REPORT, <u32>firstTable, 8);
  return state;
}

/** Fields and timestamp of a line; the position of its newline, or 0: not plain. */
// @ts-ignore: decorator
@inline
function fields(start: usize, end: usize, table: usize, row: u32): usize {
  rowColumns = 0;
  lineTried++;
  let key: usize = 0;
  let at = start;
  for (;;) {
    key = nextKey(table, key, at);
    if (key == 0) return 0;
    const field: usize = load<u32>(key, KEY_FIELD);
    if (load<u32>(field, FIELD_LINE) == lineTried) return 0;
    store<u32>(field, lineTried, FIELD_LINE);
    at = value(at + load<u32>(key, KEY_SIZE), end, table, field, row);
    if (at == 0) return 0;
    if (load<u8>(at) != 44) break;
    at++;
  }
  const newline = readTimestamp(at);
  return newline <= end ? newline : 0;
}

/** Puts the value at `at` into its column; the position after it, or 0. */
// @ts-ignore: decorator
@inline
function value(at: usize, end: usize, table: usize, field: usize, row: u32): usize {
  const byte = load<u8>(at);
  if (byte == 45 || <u32>byte - 48 <= 9) {
    const next = readNumber(at);
    if (next == 0) return 0;
    const column = openColumn(table, field, numberKind, row);
    if (column == 0) return 0;
    store<u64>(column + (row << 3), numberBits, COLUMN_DATA);
    return next;
  }
  if (byte != 34) {
    const next = readBoolean(at);
    if (next == 0) return 0;
    const column = openColumn(table, field, BOOL, row);
    if (column == 0) return 0;
    store<u64>(column + (row << 3), flag ? 1 : 0, COLUMN_DATA);
    return next;
  }
  const close = textEnd(at + 1, end);
  if (close == 0) return 0;
  const column = openColumn(table, field, UTF8, row);
  if (column == 0) return 0;
  const first = <u64>(at + 1 - WINDOW) + base;
  const last = <u64>(close - WINDOW) + base;
  store<u64>(column + (row << 3), first | (last << 32) | (textEscaped ? ESCAPED : 0), COLUMN_DATA);
  return close + 1;
}

/** The field's column of this kind, counting one value more; 0 when the host has made none known. */
// @ts-ignore: decorator
@inline
function openColumn(table: usize, field: usize, kind: u32, row: u32): usize {
  const column: usize = load<u32>(field + (kind << 2), FIELD_COLUMNS);
  if (column == 0 || rowColumns >= LINE_FIELDS_MAX) return 0;
  const count = load<u32>(column, COLUMN_COUNT);
  if (count == 0) link(table, column, row);
  store<u32>(column, count + 1, COLUMN_COUNT);
  store<u8>(column + row, 1, COLUMN_VALID);
  store<u32>(ROW_COLUMNS + (rowColumns << 2), <u32>column);
  rowColumns++;
  return column;
}

function link(table: usize, column: usize, row: u32): void {
  const last: usize = load<u32>(table, TABLE_LAST_COLUMN);
  store<u32>(column, row, COLUMN_FIRST_ROW);
  store<u32>(column, <u32>last, COLUMN_PREVIOUS);
  store<u32>(column, 0, COLUMN_NEXT);
  if (last == 0) store<u32>(table, <u32>column, TABLE_FIRST_COLUMN);
  else store<u32>(last, <u32>column, COLUMN_NEXT);
  store<u32>(table, <u32>column, TABLE_LAST_COLUMN);
}

/** Takes back what a declined line has put into its row. */
function undo(table: usize, row: u32): void {
  for (let index = rowColumns; index > 0; ) {
    index--;
    const column: usize = load<u32>(ROW_COLUMNS + (index << 2));
    store<u8>(column + row, 0, COLUMN_VALID);
    store<u64>(column + (row << 3), 0, COLUMN_DATA);
    const count = load<u32>(column, COLUMN_COUNT) - 1;
    store<u32>(column, count, COLUMN_COUNT);
    if (count > 0) continue;
    // Columns without a value left are the last ones of the list.
    const previous: usize = load<u32>(column, COLUMN_PREVIOUS);
    store<u32>(table, <u32>previous, TABLE_LAST_COLUMN);
    if (previous == 0) store<u32>(table, 0, TABLE_FIRST_COLUMN);
    else store<u32>(previous, 0, COLUMN_NEXT);
  }
  rowColumns = 0;
}
