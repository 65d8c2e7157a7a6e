/** Collects decoded pages as the body of a table batch's column: rows with values, rows without, row group by row group. */
import { ByteWriter } from "../bytes/byte-writer.ts";
import type { ColumnType } from "../columns/column-type.ts";
import type { ColumnView } from "../columns/table-batch.ts";
import { DatabaseError } from "../errors/database-error.ts";
import { damagedParquet } from "./damaged.ts";

/** What a page's rows hold: undefined, all have a value; else 1 or 0 a row. */
type Valid = Uint32Array | undefined;

export interface ColumnSink {
  /** A chunk's dictionary holds for that chunk alone. */
  beginChunk(): void;
  dictionary(values: Uint8Array, count: number): void;
  /** Rows without values. */
  skip(rows: number): void;
  /** `present` values, plain. */
  plain(values: Uint8Array, rows: number, present: number, valid: Valid): void;
  /** A code of the dictionary for each present value. */
  codes(codes: Uint32Array, rows: number, valid: Valid): void;
  finish(): Pick<ColumnView, "validity" | "body">;
}

/** `textBytesMax`: what the texts of a column may take together; more throws `parquet.too_large`. */
export function sinkFor(type: ColumnType, rowCount: number, textBytesMax: number): ColumnSink {
  if (type === "tag") return new TagSink(rowCount);
  if (type === "utf8") return new TextSink(rowCount, textBytesMax);
  return type === "bool" ? new BoolSink(rowCount) : new WordSink(rowCount);
}

/** Validity bits, made when the first row without a value comes. */
class Validity {
  readonly #rowCount: number;
  #bits: Uint8Array | undefined;
  row = 0;

  constructor(rowCount: number) {
    this.#rowCount = rowCount;
  }

  get bits(): Uint8Array | undefined {
    return this.#bits;
  }

  add(rows: number, valid: Valid | "none"): void {
    if (this.row + rows > this.#rowCount) throw damagedParquet("a column has too many rows");
    if (valid !== undefined && this.#bits === undefined) {
      this.#bits = new Uint8Array((this.#rowCount + 7) >> 3).fill(255);
      const rest = this.#rowCount & 7;
      if (rest !== 0) this.#bits[this.#bits.length - 1] = (1 << rest) - 1;
    }
    if (valid !== undefined) {
      const bits = this.#bits as Uint8Array;
      for (let index = 0; index < rows; index++) {
        if (valid !== "none" && valid[index] === 1) continue;
        const row = this.row + index;
        bits[row >> 3] = (bits[row >> 3] as number) & ~(1 << (row & 7));
      }
    }
    this.row += rows;
  }
}

/** 64-bit values as pairs of words, so that no float changes them. */
class WordSink implements ColumnSink {
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #validity: Validity;
  #dictionary = new Uint32Array();

  constructor(rowCount: number) {
    this.#words = new Uint32Array(rowCount * 2);
    this.#validity = new Validity(rowCount);
  }

  beginChunk(): void {
    this.#dictionary = new Uint32Array();
  }

  dictionary(values: Uint8Array, count: number): void {
    this.#dictionary = wordsOf(values, count);
  }

  skip(rows: number): void {
    this.#validity.add(rows, "none");
  }

  plain(values: Uint8Array, rows: number, present: number, valid: Valid): void {
    const source = wordsOf(values, present);
    const base = this.#validity.row * 2;
    this.#validity.add(rows, valid);
    if (valid === undefined) {
      this.#words.set(source, base);
      return;
    }
    for (let index = 0, at = 0; index < rows; index++) {
      if (valid[index] === 0) continue;
      this.#words[base + index * 2] = source[at++] as number;
      this.#words[base + index * 2 + 1] = source[at++] as number;
    }
  }

  codes(codes: Uint32Array, rows: number, valid: Valid): void {
    const dictionary = this.#dictionary;
    const base = this.#validity.row * 2;
    this.#validity.add(rows, valid);
    for (let index = 0, at = 0; index < rows; index++) {
      if (valid !== undefined && valid[index] === 0) continue;
      const code = codes[at++] as number;
      if (code * 2 >= dictionary.length) throw damagedParquet("a code lies outside its dictionary");
      this.#words[base + index * 2] = dictionary[code * 2] as number;
      this.#words[base + index * 2 + 1] = dictionary[code * 2 + 1] as number;
    }
  }

  finish(): Pick<ColumnView, "validity" | "body"> {
    return { validity: this.#validity.bits, body: new Uint8Array(this.#words.buffer) };
  }
}

function wordsOf(values: Uint8Array, count: number): Uint32Array<ArrayBuffer> {
  if (values.length !== count * 8) throw damagedParquet("a page has another size than its values");
  const words = new Uint32Array(count * 2);
  new Uint8Array(words.buffer).set(values);
  return words;
}

class BoolSink implements ColumnSink {
  readonly #bytes: Uint8Array;
  readonly #validity: Validity;

  constructor(rowCount: number) {
    this.#bytes = new Uint8Array(rowCount);
    this.#validity = new Validity(rowCount);
  }

  beginChunk(): void {}

  dictionary(): void {
    throw damagedParquet("a column of booleans has a dictionary");
  }

  skip(rows: number): void {
    this.#validity.add(rows, "none");
  }

  plain(values: Uint8Array, rows: number, present: number, valid: Valid): void {
    if (values.length < (present + 7) >> 3) throw damagedParquet("a page of booleans is cut off");
    const base = this.#validity.row;
    this.#validity.add(rows, valid);
    for (let index = 0, at = 0; index < rows; index++) {
      if (valid !== undefined && valid[index] === 0) continue;
      this.#bytes[base + index] = ((values[at >> 3] as number) >> (at & 7)) & 1;
      at++;
    }
  }

  codes(): void {
    throw damagedParquet("a column of booleans has codes");
  }

  finish(): Pick<ColumnView, "validity" | "body"> {
    return { validity: this.#validity.bits, body: this.#bytes };
  }
}

/** Plain texts: a length, then the bytes. */
function readTexts(values: Uint8Array, count: number): Uint8Array[] {
  const view = new DataView(values.buffer, values.byteOffset, values.length);
  const texts: Uint8Array[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 4 > values.length) throw damagedParquet("texts are cut off");
    const size = view.getUint32(at, true);
    if (size > values.length - at - 4) throw damagedParquet("texts are cut off");
    texts.push(values.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return texts;
}

/** Texts are copied as they come: a dictionary entry may stand for many rows, so their sum is bounded here. */
class TextSink implements ColumnSink {
  readonly #lengths: Uint32Array;
  readonly #texts = new ByteWriter(4_096);
  readonly #validity: Validity;
  readonly #textBytesMax: number;
  #dictionary: readonly Uint8Array[] = [];

  constructor(rowCount: number, textBytesMax: number) {
    this.#lengths = new Uint32Array(rowCount);
    this.#validity = new Validity(rowCount);
    this.#textBytesMax = textBytesMax;
  }

  beginChunk(): void {
    this.#dictionary = [];
  }

  dictionary(values: Uint8Array, count: number): void {
    this.#dictionary = readTexts(values, count);
  }

  skip(rows: number): void {
    this.#validity.add(rows, "none");
  }

  plain(values: Uint8Array, rows: number, present: number, valid: Valid): void {
    const texts = readTexts(values, present);
    this.#place(rows, valid, (at) => texts[at] as Uint8Array);
  }

  codes(codes: Uint32Array, rows: number, valid: Valid): void {
    this.#place(rows, valid, (at) => {
      const text = this.#dictionary[codes[at] as number];
      if (text === undefined) throw damagedParquet("a code lies outside its dictionary");
      return text;
    });
  }

  #place(rows: number, valid: Valid, textAt: (at: number) => Uint8Array): void {
    const base = this.#validity.row;
    this.#validity.add(rows, valid);
    for (let index = 0, at = 0; index < rows; index++) {
      if (valid !== undefined && valid[index] === 0) continue;
      const text = textAt(at++);
      this.#lengths[base + index] = text.length;
      if (this.#texts.length + text.length > this.#textBytesMax) {
        throw new DatabaseError("parquet.too_large", { message: `A column of texts takes more than ${this.#textBytesMax} bytes` });
      }
      this.#texts.append(text);
    }
  }

  finish(): Pick<ColumnView, "validity" | "body"> {
    const offsets = new Uint32Array(this.#lengths.length + 1);
    for (let row = 0; row < this.#lengths.length; row++) offsets[row + 1] = (offsets[row] as number) + (this.#lengths[row] as number);
    const body = new Uint8Array(offsets.byteLength + this.#texts.length);
    body.set(new Uint8Array(offsets.buffer));
    body.set(this.#texts.view(), offsets.byteLength);
    return { validity: this.#validity.bits, body };
  }
}

/** The dictionaries of the row groups one after another: a value may stand there several times. */
class TagSink implements ColumnSink {
  readonly #indexes: Uint32Array;
  readonly #entries: Uint8Array[] = [];
  readonly #validity: Validity;
  #base = 0;

  constructor(rowCount: number) {
    this.#indexes = new Uint32Array(rowCount);
    this.#validity = new Validity(rowCount);
  }

  beginChunk(): void {
    this.#base = this.#entries.length;
  }

  dictionary(values: Uint8Array, count: number): void {
    this.beginChunk();
    for (const entry of readTexts(values, count)) this.#entries.push(entry);
  }

  skip(rows: number): void {
    this.#validity.add(rows, "none");
  }

  plain(values: Uint8Array, rows: number, present: number, valid: Valid): void {
    const base = this.#entries.length;
    for (const entry of readTexts(values, present)) this.#entries.push(entry);
    this.#place(rows, valid, (at) => base + at);
  }

  codes(codes: Uint32Array, rows: number, valid: Valid): void {
    this.#place(rows, valid, (at) => {
      const entry = this.#base + (codes[at] as number);
      if (entry >= this.#entries.length) throw damagedParquet("a code lies outside its dictionary");
      return entry;
    });
  }

  #place(rows: number, valid: Valid, entryAt: (at: number) => number): void {
    const base = this.#validity.row;
    this.#validity.add(rows, valid);
    for (let index = 0, at = 0; index < rows; index++) if (valid === undefined || valid[index] === 1) this.#indexes[base + index] = entryAt(at++);
  }

  finish(): Pick<ColumnView, "validity" | "body"> {
    const offsets = new Uint32Array(this.#entries.length + 1);
    this.#entries.forEach((entry, index) => (offsets[index + 1] = (offsets[index] as number) + entry.length));
    const offsetsAt = 4 + this.#indexes.byteLength;
    const textAt = offsetsAt + offsets.byteLength;
    const body = new Uint8Array(textAt + (offsets.at(-1) as number));
    new DataView(body.buffer).setUint32(0, this.#entries.length, true);
    body.set(new Uint8Array(this.#indexes.buffer), 4);
    body.set(new Uint8Array(offsets.buffer), offsetsAt);
    this.#entries.forEach((entry, index) => body.set(entry, textAt + (offsets[index] as number)));
    return { validity: this.#validity.bits, body };
  }
}
