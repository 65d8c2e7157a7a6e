/** Numbers the groups of a query: each key gives a small integer a row, and pairs of them become one, key by key. */
import { DENSE_PAIRS_MAX, DIRECT_GROUPS_MAX } from "./limits.ts";
import type { GroupKey } from "./plan.ts";
import { tagCodesOf, type TimeBase } from "./select-rows.ts";
import type { TagCodes, TagRegistry } from "./tag-codes.ts";
import { type Unit, wordsOf } from "./unit.ts";

const WORD = 4_294_967_296;

interface Coder {
  /** Codes are below it. */
  readonly limit: number;
  code(unit: Unit, rows: Uint32Array, out: Uint32Array): void;
  /** The first key of a query: ids at once, without codes between. */
  ids?(unit: Unit, rows: Uint32Array, pairs: PairIds, out: Uint32Array): void;
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

  ids(unit: Unit, rows: Uint32Array, pairs: PairIds, out: Uint32Array): void {
    const tag = unit.tag(this.#column);
    const none = (): number => pairs.id(0, 0);
    if (tag === undefined) {
      if (rows.length > 0) out.fill(none(), 0, rows.length);
      return;
    }
    const mapping = this.#codes.mapping(tag.dictionary, tag.dictionaryRows);
    const { runs, indexes } = tag;
    if (runs !== undefined) {
      for (let at = 0, run = 0; at < rows.length; ) {
        while ((runs.ends[run] as number) <= (rows[at] as number)) run++;
        const end = runs.ends[run] as number;
        const entry = runs.entries[run] as number;
        const id = entry < 0 ? none() : pairs.id(0, mapping[entry] as number);
        while (at < rows.length && (rows[at] as number) < end) out[at++] = id;
      }
      return;
    }
    const { entries, validity } = indexes as NonNullable<typeof indexes>;
    // An entry becomes a group when the first row with it is met.
    const known = new Int32Array(mapping.length).fill(-1);
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number;
      if (validity !== undefined && ((validity[row >> 3] as number) & (1 << (row & 7))) === 0) {
        out[at] = none();
        continue;
      }
      const entry = entries[row] as number;
      let id = known[entry] as number;
      if (id < 0) id = known[entry] = pairs.id(0, mapping[entry] as number);
      out[at] = id;
    }
  }

  /** Groups that rows of the unit may belong to; undefined: one of them is not known yet. */
  groupsIn(unit: Unit, pairs: PairIds): readonly number[] | undefined {
    const tag = unit.tag(this.#column);
    const codes = tag === undefined ? [0] : [...this.#codes.mapping(tag.dictionary, tag.dictionaryRows)];
    if (tag?.indexes?.validity !== undefined || tag?.runs?.entries.includes(-1) === true) codes.push(0);
    const groups = codes.map((code) => pairs.known(0, code));
    return groups.includes(-1) ? undefined : groups;
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
    const first = this.#binOf(unit.timeMin);
    if (first === this.#binOf(unit.timeMax)) {
      out.fill(first, 0, rows.length);
      return;
    }
    const words = wordsOf(time);
    // In variables of the loop: as members they would be looked up for each row.
    const { high, low } = this.#times;
    const [width, rest] = [this.#width, this.#rest];
    let [from, to, bin] = [0, 0, 0];
    for (let at = 0; at < rows.length; at++) {
      const place = (rows[at] as number) * 2;
      const offset = ((words[place + 1] as number) - high) * WORD + (((words[place] as number) >>> 0) - low + rest);
      if (offset < from || offset >= to) {
        bin = Math.floor(offset / width);
        from = bin * width;
        to = from + width;
      }
      out[at] = bin;
    }
  }

  #binOf(time: bigint): number {
    return Math.floor((Number(time - this.#times.base) + this.#rest) / this.#width);
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

  /** -1: not met yet. */
  known(before: number, code: number): number {
    const pair = before * this.#stride + code;
    return this.#dense === undefined ? (this.#sparse.get(pair) ?? -1) : (this.#dense[pair] as number);
  }

  id(before: number, code: number): number {
    const known = this.known(before, code);
    if (known >= 0) return known;
    const pair = before * this.#stride + code;
    const id = this.codes.push(code) - 1;
    this.before.push(before);
    if (this.#dense === undefined) this.#sparse.set(pair, id);
    else this.#dense[pair] = id;
    return id;
  }

  /** Replaces codes of the first key by ids. */
  replace(codes: Uint32Array, count: number): void {
    let [last, lastId] = [-1, -1];
    for (let at = 0; at < count; at++) {
      const code = codes[at] as number;
      if (code !== last) [last, lastId] = [code, this.id(0, code)];
      codes[at] = lastId;
    }
  }

  /** Replaces ids by those of the pairs. */
  combine(ids: Uint32Array, codes: Uint32Array, count: number): void {
    const dense = this.#dense;
    for (let at = 0; at < count; at++) {
      const [before, code] = [ids[at] as number, codes[at] as number];
      const id = dense === undefined ? -1 : (dense[before * this.#stride + code] as number);
      ids[at] = id < 0 ? this.id(before, code) : id;
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
    if (this.#coders.length === 0) this.#ids.fill(0, 0, rows.length);
    this.#coders.forEach((coder, index) => {
      const pairs = this.#pairs[index] as PairIds;
      if (index > 0) {
        coder.code(unit, rows, this.#codes);
        pairs.combine(this.#ids, this.#codes, rows.length);
      } else if (coder.ids !== undefined) coder.ids(unit, rows, pairs, this.#ids);
      else {
        coder.code(unit, rows, this.#ids);
        pairs.replace(this.#ids, rows.length);
      }
    });
    return this.#ids;
  }

  /** Groups that rows of the unit may belong to, told from its dictionary; undefined: that is not known, or one is new. */
  groupsIn(unit: Unit): readonly number[] | undefined {
    const [only] = this.#coders;
    return this.#coders.length === 1 && only instanceof TagCoder ? only.groupsIn(unit, this.#pairs[0] as PairIds) : undefined;
  }

  /** A key's value in a group. */
  value(group: number, key: number): bigint | string | null {
    let id = group;
    for (let step = this.#pairs.length - 1; step > key; step--) id = (this.#pairs[step] as PairIds).before[id] as number;
    return (this.#coders[key] as Coder).value((this.#pairs[key] as PairIds).codes[id] as number);
  }
}
