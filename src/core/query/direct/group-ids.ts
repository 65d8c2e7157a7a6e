/** Numbers the groups of a query: each key gives a small integer a row, and pairs of them become one, key by key. */
import { DENSE_PAIRS_MAX, DIRECT_GROUPS_MAX } from "./limits.ts";
import type { GroupKey } from "./plan.ts";
import { tagCodesOf, type TimeBase } from "./select-rows.ts";
import type { TagCodes, TagRegistry } from "./tag-codes.ts";
import { type Unit, wordsOf } from "./unit.ts";

interface Coder {
  /** Codes are below it. */
  readonly limit: number;
  code(unit: Unit, rows: Uint32Array, out: Uint32Array): void;
  value(code: number): bigint | string | null;
}

class TagCoder implements Coder {
  readonly #column: string;
  readonly #codes: TagCodes;
  readonly limit: number;

  constructor(column: string, codes: TagCodes, units: readonly Unit[]) {
    this.#column = column;
    this.#codes = codes;
    for (const unit of units) {
      const tag = unit.tag(column);
      if (tag !== undefined) codes.mapping(tag.dictionary, tag.dictionaryRows);
    }
    this.limit = codes.texts.length;
  }

  code(unit: Unit, rows: Uint32Array, out: Uint32Array): void {
    tagCodesOf(unit.tag(this.#column), this.#codes, rows, out);
  }

  value(code: number): string | null {
    return this.#codes.texts[code] ?? null;
  }
}

class BinCoder implements Coder {
  readonly #times: TimeBase;
  readonly #width: number;
  readonly #widthNs: bigint;
  /** Of the first bin: where it begins, and how far the base is into it. */
  readonly #first: bigint;
  readonly #rest: number;
  readonly limit: number;

  constructor({ widthNs, originNs }: Extract<GroupKey, { kind: "bin" }>, times: TimeBase, span: number) {
    this.#times = times;
    this.#widthNs = widthNs;
    this.#width = Number(widthNs);
    const rest = (((times.base - originNs) % widthNs) + widthNs) % widthNs;
    this.#first = times.base - rest;
    this.#rest = Number(rest);
    this.limit = Math.floor((span + this.#rest) / this.#width) + 1;
  }

  code(unit: Unit, rows: Uint32Array, out: Uint32Array): void {
    const time = unit.column("time");
    if (time === undefined) return;
    const words = wordsOf(time);
    let [from, to, bin] = [0, 0, 0];
    for (let at = 0; at < rows.length; at++) {
      const offset = this.#times.offset(words, rows[at] as number) + this.#rest;
      if (offset < from || offset >= to) {
        bin = Math.floor(offset / this.#width);
        from = bin * this.#width;
        to = from + this.#width;
      }
      out[at] = bin;
    }
  }

  value(code: number): bigint {
    return this.#first + BigInt(code) * this.#widthNs;
  }
}

/** Ids of pairs, in the order they are met. */
class PairIds {
  readonly #stride: number;
  readonly #dense: Int32Array | undefined;
  readonly #sparse = new Map<number, number>();
  /** The pair of each id. */
  readonly before: number[] = [];
  readonly codes: number[] = [];

  constructor(idsMax: number, codesMax: number) {
    this.#stride = codesMax;
    this.#dense = idsMax * codesMax <= DENSE_PAIRS_MAX ? new Int32Array(idsMax * codesMax).fill(-1) : undefined;
  }

  get count(): number {
    return this.codes.length;
  }

  /** Replaces ids by those of the pairs. */
  combine(ids: Uint32Array, codes: Uint32Array, count: number): void {
    const dense = this.#dense;
    for (let at = 0; at < count; at++) {
      const [before, code] = [ids[at] as number, codes[at] as number];
      const pair = before * this.#stride + code;
      let id = dense === undefined ? (this.#sparse.get(pair) ?? -1) : (dense[pair] as number);
      if (id < 0) {
        id = this.codes.push(code) - 1;
        this.before.push(before);
        if (dense === undefined) this.#sparse.set(pair, id);
        else dense[pair] = id;
      }
      ids[at] = id;
    }
  }
}

export class GroupIds {
  readonly #coders: readonly Coder[];
  readonly #pairs: readonly PairIds[];
  #ids = new Uint32Array(0);
  #codes = new Uint32Array(0);

  private constructor(coders: readonly Coder[]) {
    this.#coders = coders;
    let idsMax = 1;
    this.#pairs = coders.map(({ limit }) => {
      const pairs = new PairIds(idsMax, limit);
      idsMax = Math.min(idsMax * limit, DIRECT_GROUPS_MAX + 1);
      return pairs;
    });
  }

  /** Undefined: the bins are too many to be numbered. */
  static create(keys: readonly GroupKey[], tableId: number, registry: TagRegistry, units: readonly Unit[], times: TimeBase, span: number): GroupIds | undefined {
    const coders = keys.map((key) => (key.kind === "tag" ? new TagCoder(key.column, registry.get(tableId, key.column), units) : new BinCoder(key, times, span)));
    const isSmall = coders.every(({ limit }) => limit < 2 ** 31) && keys.every((key) => key.kind === "tag" || Number(key.widthNs) + span < Number.MAX_SAFE_INTEGER);
    return isSmall ? new GroupIds(coders) : undefined;
  }

  /** Without keys there is one group, also when there is no row. */
  get count(): number {
    return this.#pairs.at(-1)?.count ?? 1;
  }

  get isTooMany(): boolean {
    return this.#pairs.some(({ count }) => count > DIRECT_GROUPS_MAX);
  }

  /** Ids of the rows' groups; the array is used again by the next call. */
  of(unit: Unit, rows: Uint32Array): Uint32Array {
    if (this.#ids.length < rows.length) {
      this.#ids = new Uint32Array(rows.length);
      this.#codes = new Uint32Array(rows.length);
    }
    this.#ids.fill(0, 0, rows.length);
    this.#coders.forEach((coder, index) => {
      coder.code(unit, rows, this.#codes);
      this.#pairs[index]?.combine(this.#ids, this.#codes, rows.length);
    });
    return this.#ids;
  }

  /** A key's value in a group. */
  value(group: number, key: number): bigint | string | null {
    let id = group;
    for (let step = this.#pairs.length - 1; step > key; step--) id = (this.#pairs[step] as PairIds).before[id] as number;
    return (this.#coders[key] as Coder).value((this.#pairs[key] as PairIds).codes[id] as number);
  }
}
