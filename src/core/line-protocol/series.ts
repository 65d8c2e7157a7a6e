/**
 * Series and tag columns as the parser knows them: a raw `measurement,tags` prefix leads to a series, and all
 * spellings of one tag set (order, escapes) lead to the same one.
 */
import { type ParseBudget, spend } from "./field-column.ts";

const encoder = new TextEncoder();
export const CODE_BYTES = 4;

/** The values of one tag in the series of a request. */
export interface NumberedTag {
  readonly tag: TagColumn;
  /** By series of the request: the place of its value in the dictionary; -1: it has none. */
  readonly codes: Int32Array;
  /** Some series have no value. */
  readonly sparse: boolean;
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

/** Values of one tag of a table. */
export class TagColumn {
  readonly name: string;
  readonly values: Uint8Array[] = [];
  private readonly ids = new Map<string, number>();
  /** By value id: its code while the series are numbered, else -1. */
  private readonly codes: number[] = [];
  private indexes = new Uint32Array(0);
  active = false;
  firstRow = 0;

  constructor(name: string) {
    this.name = name;
  }

  valueId(text: string): number {
    let id = this.ids.get(text);
    if (id === undefined) {
      id = this.values.length;
      this.values.push(encoder.encode(text));
      this.codes.push(-1);
      this.ids.set(text, id);
    }
    return id;
  }

  /** Values in the order in which the series use them. */
  number(series: readonly Series[]): NumberedTag {
    const codes = new Int32Array(series.length);
    const used: number[] = [];
    let sparse = false;
    for (let index = 0; index < series.length; index++) {
      const { tags, valueIds } = series[index] as Series;
      const place = tags.indexOf(this);
      if (place < 0) sparse = true;
      codes[index] = place < 0 ? -1 : this.code(valueIds[place] as number, used);
    }
    for (const id of used) this.codes[id] = -1;
    return { tag: this, codes, sparse, ...this.dictionary(used) };
  }

  /** Memory for a code a row, kept for the next request. */
  rowCodes(rows: number, budget: ParseBudget): Uint32Array {
    if (this.indexes.length < rows) {
      spend(budget, (rows - this.indexes.length) * CODE_BYTES);
      this.indexes = new Uint32Array(rows);
    }
    return this.indexes.subarray(0, rows);
  }

  private code(valueId: number, used: number[]): number {
    const known = this.codes[valueId] as number;
    return known < 0 ? (this.codes[valueId] = used.push(valueId) - 1) : known;
  }

  private dictionary(used: readonly number[]): { readonly offsets: Uint32Array; readonly bytes: Uint8Array } {
    const offsets = new Uint32Array(used.length + 1);
    let size = 0;
    used.forEach((id, code) => (offsets[code + 1] = size += (this.values[id] as Uint8Array).length));
    const bytes = new Uint8Array(size);
    used.forEach((id, code) => bytes.set(this.values[id] as Uint8Array, offsets[code]));
    return { offsets, bytes };
  }
}

/** One series of one parsed table. */
export class Series {
  readonly tags: readonly TagColumn[];
  readonly valueIds: readonly number[];
  /** Number within the current request's table, or -1. */
  local = -1;

  constructor(tags: readonly TagColumn[], valueIds: readonly number[]) {
    this.tags = tags;
    this.valueIds = valueIds;
  }
}

/** A text that is equal for two tag sets exactly when they are equal; `tags` sorted by name. */
export function canonicalTags(tags: readonly (readonly [string, string])[]): string {
  let key = "";
  for (const [name, value] of tags) key += `${name.length}:${name}${value.length}:${value}`;
  return key;
}
