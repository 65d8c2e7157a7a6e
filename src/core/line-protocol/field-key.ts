/** Spellings of field keys, compared four bytes at a time. */
import type { Field } from "./field-column.ts";

/** A spelling of a field's key, `key=`. */
export class FieldKey {
  readonly raw: Uint8Array;
  readonly size: number;
  readonly field: Field;
  /** The key that followed this one last time. */
  next: FieldKey | undefined = undefined;
  /** The raw key in words; the last one overlaps the one before when the size is no multiple of four. */
  private readonly words: Int32Array;

  constructor(raw: Uint8Array, field: Field) {
    this.raw = raw;
    this.size = raw.length;
    this.field = field;
    const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
    const words: number[] = [];
    for (let at = 0; at + 4 <= raw.length; at += 4) words.push(view.getInt32(at, true));
    if (raw.length > 4 && raw.length % 4 !== 0) words.push(view.getInt32(raw.length - 4, true));
    this.words = Int32Array.from(words);
  }

  /** True when the bytes at `at` are this key. */
  matches(bytes: Uint8Array, view: DataView, at: number): boolean {
    const size = this.size;
    if (at + size > bytes.length) return false;
    if (size < 4) {
      for (let index = 0; index < size; index++) if (bytes[at + index] !== this.raw[index]) return false;
      return true;
    }
    const words = this.words;
    const full = size >> 2;
    let index = 0;
    for (let from = at; index < full; index++, from += 4) if (view.getInt32(from, true) !== words[index]) return false;
    return (size & 3) === 0 || view.getInt32(at + size - 4, true) === words[index];
  }
}
