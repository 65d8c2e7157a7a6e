/** Which rows of a unit a query reads: tests of tags, bounds of time, rows that a newer one has replaced. */
import type { ColumnTest } from "../../caches/column-tests.ts";
import type { Scan } from "../bind-context.ts";
import type { TagCodes, TagRegistry } from "./tag-codes.ts";
import { type TagRows, type Unit, wordsOf } from "./unit.ts";

const WORD = 4_294_967_296;

/** Times as floats that count nanoseconds from a base; exact below 2^53. */
export class TimeBase {
  readonly base: bigint;
  /** Its words. */
  readonly high: number;
  readonly low: number;

  constructor(base: bigint) {
    this.base = base;
    this.high = Number(base >> 32n);
    this.low = Number(base & 0xffff_ffffn);
  }

  /** Of a row: `words` are those of the time column. */
  offset(words: Int32Array, row: number): number {
    return ((words[row * 2 + 1] as number) - this.high) * WORD + (((words[row * 2] as number) >>> 0) - this.low);
  }

  time(offset: number): bigint {
    return this.base + BigInt(offset);
  }
}

/** 0, 1, 2 …: what is below the length of the longest unit seen; written once and shared. */
let ascending = new Uint32Array(0);

function everyRow(count: number): Uint32Array {
  if (ascending.length < count) {
    ascending = new Uint32Array(Math.max(count, ascending.length * 2));
    for (let row = 0; row < ascending.length; row++) ascending[row] = row;
  }
  return ascending.subarray(0, count);
}

export class RowSelector {
  readonly #scan: Pick<Scan, "timeMinNs" | "timeMaxNs">;
  readonly #tests: readonly { readonly test: ColumnTest; readonly codes: TagCodes }[];
  readonly #times: TimeBase;
  #rows = new Uint32Array(1_024);

  constructor(scan: Pick<Scan, "timeMinNs" | "timeMaxNs" | "tests">, tableId: number, registry: TagRegistry, times: TimeBase) {
    this.#scan = scan;
    this.#tests = scan.tests.map((test) => ({ test, codes: registry.get(tableId, test.column) }));
    this.#times = times;
  }

  /** Ascending; the array is used again by the next call. `dropped`: 1 by row for those that do not count. */
  select(unit: Unit, dropped?: Uint8Array): Uint32Array {
    if (this.#tests.length === 0 && dropped === undefined && this.#isWithinTime(unit)) return everyRow(unit.rowCount);
    if (this.#rows.length < unit.rowCount) this.#rows = new Uint32Array(unit.rowCount);
    const rows = this.#rows;
    let count = -1;
    for (const { test, codes } of this.#tests) {
      const tag = unit.tag(test.column);
      if (tag === undefined) return rows.subarray(0, 0);
      const pass = passing(tag, test, codes);
      if (pass === undefined) return rows.subarray(0, 0);
      count = count < 0 ? firstTest(tag, pass, unit.rowCount, rows) : nextTest(tag, pass, rows, count);
    }
    if (count < 0) {
      count = unit.rowCount;
      for (let row = 0; row < count; row++) rows[row] = row;
    }
    count = this.#withinTime(unit, rows, count);
    if (dropped === undefined) return rows.subarray(0, count);
    let kept = 0;
    for (let at = 0; at < count; at++) if (dropped[rows[at] as number] === 0) rows[kept++] = rows[at] as number;
    return rows.subarray(0, kept);
  }

  #isWithinTime({ timeMin, timeMax }: Unit): boolean {
    const { timeMinNs, timeMaxNs } = this.#scan;
    return (timeMinNs === undefined || timeMin >= timeMinNs) && (timeMaxNs === undefined || timeMax <= timeMaxNs);
  }

  #withinTime(unit: Unit, rows: Uint32Array, count: number): number {
    const { timeMinNs, timeMaxNs } = this.#scan;
    const isAllAfter = timeMinNs === undefined || unit.timeMin >= timeMinNs;
    const isAllBefore = timeMaxNs === undefined || unit.timeMax <= timeMaxNs;
    if (isAllAfter && isAllBefore) return count;
    const time = unit.column("time");
    if (time === undefined) return 0;
    const words = wordsOf(time);
    // Bounds beyond the base's reach are beyond every row's time as well.
    const from = isAllAfter ? Number.NEGATIVE_INFINITY : Number((timeMinNs as bigint) - this.#times.base);
    const to = isAllBefore ? Number.POSITIVE_INFINITY : Number((timeMaxNs as bigint) - this.#times.base);
    let kept = 0;
    for (let at = 0; at < count; at++) {
      const row = rows[at] as number;
      const offset = this.#times.offset(words, row);
      if (offset >= from && offset <= to) rows[kept++] = row;
    }
    return kept;
  }
}

/** Entries of a dictionary that pass a test. NULL passes none. */
interface Passing {
  /** 1 by entry. */
  readonly entries: Uint8Array;
  /** The only one that passes; -1: there are more. */
  readonly only: number;
}

/** Undefined: none passes. */
function passing(tag: TagRows, { values, negated }: ColumnTest, codes: TagCodes): Passing | undefined {
  const mapping = codes.mapping(tag.dictionary, tag.dictionaryRows);
  const entries = new Uint8Array(mapping.length).fill(negated ? 1 : 0);
  let count = negated ? mapping.length : 0;
  let only = -1;
  for (const value of values) {
    const code = codes.codeOf(value as string);
    // A dictionary may hold a text twice.
    for (let entry = code === 0 ? -1 : mapping.indexOf(code); entry >= 0; entry = mapping.indexOf(code, entry + 1)) {
      entries[entry] = negated ? 0 : 1;
      count += negated ? -1 : 1;
      only = entry;
    }
  }
  return count === 0 ? undefined : { entries, only: count === 1 && !negated ? only : -1 };
}

const isThere = (validity: Uint8Array | undefined, row: number): boolean => validity === undefined || (((validity[row >> 3] as number) >> (row & 7)) & 1) === 1;

function firstTest({ runs, indexes }: TagRows, { entries: pass, only }: Passing, rowCount: number, rows: Uint32Array): number {
  let count = 0;
  if (runs !== undefined) {
    for (let run = 0, from = 0; run < runs.ends.length; run++) {
      const to = runs.ends[run] as number;
      const entry = runs.entries[run] as number;
      if (entry >= 0 && pass[entry] === 1) for (let row = from; row < to; row++) rows[count++] = row;
      from = to;
    }
    return count;
  }
  const { entries, validity } = indexes as NonNullable<TagRows["indexes"]>;
  if (only >= 0) {
    for (let row = entries.indexOf(only); row >= 0; row = entries.indexOf(only, row + 1)) if (isThere(validity, row)) rows[count++] = row;
    return count;
  }
  for (let row = 0; row < rowCount; row++) if (pass[entries[row] as number] === 1 && isThere(validity, row)) rows[count++] = row;
  return count;
}

function nextTest({ runs, indexes }: TagRows, { entries: pass }: Passing, rows: Uint32Array, count: number): number {
  let kept = 0;
  let run = 0;
  for (let at = 0; at < count; at++) {
    const row = rows[at] as number;
    if (runs !== undefined) {
      while ((runs.ends[run] as number) <= row) run++;
      const entry = runs.entries[run] as number;
      if (entry >= 0 && pass[entry] === 1) rows[kept++] = row;
    } else {
      const { entries, validity } = indexes as NonNullable<TagRows["indexes"]>;
      if (pass[entries[row] as number] === 1 && isThere(validity, row)) rows[kept++] = row;
    }
  }
  return kept;
}

/** Codes of a tag for some rows, ascending; 0 for NULL. */
export function tagCodesOf(tag: TagRows | undefined, codes: TagCodes, rows: Uint32Array, out: Uint32Array): void {
  if (tag === undefined) {
    out.fill(0, 0, rows.length);
    return;
  }
  const mapping = codes.mapping(tag.dictionary, tag.dictionaryRows);
  const { runs, indexes } = tag;
  if (runs !== undefined) {
    for (let at = 0, run = 0; at < rows.length; at++) {
      while ((runs.ends[run] as number) <= (rows[at] as number)) run++;
      const entry = runs.entries[run] as number;
      out[at] = entry < 0 ? 0 : (mapping[entry] as number);
    }
    return;
  }
  const { entries, validity } = indexes as NonNullable<TagRows["indexes"]>;
  if (validity === undefined) for (let at = 0; at < rows.length; at++) out[at] = mapping[entries[rows[at] as number] as number] as number;
  else for (let at = 0; at < rows.length; at++) out[at] = isThere(validity, rows[at] as number) ? (mapping[entries[rows[at] as number] as number] as number) : 0;
}
