/**
 * The series of one table and the last time of each: enough to know that no point was written twice while every series
 * only moves forward. A series is its tag set; tag columns that come later leave old series valid with NULL. Memory is
 * counted; whoever holds the index may drop it, at the price of not knowing.
 */
import { ENCODED } from "../columns/column-type.ts";
import type { ColumnView, TableBatchView } from "../columns/table-batch.ts";

const SLOTS_FIRST = 64;
/** A map entry, its string and its slot. */
const WORD_BYTES = 96;

interface TagDictionary {
  readonly name: string;
  readonly codes: Map<string, number>;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class SeriesIndex {
  private dictionaries: TagDictionary[] = [];
  private dictionaryBytes = 0;
  /** Codes of every series, `width` a series; 0 is NULL. */
  private codes = new Int32Array(0);
  private width = 0;
  private lastLow = new Uint32Array(0);
  private lastHigh = new Int32Array(0);
  private hashes = new Int32Array(0);
  private slots = new Int32Array(SLOTS_FIRST).fill(-1);
  private count = 0;

  get seriesCount(): number {
    return this.count;
  }

  get bytes(): number {
    return this.dictionaryBytes + this.codes.byteLength + this.slots.byteLength + this.hashes.byteLength + this.lastLow.byteLength * 2;
  }

  /** Adds a batch's rows; true when some row is not later than its series' last one. */
  add(batch: TableBatchView): boolean {
    const tags = batch.columns.filter((column) => column.type === ENCODED.tag);
    const time = batch.columns.find((column) => column.type === ENCODED.time);
    if (time === undefined) return true;
    const readers = tags.map((column) => this.reader(column, batch.rowCount));
    const words = wordsOf(time.body, batch.rowCount * 2);
    const row = new Int32Array(this.width);
    let repeated = false;
    for (let index = 0; index < batch.rowCount; index++) {
      row.fill(0);
      for (const reader of readers) row[reader.place] = reader.code(index);
      if (this.advance(this.find(row), words[index * 2] as number, words[index * 2 + 1] as number)) repeated = true;
    }
    return repeated;
  }

  /** Moves the series' last time; true when it did not move forward. */
  private advance(series: number, lowSigned: number, high: number): boolean {
    const low = lowSigned >>> 0;
    const lastHigh = this.lastHigh[series] as number;
    if (high < lastHigh || (high === lastHigh && low <= (this.lastLow[series] as number))) return true;
    this.lastLow[series] = low;
    this.lastHigh[series] = high;
    return false;
  }

  private reader(column: ColumnView, rowCount: number): TagReader {
    let place = this.dictionaries.findIndex((dictionary) => dictionary.name === column.name);
    if (place < 0) place = this.addDictionary(column.name);
    const { codes } = this.dictionaries[place] as TagDictionary;
    const indexes = wordsOf(column.body.subarray(4), rowCount);
    const entries = new DataView(column.body.buffer, column.body.byteOffset, 4).getUint32(0, true);
    const offsets = wordsOf(column.body.subarray(4 + rowCount * 4), entries + 1);
    const text = column.body.subarray(4 + rowCount * 4 + (entries + 1) * 4);
    const map = new Int32Array(entries);
    for (let entry = 0; entry < entries; entry++) {
      const word = decoder.decode(text.subarray(offsets[entry] as number, offsets[entry + 1] as number));
      let code = codes.get(word);
      if (code === undefined) {
        code = codes.size + 1;
        codes.set(word, code);
        this.dictionaryBytes += WORD_BYTES + word.length * 2;
      }
      map[entry] = code;
    }
    return new TagReader(place, indexes, column.validity, map);
  }

  /** A further tag column: every series gets NULL in it. NULL adds nothing to a hash, so the slots stay as they are. */
  private addDictionary(name: string): number {
    this.dictionaries.push({ name, codes: new Map() });
    const width = this.dictionaries.length;
    const codes = new Int32Array(this.lastLow.length * width);
    for (let series = 0; series < this.count; series++) {
      for (let place = 0; place < this.width; place++) codes[series * width + place] = this.codes[series * this.width + place] as number;
    }
    this.codes = codes;
    this.width = width;
    return width - 1;
  }

  private find(row: Int32Array): number {
    const hash = hashOf(row, this.width);
    const mask = this.slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const series = this.slots[slot] as number;
      if (series < 0) return this.create(row, hash, slot);
      if (this.hashes[series] === hash && this.equals(series, row)) return series;
    }
  }

  private equals(series: number, row: Int32Array): boolean {
    const start = series * this.width;
    for (let place = 0; place < this.width; place++) if (this.codes[start + place] !== row[place]) return false;
    return true;
  }

  private create(row: Int32Array, hash: number, slot: number): number {
    if (this.count === this.lastLow.length) this.grow();
    const series = this.count++;
    this.codes.set(row.subarray(0, this.width), series * this.width);
    this.hashes[series] = hash;
    // Before every time that can come: the first row of a series always moves it forward.
    this.lastLow[series] = 0;
    this.lastHigh[series] = -2_147_483_648;
    this.slots[slot] = series;
    if (this.count * 2 > this.slots.length) this.rehash();
    return series;
  }

  private grow(): void {
    const capacity = Math.max(16, this.count * 2);
    const enlarge = <T extends Int32Array | Uint32Array>(target: T, source: T): T => (target.set(source), target);
    this.codes = enlarge(new Int32Array(capacity * this.width), this.codes);
    this.lastLow = enlarge(new Uint32Array(capacity), this.lastLow);
    this.lastHigh = enlarge(new Int32Array(capacity), this.lastHigh);
    this.hashes = enlarge(new Int32Array(capacity), this.hashes);
  }

  private rehash(): void {
    this.slots = new Int32Array(this.slots.length * 2).fill(-1);
    const mask = this.slots.length - 1;
    for (let series = 0; series < this.count; series++) {
      let slot = (this.hashes[series] as number) & mask;
      while ((this.slots[slot] as number) >= 0) slot = (slot + 1) & mask;
      this.slots[slot] = series;
    }
  }
}

class TagReader {
  readonly place: number;
  private readonly indexes: Int32Array;
  private readonly validity: Uint8Array | undefined;
  private readonly map: Int32Array;

  constructor(place: number, indexes: Int32Array, validity: Uint8Array | undefined, map: Int32Array) {
    this.place = place;
    this.indexes = indexes;
    this.validity = validity;
    this.map = map;
  }

  code(row: number): number {
    if (this.validity !== undefined && (((this.validity[row >> 3] as number) >> (row & 7)) & 1) === 0) return 0;
    return this.map[this.indexes[row] as number] as number;
  }
}

function hashOf(row: Int32Array, width: number): number {
  let hash = 0;
  for (let place = 0; place < width; place++) {
    const code = row[place] as number;
    if (code !== 0) hash = (hash + Math.imul(Math.imul(code, 0x9e3779b1) ^ (place + 1), 0x85ebca6b)) | 0;
  }
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) ^ (hash >>> 12);
}

/** Little-endian 32-bit words; a copy only when the bytes are not aligned. */
function wordsOf(bytes: Uint8Array, count: number): Int32Array {
  if (bytes.byteOffset % 4 === 0) return new Int32Array(bytes.buffer, bytes.byteOffset, count);
  return new Int32Array(bytes.slice(0, count * 4).buffer, 0, count);
}
