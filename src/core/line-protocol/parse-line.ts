/**
 * Parses one line by the whole grammar (spec: line-protocol-and-write §1-§3), with the reference's error texts. This is
 * the reference path: the fast path must agree with it on every line that it accepts.
 */
import { BACKSLASH, COMMA, EQUALS, isBlank, isDigit, LOWER_E, LOWER_I, LOWER_U, MINUS, NUL, PLUS, POINT, QUOTE, SPACE, UPPER_E } from "./characters.ts";
import { ERROR_CONTEXT_CHARACTERS, LINE_COLUMNS_MAX, STRING_BYTES_MAX } from "./limits.ts";
import { fitsInt64 } from "./precision.ts";

export type FieldValue =
  | { readonly kind: "float64"; readonly value: number }
  | { readonly kind: "int64" | "uint64"; readonly value: bigint }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "utf8"; readonly value: Uint8Array };

export interface ParsedField {
  readonly name: string;
  readonly value: FieldValue;
  /** Where the raw key, its equals sign included, stands. */
  readonly keyStart: number;
  readonly keyEnd: number;
}

export interface ParsedLine {
  readonly measurement: string;
  readonly tags: readonly (readonly [name: string, value: string])[];
  readonly fields: readonly ParsedField[];
  readonly timestamp: bigint | undefined;
  /** End of the raw measurement and tags. */
  readonly seriesEnd: number;
}

/** Starts as the texts of the catalog's limits do, which are lower mostly. */
const LINE_COLUMNS_TEXT = `Update to schema would exceed number of columns per line: at most ${LINE_COLUMNS_MAX} tags and ${LINE_COLUMNS_MAX} fields`;

/** Why a line is refused. It never leaves this folder as an exception. */
class LineFault extends Error {}

/** The line from `start` (its first character that is not blank) to `end`, or the error message. */
export function parseLine(bytes: Uint8Array, start: number, end: number): ParsedLine | string {
  try {
    return new LineReader(bytes, start, end).line();
  } catch (fault) {
    if (fault instanceof LineFault) return fault.message;
    throw fault;
  }
}

const UINT64_MAX = 2n ** 64n - 1n;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The reference cuts text of more than ten bytes to its first ten characters. */
export function errorContext(bytes: Uint8Array): string {
  const text = decoder.decode(bytes.length > 64 ? bytes.subarray(0, 64) : bytes);
  return bytes.length > ERROR_CONTEXT_CHARACTERS ? `${[...text].slice(0, ERROR_CONTEXT_CHARACTERS).join("")}...` : text;
}

class LineReader {
  private readonly bytes: Uint8Array;
  private readonly end: number;
  private at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  line(): ParsedLine {
    const measurement = this.measurement();
    const tags = this.peek() === COMMA ? this.tags() : [];
    const seriesEnd = this.at;
    if (!this.blanks()) throw new LineFault(`Expected at least one space character, got ${this.rest(false)}`);
    const fields = this.fields();
    const timestamp = this.timestamp();
    if (this.at < this.end) throw new LineFault(`Could not parse entire line. Found trailing content: ${this.rest(true)}`);
    return { measurement, tags, fields, timestamp, seriesEnd };
  }

  private peek(): number | undefined {
    return this.at < this.end ? this.bytes[this.at] : undefined;
  }

  private rest(cut: boolean): string {
    if (this.at >= this.end) return "end of input";
    const bytes = this.bytes.subarray(this.at, this.end);
    return `\`${cut ? errorContext(bytes) : decoder.decode(bytes)}\``;
  }

  private blanks(): boolean {
    const start = this.at;
    while (this.peek() === SPACE) this.at++;
    return this.at > start;
  }

  private measurement(): string {
    const name = this.word((byte) => byte === COMMA || byte === NUL, (byte) => byte === COMMA || byte === SPACE || byte === BACKSLASH);
    if (name === undefined) throw new LineFault("Invalid measurement was provided");
    return name;
  }

  private tags(): [string, string][] {
    const remainder = this.at + 1;
    const tags: [string, string][] = [];
    const names = new Set<string>();
    while (this.peek() === COMMA) {
      this.at++;
      const key = this.key();
      if (key === undefined) throw new LineFault(`Expected tag key, got ${this.rest(true)}`);
      if (this.peek() !== EQUALS) {
        throw new LineFault(`Tag set malformed: could not find equals sign in \`${errorContext(this.bytes.subarray(remainder, this.end))}\``);
      }
      this.at++;
      const value = this.word((byte) => byte === COMMA, escapedInKeys);
      if (value === undefined) throw new LineFault(`Expected tag value, got ${this.rest(true)}`);
      if (names.has(key)) throw new LineFault(`Must not contain duplicate tags, but \`${key}\` was repeated`);
      names.add(key);
      tags.push([key, value]);
      if (tags.length > LINE_COLUMNS_MAX) throw new LineFault(LINE_COLUMNS_TEXT);
    }
    return tags;
  }

  private key(): string | undefined {
    return this.word((byte) => byte === EQUALS, escapedInKeys);
  }

  /** Text up to a blank or a character that `ends` it; undefined when there is none. Unknown escapes stay as they are. */
  private word(ends: (byte: number) => boolean, escapable: (byte: number | undefined) => boolean): string | undefined {
    const start = this.at;
    const out: number[] = [];
    let from = start;
    let plain: Uint8Array | undefined;
    for (let byte = this.peek(); byte !== undefined && !isBlank(byte) && !ends(byte); byte = this.peek()) {
      if (byte !== BACKSLASH) {
        this.at++;
        continue;
      }
      const escaped = this.at + 1 < this.end ? this.bytes[this.at + 1] : undefined;
      if (escapable(escaped)) {
        for (let index = from; index < this.at; index++) out.push(this.bytes[index] as number);
        from = this.at + 1;
        plain = undefined;
      }
      this.at = Math.min(this.end, this.at + (escaped === undefined ? 1 : 2));
    }
    if (this.at === start) return undefined;
    if (out.length === 0 && from === start) plain = this.bytes.subarray(start, this.at);
    else for (let index = from; index < this.at; index++) out.push(this.bytes[index] as number);
    const text = plain ?? Uint8Array.from(out);
    if (text[text.length - 1] === BACKSLASH) {
      throw new LineFault("Measurements, tag keys and values, and field keys may not end with a backslash");
    }
    if (text.length > STRING_BYTES_MAX) throw new LineFault("String is greater than 1MB");
    return decoder.decode(text);
  }

  /** One comma may follow the last field; a field that cannot be read after others is trailing content. */
  private fields(): ParsedField[] {
    const first = this.field();
    if (first === undefined) throw new LineFault("No fields were provided");
    const fields = [first];
    while (this.peek() === COMMA) {
      const comma = this.at;
      this.at++;
      const field = this.field();
      if (field === undefined) {
        const next = this.at < this.end ? this.bytes[comma + 1] : undefined;
        this.at = fields.length === 1 || next === undefined || next === SPACE ? comma + 1 : comma;
        return fields;
      }
      fields.push(field);
      if (fields.length > LINE_COLUMNS_MAX) throw new LineFault(LINE_COLUMNS_TEXT);
    }
    return fields;
  }

  private field(): ParsedField | undefined {
    const keyStart = this.at;
    const name = this.key();
    if (name === undefined || this.peek() !== EQUALS) return this.back(keyStart);
    this.at++;
    const keyEnd = this.at;
    const byte = this.peek();
    const value = byte === QUOTE ? this.text() : byte === MINUS || isDigit(byte) ? this.number() : this.boolean();
    return value === undefined ? this.back(keyStart) : { name, value, keyStart, keyEnd };
  }

  private back(at: number): undefined {
    this.at = at;
    return undefined;
  }

  private digits(): boolean {
    const start = this.at;
    while (isDigit(this.peek())) this.at++;
    return this.at > start;
  }

  private slice(start: number): string {
    return decoder.decode(this.bytes.subarray(start, this.at));
  }

  private number(): FieldValue | undefined {
    const start = this.at;
    if (this.peek() === MINUS) this.at++;
    if (!this.digits()) return undefined;
    const suffix = this.peek();
    if (suffix === LOWER_I) return this.integer("int64", this.slice(start));
    if (suffix === LOWER_U && this.bytes[start] !== MINUS) return this.integer("uint64", this.slice(start));
    const whole = this.at;
    if (suffix === POINT) {
      this.at++;
      if (!this.digits()) this.at = whole;
    }
    this.exponent();
    return { kind: "float64", value: Number(this.slice(start)) };
  }

  private exponent(): void {
    const before = this.at;
    const letter = this.peek();
    if (letter !== LOWER_E && letter !== UPPER_E) return;
    if (this.bytes[before - 1] === POINT) return;
    this.at++;
    const sign = this.peek();
    if (sign === MINUS || sign === PLUS) this.at++;
    if (!this.digits()) this.at = before;
  }

  private integer(kind: "int64" | "uint64", text: string): FieldValue {
    this.at++;
    // 20 digits with leading zeros aside: longer text cannot fit, and BigInt() of a megabyte of digits is slow.
    const significant = text.replace(/^(-?)0+(?=\d)/, "$1");
    const value = significant.length > 20 ? undefined : BigInt(significant);
    const fits = value !== undefined && (kind === "int64" ? fitsInt64(value) : value <= UINT64_MAX);
    if (!fits) throw new LineFault(`Unable to parse ${kind === "uint64" ? "unsigned " : ""}integer value \`${text}\``);
    return { kind, value };
  }

  private boolean(): FieldValue | undefined {
    for (const word of BOOLEANS) {
      if (this.at + word.text.length > this.end) continue;
      let index = 0;
      while (index < word.text.length && this.bytes[this.at + index] === word.text.charCodeAt(index)) index++;
      if (index < word.text.length) continue;
      this.at += index;
      return { kind: "bool", value: word.value };
    }
    return undefined;
  }

  /** A quoted string; undefined when it never ends. */
  private text(): FieldValue | undefined {
    let at = this.at + 1;
    const start = at;
    let escapes = 0;
    while (at < this.end && this.bytes[at] !== QUOTE) {
      const next = at + 1 < this.end ? this.bytes[at + 1] : undefined;
      const escape = this.bytes[at] === BACKSLASH && (next === QUOTE || next === BACKSLASH);
      if (escape) escapes++;
      at += escape ? 2 : 1;
    }
    if (at >= this.end) return undefined;
    if (at - start - escapes > STRING_BYTES_MAX) throw new LineFault("String is greater than 1MB");
    this.at = at + 1;
    return { kind: "utf8", value: escapes === 0 ? this.bytes.subarray(start, at) : unescapeText(this.bytes, start, at, escapes) };
  }

  /** Spaces, digits and spaces; whatever does not fit stays unread. */
  private timestamp(): bigint | undefined {
    const start = this.at;
    if (!this.blanks()) return undefined;
    const digits = this.at;
    if (this.peek() === MINUS) this.at++;
    if (!this.digits()) return this.back(start);
    const text = this.slice(digits);
    const significant = text.replace(/^(-?)0+(?=\d)/, "$1");
    const value = significant.length > 20 ? undefined : BigInt(significant);
    if (value === undefined || !fitsInt64(value)) throw new LineFault(`Unable to parse timestamp value \`${text}\``);
    this.blanks();
    return value;
  }
}

const escapedInKeys = (byte: number | undefined): boolean => byte === COMMA || byte === EQUALS || byte === SPACE || byte === BACKSLASH;

const BOOLEANS: readonly { readonly text: string; readonly value: boolean }[] = [
  ...["true", "True", "TRUE", "t", "T"].map((text) => ({ text, value: true })),
  ...["false", "False", "FALSE", "f", "F"].map((text) => ({ text, value: false })),
];

/** As `unescapeText`, counting the escapes first. */
export function unescapeStored(bytes: Uint8Array, start: number, end: number): Uint8Array {
  let escapes = 0;
  for (let at = start; at < end; at++) {
    if (bytes[at] !== BACKSLASH || at + 1 >= end || (bytes[at + 1] !== QUOTE && bytes[at + 1] !== BACKSLASH)) continue;
    escapes++;
    at++;
  }
  return unescapeText(bytes, start, end, escapes);
}

/** Resolves `\"` and `\\`; other backslashes stay. */
export function unescapeText(bytes: Uint8Array, start: number, end: number, escapes: number): Uint8Array {
  const out = new Uint8Array(end - start - escapes);
  let to = 0;
  for (let at = start; at < end; at++) {
    if (bytes[at] === BACKSLASH && at + 1 < end && (bytes[at + 1] === QUOTE || bytes[at + 1] === BACKSLASH)) at++;
    out[to++] = bytes[at] as number;
  }
  return out;
}
