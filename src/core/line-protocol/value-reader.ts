/** Field values of plain lines, read straight into columns. Whatever is not plain is left to the slow path (`SLOW`). */
import { BACKSLASH, isDigit, LOWER_E, LOWER_I, LOWER_U, MINUS, NEWLINE, COMMA, POINT, QUOTE, SPACE, UPPER_E } from "./characters.ts";
import { FRACTION_DIGITS, HEAD_DIGITS, longDecimal, shortDecimal, TAIL_DIGITS } from "./decimal.ts";
import type { Field, FieldColumn } from "./field-column.ts";
import { STRING_BYTES_MAX } from "./limits.ts";
import { type FieldValue, unescapeText } from "./parse-line.ts";
import type { ParsedTable } from "./parsed-table.ts";
import { fitsInt64 } from "./precision.ts";

/** The line is not plain: parse it by the whole grammar. */
export const SLOW = -1;

const FLOAT64 = 0;
const INT64 = 1;
const UINT64 = 2;
const BOOL = 3;
const UTF8 = 4;

const decoder = new TextDecoder();
const TWO_32 = 4_294_967_296;
const UINT64_MAX = 2n ** 64n - 1n;
const words = new Int32Array(2);
const wide = new BigInt64Array(words.buffer);

export class ValueReader {
  private body: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(this.body.buffer);

  begin(body: Uint8Array, view: DataView): void {
    this.body = body;
    this.view = view;
  }

  /** Puts the value at `at` into the table's row under way; the position after it, or SLOW. */
  read(at: number, table: ParsedTable, field: Field): number {
    const byte = this.body[at];
    if (byte === undefined) return SLOW;
    if (byte === MINUS || (byte >= 48 && byte <= 57)) return this.number(at, table, field);
    return byte === QUOTE ? this.text(at + 1, table, field) : this.boolean(at, table, field);
  }

  /** Puts a value that the slow path has parsed. */
  put(table: ParsedTable, field: Field, kind: number, value: FieldValue): void {
    const row = table.rows;
    const column = open(table, field, kind);
    if (value.kind === "float64") column.float64[row] = value.value;
    else if (value.kind === "bool") column.flags[row] = value.value ? 1 : 0;
    else if (value.kind === "utf8") column.putText(row, value.value, 0, value.value.length);
    else putWide(column, row, value.value);
  }

  private number(start: number, table: ParsedTable, field: Field): number {
    const body = this.body;
    let at = start;
    const negative = body[at] === MINUS;
    if (negative) at++;
    const first = at;
    let head = 0;
    let headDigits = 0;
    let digit = 0;
    while (headDigits < HEAD_DIGITS && (digit = (body[at] as number) - 48) >= 0 && digit <= 9) {
      head = head * 10 + digit;
      headDigits++;
      at++;
    }
    if (headDigits === 0) return SLOW;
    const byte = body[at];
    if (byte === POINT) return this.fraction(start, at + 1, head, headDigits, table, field);
    if (byte === LOWER_I || byte === LOWER_U || isDigit(byte)) return this.integer(first, at, head, negative, table, field);
    if (byte === LOWER_E || byte === UPPER_E) return SLOW;
    return putFloat(table, field, negative ? -head : head, at);
  }

  /** A number with a point; `head` holds the digits before it. */
  private fraction(start: number, point: number, headBefore: number, digitsBefore: number, table: ParsedTable, field: Field): number {
    const { body, view } = this;
    let headDigits = digitsBefore;
    let at = point;
    let digit = 0;
    // Four digits at once while they fit, collected as whole numbers: each byte is '0'..'9' when both tests hold.
    let high = 0;
    let highScale = 1;
    let low = 0;
    let lowScale = 1;
    while (headDigits <= HEAD_DIGITS - 4 && at + 4 <= body.length) {
      const four = view.getInt32(at, true);
      if ((four & 0xf0f0f0f0 | 0) !== 0x30303030 || (((four & 0x0f0f0f0f) + 0x06060606) & 0xf0f0f0f0 | 0) !== 0) break;
      const nibbles = four & 0x0f0f0f0f;
      const pairs = (Math.imul(nibbles, 10) + (nibbles >>> 8)) & 0x00ff00ff;
      const value = (pairs & 0xff) * 100 + (pairs >>> 16);
      if (highScale < 100_000_000) {
        high = Math.imul(high, 10_000) + value;
        highScale = Math.imul(highScale, 10_000);
      } else {
        low = value;
        lowScale = 10_000;
      }
      headDigits += 4;
      at += 4;
    }
    while (headDigits < HEAD_DIGITS && (digit = (body[at] as number) - 48) >= 0 && digit <= 9) {
      low = Math.imul(low, 10) + digit;
      lowScale = Math.imul(lowScale, 10);
      headDigits++;
      at++;
    }
    const head = (headBefore * highScale + high) * lowScale + low;
    let tail = 0;
    let tailDigits = 0;
    while (tailDigits <= TAIL_DIGITS && (digit = (body[at] as number) - 48) >= 0 && digit <= 9) {
      tail = Math.imul(tail, 10) + digit;
      tailDigits++;
      at++;
    }
    const fraction = at - point;
    if (fraction === 0 || tailDigits > TAIL_DIGITS || fraction > FRACTION_DIGITS) return SLOW;
    const byte = body[at];
    if (byte === LOWER_E || byte === UPPER_E) return SLOW;
    let value = tailDigits === 0 ? shortDecimal(head, fraction) : longDecimal(head, tail, tailDigits, fraction);
    if (value !== value) value = Math.abs(Number(decoder.decode(body.subarray(start, at))));
    return putFloat(table, field, body[start] === MINUS ? -value : value, at);
  }

  /** Digits with a suffix, or more digits than `head` holds. */
  private integer(first: number, afterHead: number, head: number, negative: boolean, table: ParsedTable, field: Field): number {
    const body = this.body;
    let at = afterHead;
    while (isDigit(body[at])) at++;
    const suffix = body[at];
    if (suffix !== LOWER_I && (suffix !== LOWER_U || negative)) return SLOW;
    const row = table.rows;
    if (at === afterHead) {
      const column = open(table, field, suffix === LOWER_I ? INT64 : UINT64);
      const high = Math.floor(head / TWO_32);
      const low = (head - high * TWO_32) | 0;
      column.words[row * 2] = negative ? (~low + 1) | 0 : low;
      column.words[row * 2 + 1] = negative ? (~high + (low === 0 ? 1 : 0)) | 0 : high;
      return at + 1;
    }
    if (at - first > 20) return SLOW;
    const magnitude = BigInt(decoder.decode(body.subarray(first, at)));
    const value = negative ? -magnitude : magnitude;
    if (suffix === LOWER_I ? !fitsInt64(value) : value > UINT64_MAX) return SLOW;
    putWide(open(table, field, suffix === LOWER_I ? INT64 : UINT64), row, value);
    return at + 1;
  }

  private text(start: number, table: ParsedTable, field: Field): number {
    const body = this.body;
    let at = start;
    let escapes = 0;
    for (let byte = body[at]; byte !== QUOTE; byte = body[at]) {
      if (byte === undefined) return SLOW;
      const escape = byte === BACKSLASH && (body[at + 1] === QUOTE || body[at + 1] === BACKSLASH);
      if (escape) escapes++;
      at += escape ? 2 : 1;
    }
    if (at - start > STRING_BYTES_MAX) return SLOW;
    const column = open(table, field, UTF8);
    if (escapes === 0) column.putText(table.rows, body, start, at);
    else {
      const text = unescapeText(body, start, at, escapes);
      column.putText(table.rows, text, 0, text.length);
    }
    return at + 1;
  }

  private boolean(start: number, table: ParsedTable, field: Field): number {
    const body = this.body;
    let at = start;
    while (at - start < 6 && body[at] !== COMMA && body[at] !== SPACE && body[at] !== NEWLINE && body[at] !== undefined) at++;
    const first = body[start];
    const size = at - start;
    const letters = first === 84 || first === 116 ? "true" : first === 70 || first === 102 ? "false" : undefined;
    if (letters === undefined || (size !== 1 && size !== letters.length)) return SLOW;
    if (size > 1 && !isBooleanWord(body, start, letters)) return SLOW;
    open(table, field, BOOL).flags[table.rows] = letters === "true" ? 1 : 0;
    return at;
  }
}

/** `true`, `True` or `TRUE`: all letters after the second are of the second's case, and no capital follows a small first. */
function isBooleanWord(body: Uint8Array, start: number, letters: string): boolean {
  const upper = body[start + 1] === letters.charCodeAt(1) - 32;
  if (upper && body[start] !== letters.charCodeAt(0) - 32) return false;
  for (let index = 1; index < letters.length; index++) {
    if (body[start + index] !== letters.charCodeAt(index) - (upper ? 32 : 0)) return false;
  }
  return true;
}

/** The field's column of this kind, with room for the row, counting one value more. */
function open(table: ParsedTable, field: Field, kind: number): FieldColumn {
  const row = table.rows;
  let column = field.columns[kind];
  if (column === undefined || !column.active || row >= column.capacity) column = table.column(field, kind);
  column.valid[row] = 1;
  column.count++;
  return column;
}

function putFloat(table: ParsedTable, field: Field, value: number, at: number): number {
  open(table, field, FLOAT64).float64[table.rows] = value;
  return at;
}

function putWide(column: FieldColumn, row: number, value: bigint): void {
  wide[0] = BigInt.asIntN(64, value);
  column.words[row * 2] = words[0] as number;
  column.words[row * 2 + 1] = words[1] as number;
}
