/** Aggregates as loops over typed arrays, one group's state in a few slots. NULL takes part in none but `first` and `last`. */
import { cellAt, tagAt } from "../../columns/cells.ts";
import type { ColumnType } from "../../columns/column-type.ts";
import type { ResultValue } from "../query-stream.ts";
import type { AggregatePlan } from "./aggregate-plan.ts";
import type { TimeBase } from "./select-rows.ts";
import { floatsOf, type Unit, wordsOf } from "./unit.ts";

export interface Accumulator {
  /** Takes in rows of a unit; `groups` are below `count`. */
  add(unit: Unit, rows: Uint32Array, groups: Uint32Array, count: number): void;
  value(group: number): ResultValue;
  /** Whether no row of this time or one further from the wanted end can change the group any more. */
  settled?(group: number, offset: number): boolean;
  /** The engine would fail here, and shall: a sum that does not fit its type. */
  readonly failed: boolean;
}

export function accumulatorFor(plan: AggregatePlan, times: TimeBase): Accumulator {
  const { column } = plan;
  if (column === undefined) return new CountRows();
  switch (plan.kind) {
    case "count":
      return new CountValues(column, plan.type as ColumnType);
    case "sum":
    case "avg":
      if (plan.kind === "avg" || plan.type === "float64") return new FloatSum(column, plan.type as ColumnType, plan.kind);
      return new WholeSum(column, plan.type === "int64");
    case "min":
    case "max":
      return new Extreme(plan, times);
    case "selector_min":
    case "selector_max":
      return new Extreme(plan, times);
    default:
      return new AtTime(plan, times);
  }
}

const isThere = (validity: Uint8Array | undefined, row: number): boolean => validity === undefined || (((validity[row >> 3] as number) >> (row & 7)) & 1) === 1;

/** Grown arrays keep their values. */
function grown<T extends Float64Array | Uint32Array | Int32Array | Uint8Array>(array: T, count: number): T {
  if (array.length >= count) return array;
  const next = new (array.constructor as new (length: number) => T)(Math.max(64, count, array.length * 2));
  next.set(array as never);
  return next;
}

class CountRows implements Accumulator {
  readonly failed = false;
  #counts = new Float64Array();

  add(_unit: Unit, rows: Uint32Array, groups: Uint32Array, count: number): void {
    const counts = (this.#counts = grown(this.#counts, count));
    for (let at = 0; at < rows.length; at++) counts[groups[at] as number]!++;
  }

  value(group: number): bigint {
    return BigInt(this.#counts[group] ?? 0);
  }
}

class CountValues implements Accumulator {
  readonly failed = false;
  readonly #column: string;
  readonly #isTag: boolean;
  #counts = new Float64Array();

  constructor(column: string, type: ColumnType) {
    this.#column = column;
    this.#isTag = type === "tag";
  }

  add(unit: Unit, rows: Uint32Array, groups: Uint32Array, count: number): void {
    const counts = (this.#counts = grown(this.#counts, count));
    if (this.#isTag) {
      const tag = unit.tag(this.#column);
      if (tag === undefined) return;
      for (let at = 0, run = 0; at < rows.length; at++) {
        const row = rows[at] as number;
        if (tag.runs !== undefined) while ((tag.runs.ends[run] as number) <= row) run++;
        const present = tag.runs === undefined ? isThere(tag.indexes?.validity, row) : (tag.runs.entries[run] as number) >= 0;
        if (present) counts[groups[at] as number]!++;
      }
      return;
    }
    const column = unit.column(this.#column);
    if (column === undefined) return;
    for (let at = 0; at < rows.length; at++) if (isThere(column.validity, rows[at] as number)) counts[groups[at] as number]!++;
  }

  value(group: number): bigint {
    return BigInt(this.#counts[group] ?? 0);
  }
}

const WORD = 4_294_967_296;

/** Sum of floats, or the mean of any numbers: that is one of floats. */
class FloatSum implements Accumulator {
  readonly failed = false;
  readonly #column: string;
  readonly #type: ColumnType;
  readonly #kind: "sum" | "avg";
  #sums = new Float64Array();
  #counts = new Float64Array();

  constructor(column: string, type: ColumnType, kind: "sum" | "avg") {
    this.#column = column;
    this.#type = type;
    this.#kind = kind;
  }

  add(unit: Unit, rows: Uint32Array, groups: Uint32Array, count: number): void {
    const sums = (this.#sums = grown(this.#sums, count));
    const counts = (this.#counts = grown(this.#counts, count));
    const column = unit.column(this.#column);
    if (column === undefined) return;
    const { validity } = column;
    if (this.#type !== "float64") {
      const words = wordsOf(column);
      const signed = this.#type === "int64";
      for (let at = 0; at < rows.length; at++) {
        const row = rows[at] as number;
        if (!isThere(validity, row)) continue;
        const high = words[row * 2 + 1] as number;
        const group = groups[at] as number;
        sums[group]! += (signed ? high : high >>> 0) * WORD + ((words[row * 2] as number) >>> 0);
        counts[group]!++;
      }
      return;
    }
    const values = floatsOf(column);
    if (validity === undefined) {
      for (let at = 0; at < rows.length; at++) {
        const group = groups[at] as number;
        sums[group]! += values[rows[at] as number] as number;
        counts[group]!++;
      }
      return;
    }
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number;
      if (((validity[row >> 3] as number) & (1 << (row & 7))) === 0) continue;
      const group = groups[at] as number;
      sums[group]! += values[row] as number;
      counts[group]!++;
    }
  }

  value(group: number): number | null {
    const count = this.#counts[group] ?? 0;
    if (count === 0) return null;
    const sum = this.#sums[group] as number;
    return this.#kind === "sum" ? sum : sum / count;
  }
}

const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;
/** So many low words add up exactly in a float. */
const EXACT_ADDITIONS = 2 ** 20;

/** Exact: high and low words are summed apart. */
class WholeSum implements Accumulator {
  failed = false;
  readonly #column: string;
  readonly #signed: boolean;
  #highs = new Float64Array();
  #lows = new Float64Array();
  #counts = new Uint32Array();
  readonly #carried = new Map<number, bigint>();

  constructor(column: string, signed: boolean) {
    this.#column = column;
    this.#signed = signed;
  }

  add(unit: Unit, rows: Uint32Array, groups: Uint32Array, count: number): void {
    const highs = (this.#highs = grown(this.#highs, count));
    const lows = (this.#lows = grown(this.#lows, count));
    const counts = (this.#counts = grown(this.#counts, count));
    const column = unit.column(this.#column);
    if (column === undefined) return;
    const words = wordsOf(column);
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number;
      if (!isThere(column.validity, row)) continue;
      const group = groups[at] as number;
      const high = words[row * 2 + 1] as number;
      highs[group]! += this.#signed ? high : high >>> 0;
      lows[group]! += (words[row * 2] as number) >>> 0;
      if (++counts[group]! % EXACT_ADDITIONS === 0) this.#carry(group);
    }
  }

  #carry(group: number): void {
    this.#carried.set(group, this.#sum(group));
    this.#highs[group] = 0;
    this.#lows[group] = 0;
  }

  #sum(group: number): bigint {
    return (this.#carried.get(group) ?? 0n) + BigInt(this.#highs[group] ?? 0) * BigInt(WORD) + BigInt(this.#lows[group] ?? 0);
  }

  value(group: number): bigint | null {
    if ((this.#counts[group] ?? 0) === 0) return null;
    const sum = this.#sum(group);
    if (sum > (this.#signed ? INT64_MAX : UINT64_MAX) || (this.#signed && sum < -INT64_MAX - 1n)) this.failed = true;
    return sum;
  }
}

/** The row that a group's value comes from. */
class Sources {
  readonly #units: Unit[] = [];
  #unitIds = new Int32Array();
  #rows = new Uint32Array();
  #unit = -1;

  begin(unit: Unit, count: number): void {
    this.#unit = this.#units.push(unit) - 1;
    const before = this.#unitIds.length;
    this.#unitIds = grown(this.#unitIds, count);
    if (this.#unitIds.length > before) this.#unitIds.fill(-1, before);
    this.#rows = grown(this.#rows, count);
  }

  set(group: number, row: number): void {
    this.#unitIds[group] = this.#unit;
    this.#rows[group] = row;
  }

  isSet(group: number): boolean {
    return (this.#unitIds[group] ?? -1) >= 0;
  }

  read(group: number, name: string): ResultValue {
    const unit = this.#units[this.#unitIds[group] ?? -1];
    return unit === undefined ? null : valueAt(unit, name, this.#rows[group] as number);
  }
}

/** A cell of a unit, tag or field. */
export function valueAt(unit: Unit, name: string, row: number): ResultValue {
  const column = unit.column(name);
  const runs = column === undefined ? unit.tag(name)?.runs : undefined;
  if (runs === undefined) return cellAt(column, unit.rowCount, row);
  const { dictionary } = unit.tag(name) as NonNullable<ReturnType<Unit["tag"]>>;
  let [low, high] = [0, runs.ends.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs.ends[middle] as number) <= row) low = middle + 1;
    else high = middle;
  }
  const entry = runs.entries[low] as number;
  return entry < 0 ? null : tagAt(dictionary, 0, entry);
}

/** A member of a selector, or the value itself. */
function shaped(plan: AggregatePlan, value: ResultValue, time: ResultValue): ResultValue {
  return plan.member === "both" ? [value, time] : plan.member === "time" ? time : value;
}

/** The value at a group's first or last time; selectors pass over NULL. Of equal times the row met first counts. */
class AtTime implements Accumulator {
  readonly failed = false;
  readonly #plan: AggregatePlan;
  readonly #name: string;
  readonly #times: TimeBase;
  readonly #sources = new Sources();
  /** 1 for the last time, -1 for the first: offsets times it are compared. */
  readonly #sign: 1 | -1;
  #offsets = new Float64Array();

  constructor(plan: AggregatePlan, times: TimeBase) {
    this.#plan = plan;
    this.#name = plan.column as string;
    this.#times = times;
    this.#sign = plan.kind === "last" || plan.kind === "selector_last" ? 1 : -1;
  }

  add(unit: Unit, rows: Uint32Array, groups: Uint32Array, count: number): void {
    const before = this.#offsets.length;
    const offsets = (this.#offsets = grown(this.#offsets, count));
    if (offsets.length > before) offsets.fill(Number.NEGATIVE_INFINITY, before);
    this.#sources.begin(unit, count);
    const time = unit.column("time");
    if (time === undefined) return;
    const words = wordsOf(time);
    const isNull = this.#plan.member === undefined ? undefined : nullTest(unit, this.#plan);
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number;
      const group = groups[at] as number;
      const offset = this.#times.offset(words, row) * this.#sign;
      if (offset <= (offsets[group] as number) || isNull?.(row) === true) continue;
      offsets[group] = offset;
      this.#sources.set(group, row);
    }
  }

  settled(group: number, offset: number): boolean {
    return (this.#offsets[group] ?? Number.NEGATIVE_INFINITY) >= offset * this.#sign;
  }

  value(group: number): ResultValue {
    if (!this.#sources.isSet(group)) return null;
    const time = this.#times.time((this.#offsets[group] as number) * this.#sign);
    return shaped(this.#plan, this.#sources.read(group, this.#name), time);
  }
}

function nullTest(unit: Unit, { column, type }: AggregatePlan): (row: number) => boolean {
  if (type === "tag") return (row) => valueAt(unit, column as string, row) === null;
  const view = unit.column(column as string);
  return view === undefined ? () => true : (row) => !isThere(view.validity, row);
}

/** Least or greatest value: NaN is the greatest number, as in the engine; of equal values the smallest time counts. */
class Extreme implements Accumulator {
  readonly failed = false;
  readonly #plan: AggregatePlan;
  readonly #name: string;
  readonly #times: TimeBase;
  readonly #sources = new Sources();
  /** A float, or the high word. */
  #first = new Float64Array();
  /** The low word. */
  #second = new Float64Array();
  #offsets = new Float64Array();

  constructor(plan: AggregatePlan, times: TimeBase) {
    this.#plan = plan;
    this.#name = plan.column as string;
    this.#times = times;
  }

  add(unit: Unit, rows: Uint32Array, groups: Uint32Array, count: number): void {
    this.#first = grown(this.#first, count);
    this.#second = grown(this.#second, count);
    this.#offsets = grown(this.#offsets, count);
    this.#sources.begin(unit, count);
    const column = unit.column(this.#name);
    const time = unit.column("time");
    if (column === undefined || time === undefined) return;
    const words = wordsOf(column);
    const floats = this.#plan.type === "float64" ? floatsOf(column) : undefined;
    const timeWords = wordsOf(time);
    const unsigned = this.#plan.type === "uint64";
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number;
      if (!isThere(column.validity, row)) continue;
      const high = words[row * 2 + 1] as number;
      const first = floats === undefined ? (unsigned ? high >>> 0 : high) : (floats[row] as number);
      const second = floats === undefined ? (words[row * 2] as number) >>> 0 : 0;
      this.#offer(groups[at] as number, row, first, second, timeWords);
    }
  }

  #offer(group: number, row: number, first: number, second: number, timeWords: Int32Array): void {
    const greatest = this.#plan.kind === "max" || this.#plan.kind === "selector_max";
    if (this.#sources.isSet(group)) {
      const order = compareNumbers(first, this.#first[group] as number) || second - (this.#second[group] as number);
      if (greatest ? order < 0 : order > 0) return;
      if (order === 0 && (this.#plan.member === undefined || this.#times.offset(timeWords, row) >= (this.#offsets[group] as number))) return;
    }
    this.#first[group] = first;
    this.#second[group] = second;
    if (this.#plan.member !== undefined) this.#offsets[group] = this.#times.offset(timeWords, row);
    this.#sources.set(group, row);
  }

  value(group: number): ResultValue {
    if (!this.#sources.isSet(group)) return null;
    return shaped(this.#plan, this.#sources.read(group, this.#name), this.#times.time(this.#offsets[group] as number));
  }
}

/** NaN last. */
export function compareNumbers(left: number, right: number): number {
  if (left === right) return 0;
  if (left < right) return -1;
  if (left > right) return 1;
  const [leftNaN, rightNaN] = [Number.isNaN(left), Number.isNaN(right)];
  return leftNaN === rightNaN ? 0 : leftNaN ? 1 : -1;
}
