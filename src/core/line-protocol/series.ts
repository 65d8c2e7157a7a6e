/**
 * Series and tag columns as the parser knows them: a raw `measurement,tags` prefix leads to a series, and all
 * spellings of one tag set (order, escapes) lead to the same one.
 */
import type { ColumnValues } from "../columns/table-batch.ts";
import { type ParseBudget, spend } from "./field-column.ts";

const encoder = new TextEncoder();

interface TagDictionary {
  readonly used: readonly number[];
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

const isSame = (left: readonly number[], right: readonly number[]): boolean => left.length === right.length && left.every((id, code) => id === right[code]);

/** Values of one tag; `code` numbers the values that the current request uses. */
export class TagColumn {
  readonly name: string;
  readonly values: Uint8Array[] = [];
  private readonly ids = new Map<string, number>();
  /** By value id: its code in the current request, or -1. */
  private codes: number[] = [];
  /** Value ids by code. */
  private used: number[] = [];
  private indexes = new Uint32Array(0);
  /** Of the request before: a sender's requests mostly name the same series in the same order. */
  private dictionary: TagDictionary | undefined;
  active = false;
  firstRow = 0;
  /** Place within the line that first used it. */
  firstPlace = 0;

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

  code(valueId: number): number {
    let code = this.codes[valueId] as number;
    if (code < 0) {
      code = this.used.length;
      this.codes[valueId] = code;
      this.used.push(valueId);
    }
    return code;
  }

  reset(): void {
    for (const id of this.used) this.codes[id] = -1;
    this.used = [];
    this.active = false;
  }

  /** Memory for a code a row, kept for the next request; zeros are not restored. */
  rowCodes(rows: number, budget: ParseBudget): Uint32Array {
    if (this.indexes.length < rows) {
      spend(budget, (rows - this.indexes.length) * 4);
      this.indexes = new Uint32Array(rows);
    }
    return this.indexes.subarray(0, rows);
  }

  /** The used values as a batch dictionary, with one code a row (undefined: `absent` rows have none). */
  batchColumn(indexes: Uint32Array, valid: Uint8Array | undefined): ColumnValues {
    if (this.dictionary === undefined || !isSame(this.dictionary.used, this.used)) this.dictionary = this.makeDictionary();
    const { offsets, bytes } = this.dictionary;
    return { name: this.name, type: "tag", valid, indexes, offsets, bytes };
  }

  private makeDictionary(): TagDictionary {
    const offsets = new Uint32Array(this.used.length + 1);
    let size = 0;
    this.used.forEach((id, code) => (offsets[code + 1] = size += (this.values[id] as Uint8Array).length));
    const bytes = new Uint8Array(size);
    this.used.forEach((id, code) => bytes.set(this.values[id] as Uint8Array, offsets[code]));
    return { used: [...this.used], offsets, bytes };
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
