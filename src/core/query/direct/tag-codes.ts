/**
 * One growing dictionary per table and tag column, so that tags are compared and grouped as small integers. Batches and
 * files keep their own dictionaries; the mapping of each is found once and lives as long as its column.
 */
import { tagAt } from "../../columns/cells.ts";
import type { ColumnView } from "../../columns/table-batch.ts";

/** Dictionaries kept between queries, and values of one before it begins anew. */
const DICTIONARIES_MAX = 4_096;
const VALUES_MAX = 1_048_576;

export class TagCodes {
  readonly #codes = new Map<string, number>();
  /** By code. 0 is NULL. */
  readonly texts: (string | null)[] = [null];
  readonly #mappings = new WeakMap<ColumnView, Uint32Array>();

  /** Code 0 when no row known so far has the value. */
  codeOf(text: string): number {
    return this.#codes.get(text) ?? 0;
  }

  /** Codes by the entries of a column's dictionary. */
  mapping(column: ColumnView, rowCount: number): Uint32Array {
    let mapping = this.#mappings.get(column);
    if (mapping === undefined) {
      const { body } = column;
      mapping = new Uint32Array(new DataView(body.buffer, body.byteOffset, 4).getUint32(0, true));
      for (let entry = 0; entry < mapping.length; entry++) mapping[entry] = this.#add(tagAt(column, rowCount, entry));
      this.#mappings.set(column, mapping);
    }
    return mapping;
  }

  #add(text: string): number {
    let code = this.#codes.get(text);
    if (code === undefined) {
      code = this.texts.push(text) - 1;
      this.#codes.set(text, code);
    }
    return code;
  }
}

/** The least recently used dictionary goes first. */
export class TagRegistry {
  readonly #byColumn = new Map<string, TagCodes>();

  get(tableId: number, column: string): TagCodes {
    const key = `${tableId}/${column}`;
    const known = this.#byColumn.get(key);
    const codes = known === undefined || known.texts.length > VALUES_MAX ? new TagCodes() : known;
    this.#byColumn.delete(key);
    this.#byColumn.set(key, codes);
    if (this.#byColumn.size > DICTIONARIES_MAX) this.#byColumn.delete(this.#byColumn.keys().next().value as string);
    return codes;
  }
}
