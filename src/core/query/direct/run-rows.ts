/** Runs a plan of rows: with a LIMIT the units whose times come first, and only as many as are needed. */
import type { ResultBatch } from "../query-stream.ts";
import { valueAt } from "./accumulators.ts";
import { DIRECT_RESULT_ROWS, DIRECT_ROWS_MAX } from "./limits.ts";
import type { RowsPlan } from "./plan.ts";
import type { DirectInput, DirectResult } from "./run.ts";
import { type Unit, wordsOf } from "./unit.ts";

/** Places of rows with their times. */
interface Places {
  units: Uint32Array;
  rows: Uint32Array;
  offsets: Float64Array;
  count: number;
}

/** Batches of the answer; undefined: the engine shall do it. Pauses after each unit. */
export function* runRows(plan: RowsPlan, input: DirectInput): Generator<undefined, DirectResult | undefined> {
  const wanted = plan.limit === undefined ? undefined : plan.limit + plan.offset;
  if (wanted === 0) return { batches: [], lastTime: plan.order === "descending" ? 2n ** 63n : -(2n ** 63n) };
  const units = inOrder(input.units, plan.order);
  const found: Places = { units: new Uint32Array(1_024), rows: new Uint32Array(1_024), offsets: new Float64Array(1_024), count: 0 };
  // Rows at or beyond it cannot be among the first ones any more.
  let bound: number | undefined;
  for (const [index, unit] of units.entries()) {
    if (bound !== undefined && !mayHold(unit, bound, plan, input)) break;
    if (wanted !== undefined && plan.order === undefined && found.count >= wanted) break;
    collect(unit, index, input, found);
    if (found.count > DIRECT_ROWS_MAX) return undefined;
    if (wanted !== undefined && plan.order !== undefined && found.count >= wanted) {
      keepFirst(found, plan.order, wanted);
      bound = found.offsets[wanted - 1];
    }
    yield;
  }
  if (plan.order !== undefined) keepFirst(found, plan.order, found.count);
  const from = Math.min(plan.offset, found.count);
  const lastOffset = wanted === undefined || found.count < wanted ? undefined : found.offsets[wanted - 1];
  return {
    batches: batches(plan.columns, units, found, from, wanted === undefined ? found.count : Math.min(found.count, wanted)),
    lastTime: lastOffset === undefined ? undefined : input.times.time(lastOffset),
  };
}

/** Units by the time at which they begin, so that the rest can be left out once enough rows are found. */
function inOrder(units: readonly Unit[], order: RowsPlan["order"]): readonly Unit[] {
  if (order === undefined) return units;
  const descending = order === "descending";
  return [...units].sort((left, right) => {
    const [a, b] = descending ? [right.timeMax, left.timeMax] : [left.timeMin, right.timeMin];
    return a < b ? -1 : a > b ? 1 : 0;
  });
}

function mayHold(unit: Unit, bound: number, { order }: RowsPlan, { times }: DirectInput): boolean {
  return order === "descending" ? Number(unit.timeMax - times.base) > bound : Number(unit.timeMin - times.base) < bound;
}

function collect(unit: Unit, index: number, { selector, dropped, times }: DirectInput, found: Places): void {
  const selected = selector.select(unit, dropped.get(unit));
  const time = unit.column("time");
  if (selected.length === 0 || time === undefined) return;
  const words = wordsOf(time);
  const count = found.count + selected.length;
  if (found.rows.length < count) {
    const size = Math.max(count, found.rows.length * 2);
    const [places, rows, offsets] = [new Uint32Array(size), new Uint32Array(size), new Float64Array(size)];
    places.set(found.units);
    rows.set(found.rows);
    offsets.set(found.offsets);
    Object.assign(found, { units: places, rows, offsets });
  }
  found.units.fill(index, found.count, count);
  found.rows.set(selected, found.count);
  for (let at = 0; at < selected.length; at++) found.offsets[found.count + at] = times.offset(words, selected[at] as number);
  found.count = count;
}

/** Sorts by time and forgets what comes after the first `count`. */
function keepFirst(found: Places, order: NonNullable<RowsPlan["order"]>, count: number): void {
  const { offsets } = found;
  const sign = order === "descending" ? -1 : 1;
  let sorted: Uint32Array;
  if (count === 1) {
    let best = 0;
    for (let at = 1; at < found.count; at++) if (((offsets[at] as number) - (offsets[best] as number)) * sign < 0) best = at;
    sorted = Uint32Array.of(best);
  } else {
    sorted = Uint32Array.from({ length: found.count }, (_, at) => at).sort((left, right) => ((offsets[left] as number) - (offsets[right] as number)) * sign).subarray(0, count);
  }
  const units = sorted.map((at) => found.units[at] as number);
  const rows = sorted.map((at) => found.rows[at] as number);
  const times = Float64Array.from(sorted, (at) => offsets[at] as number);
  Object.assign(found, { units, rows, offsets: times, count: sorted.length });
}

function* batches(columns: readonly string[], units: readonly Unit[], found: Places, from: number, to: number): Generator<ResultBatch> {
  for (let start = from; start < to; start += DIRECT_RESULT_ROWS) {
    const rowCount = Math.min(DIRECT_RESULT_ROWS, to - start);
    yield {
      rowCount,
      columns: columns.map((name) => Array.from({ length: rowCount }, (_, index) => valueAt(units[found.units[start + index] as number] as Unit, name, found.rows[start + index] as number))),
    };
  }
}
