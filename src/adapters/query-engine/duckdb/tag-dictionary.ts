/**
 * One growing dictionary per table and tag column, so that a tag crosses into the engine as an ENUM code and not as
 * text. Batches keep their own dictionaries; the mapping of each is computed once and lives as long as the batch.
 */
import type { ColumnView } from "../../../core/columns/table-batch.ts";
import { api, TYPE_ID, type LogicalType } from "./bindings.ts";
import { TAG_DICTIONARIES_MAX, TAG_DICTIONARY_VALUES_MAX } from "./limits.ts";

const decoder = new TextDecoder("utf-8");

/** Codes for the values of one tag column. */
export class TagDictionary {
  readonly #codes = new Map<string, number>([["", 0]]);
  readonly #mappings = new WeakMap<ColumnView, Uint32Array>();
  #type: LogicalType | undefined;

  get size(): number {
    return this.#codes.size;
  }

  knows(column: ColumnView): boolean {
    return this.#mappings.has(column);
  }

  /** Our codes by the batch's dictionary index. */
  mapping(column: ColumnView, rowCount: number): Uint32Array {
    let mapping = this.#mappings.get(column);
    if (mapping === undefined) {
      mapping = this.#map(column, rowCount);
      this.#mappings.set(column, mapping);
    }
    return mapping;
  }

  #map({ body }: ColumnView, rowCount: number): Uint32Array {
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    const count = view.getUint32(0, true);
    const offsetsAt = 4 + rowCount * 4;
    const textAt = offsetsAt + (count + 1) * 4;
    const mapping = new Uint32Array(count);
    for (let index = 0; index < count; index++) {
      const from = textAt + view.getUint32(offsetsAt + index * 4, true);
      const to = textAt + view.getUint32(offsetsAt + (index + 1) * 4, true);
      mapping[index] = this.#code(decoder.decode(body.subarray(from, to)));
    }
    return mapping;
  }

  #code(value: string): number {
    let code = this.#codes.get(value);
    if (code === undefined) {
      code = this.#codes.size;
      this.#codes.set(value, code);
      this.#type = undefined;
    }
    return code;
  }

  /** The ENUM of all values seen so far; a later value makes a new type, older queries keep theirs. */
  get type(): LogicalType {
    this.#type ??= api.create_enum_type([...this.#codes.keys()]);
    return this.#type;
  }
}

/** Bytes of a code in an ENUM of this type. */
export function codeWidth(type: LogicalType): 1 | 2 | 4 {
  const id: number = api.enum_internal_type(type);
  return id === TYPE_ID.UTINYINT ? 1 : id === TYPE_ID.USMALLINT ? 2 : 4;
}

/** Dictionaries by table and column; the least recently used one goes first. */
export class TagDictionaries {
  readonly #byColumn = new Map<string, TagDictionary>();

  get(databaseId: number, tableId: number, column: string): TagDictionary {
    const key = `${databaseId}/${tableId}/${column}`;
    let dictionary = this.#byColumn.get(key);
    if (dictionary === undefined || dictionary.size > TAG_DICTIONARY_VALUES_MAX) dictionary = new TagDictionary();
    else this.#byColumn.delete(key);
    this.#byColumn.set(key, dictionary);
    if (this.#byColumn.size > TAG_DICTIONARIES_MAX) this.#byColumn.delete(this.#byColumn.keys().next().value as string);
    return dictionary;
  }
}
