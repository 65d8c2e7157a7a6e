/** Which rows of a unit a query reads: tests of tags, bounds of time, rows that a newer one has replaced. */
import type { ColumnTest } from "../../caches/column-tests.ts";
import type { Scan } from "../bind-context.ts";
import type { TagCodes, TagRegistry } from "./tag-codes.ts";
import { type TagRows, type Unit, wordsOf } from "./unit.ts";

const WORD = 4_294_967_296;

/** Times as floats that count nanoseconds from a base; exact below 2^53. */
export class TimeBase {
  readonly base: bigint;
  readonly #high: number;
  readonly #low: number;

  constructor(base: bigint) {
    this.base = base;
    this.#high = Number(base >> 32n);
    this.#low = Number(base & 0xffff_ffffn);
  }

  /** Of a row: `words` are those of the time column. */
  offset(words: Int32Array, row: number): number {
    return ((words[row * 2 + 1] as number) - this.#high) * WORD + (((words[row * 2] as number) >>> 0) - this.#low);
  }

  time(offset: number): bigint {
    return this.base + BigInt(offset);
  }
}

export class RowSelector {
  readonly #scan: Pick<Scan, "timeMinNs" | "timeMaxNs">;
  readonly #tests: readonly { readonly test: ColumnTest; readonly codes: TagCodes }[];
  readonly #times: TimeBase;
  #rows = new Uint32Array(1_024);
  /** 0, 1, 2 …: all rows of a unit, never written to again. */
  #all = new Uint32Array(0);

  constructor(scan: Pick<Scan, "timeMinNs" | "timeMaxNs" | "tests">, tableId: number, registry: TagRegistry, times: TimeBase) {
    this.#scan = scan;
    this.#tests = scan.tests.map((test) => ({ test, codes: registry.get(tableId, test.column) }));
    this.#times = times;
  }

  /** Ascending; the array is used again by the next call. `dropped`: 1 by row for those that do not count. */
  select(unit: Unit, dropped?: Uint8Array): Uint32Array {
    if (this.#tests.length === 0 && dropped === undefined && this.#isWithinTime(unit)) return this.#everyRow(unit.rowCount);
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

  #everyRow(count: number): Uint32Array {
    if (this.#all.length < count) this.#all = Uint32Array.from({ length: Math.max(count, this.#all.length * 2) }, (_, row) => row);
    return this.#all.subarray(0, count);
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

/** 1 by entry of the dictionary; undefined: none passes. NULL passes no test. */
function passing(tag: TagRows, { values, negated }: ColumnTest, codes: TagCodes): Uint8Array | undefined {
  const mapping = codes.mapping(tag.dictionary, tag.dictionaryRows);
  const wanted = new Set<number>();
  for (const value of values) wanted.add(codes.codeOf(value as string));
  const pass = new Uint8Array(mapping.length);
  let any = false;
  for (let entry = 0; entry < mapping.length; entry++) {
    if (wanted.has(mapping[entry] as number) === negated) continue;
    pass[entry] = 1;
    any = true;
  }
  return any ? pass : undefined;
}

const isThere = (validity: Uint8Array | undefined, row: number): boolean => validity === undefined || (((validity[row >> 3] as number) >> (row & 7)) & 1) === 1;

function firstTest({ runs, indexes }: TagRows, pass: Uint8Array, rowCount: number, rows: Uint32Array): number {
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
  for (let row = 0; row < rowCount; row++) if (pass[entries[row] as number] === 1 && isThere(validity, row)) rows[count++] = row;
  return count;
}

function nextTest({ runs, indexes }: TagRows, pass: Uint8Array, rows: Uint32Array, count: number): number {
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
