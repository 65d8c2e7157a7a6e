/** Runs a plan of groups over units: select rows, number their groups, add them up, one unit after another. */
import { compareTexts } from "../../bytes/compare-texts.ts";
import type { ResultBatch, ResultValue } from "../query-stream.ts";
import { type Accumulator, accumulatorFor, compareNumbers } from "./accumulators.ts";
import { GroupIds } from "./group-ids.ts";
import { DIRECT_ORDERED_GROUPS_MAX, DIRECT_RESULT_ROWS } from "./limits.ts";
import type { DirectOrder, GroupsPlan } from "./plan.ts";
import type { DirectInput } from "./run.ts";
import type { Unit } from "./unit.ts";

/** Batches of the answer; undefined: the engine shall do it. Pauses after each unit. */
export function* runGroups(plan: GroupsPlan, input: DirectInput): Generator<undefined, Iterable<ResultBatch> | undefined> {
  const { units, dropped, selector, times, tableId, registry, span } = input;
  const groups = GroupIds.create(plan.keys, tableId, registry, units, times, span);
  if (groups === undefined) return undefined;
  const accumulators = plan.items.map((item) => ("aggregate" in item ? accumulatorFor(item.aggregate, times) : undefined));
  const end = soughtEnd(plan);
  for (const unit of end === undefined ? units : byTime(units, end)) {
    if (end !== undefined && isSettled(unit, end, groups, accumulators, input)) continue;
    const rows = selector.select(unit, dropped.get(unit));
    if (rows.length === 0) continue;
    const ids = groups.of(unit, rows);
    if (groups.isTooMany) return undefined;
    for (const accumulator of accumulators) {
      accumulator?.add(unit, rows, ids, groups.count);
      if (rows.length > SLICE_ROWS) yield;
    }
    yield;
  }
  const readers = plan.items.map((item, index): ((group: number) => ResultValue) => {
    const accumulator = accumulators[index];
    return accumulator === undefined ? (group) => groups.value(group, (item as { readonly key: number }).key) : (group) => accumulator.value(group);
  });
  if (plan.order.length > 0 && groups.count > DIRECT_ORDERED_GROUPS_MAX) return undefined;
  // A sum that does not fit shows when it is read, and the engine's error is the answer then.
  for (const [index, accumulator] of accumulators.entries()) {
    if (plan.items[index] === undefined || accumulator === undefined || !("failed" in accumulator)) continue;
    if (isWholeSum(plan, index)) for (let group = 0; group < groups.count; group++) accumulator.value(group);
    if (accumulator.failed) return undefined;
  }
  const order = ordered(plan.order, readers, groups.count);
  const from = Math.min(plan.offset, groups.count);
  const to = plan.limit === undefined ? groups.count : Math.min(groups.count, from + plan.limit);
  return batches(readers, order, from, to);
}

/** The end of time at which all aggregates look for their rows: units are read from there, and most need not be. */
function soughtEnd({ items }: GroupsPlan): "last" | "first" | undefined {
  const kinds = new Set(items.flatMap((item) => ("aggregate" in item ? [item.aggregate.kind.replace("selector_", "")] : [])));
  const [only] = kinds;
  return kinds.size === 1 && (only === "last" || only === "first") ? only : undefined;
}

function byTime(units: readonly Unit[], end: "last" | "first"): readonly Unit[] {
  const compare = (left: bigint, right: bigint): number => (left < right ? -1 : left > right ? 1 : 0);
  return [...units].sort((left, right) => (end === "last" ? compare(right.timeMax, left.timeMax) : compare(left.timeMin, right.timeMin)));
}

/** Whether all groups of the unit have rows already that are nearer to the end than any of its own. */
function isSettled(unit: Unit, end: "last" | "first", groups: GroupIds, accumulators: readonly (Accumulator | undefined)[], { times }: DirectInput): boolean {
  const own = groups.groupsIn(unit);
  if (own === undefined) return false;
  const offset = Number((end === "last" ? unit.timeMax : unit.timeMin) - times.base);
  return own.every((group) => accumulators.every((accumulator) => accumulator?.settled?.(group, offset) !== false));
}

/** Rows that are added up without a pause. */
const SLICE_ROWS = 100_000;

function isWholeSum({ items }: GroupsPlan, index: number): boolean {
  const item = items[index];
  return item !== undefined && "aggregate" in item && item.aggregate.kind === "sum" && item.aggregate.type !== "float64";
}

type Reader = (group: number) => ResultValue;

/** Undefined: as they come. */
function ordered(order: readonly DirectOrder[], readers: readonly Reader[], count: number): readonly number[] | undefined {
  if (order.length === 0) return undefined;
  const keys = order.map(({ column }) => Array.from({ length: count }, (_, group) => (readers[column] as Reader)(group)));
  return Array.from({ length: count }, (_, group) => group).sort((left, right) => {
    for (const [index, { descending, nullsFirst }] of order.entries()) {
      const [a, b] = [keys[index]?.[left] ?? null, keys[index]?.[right] ?? null];
      if (a === null || b === null) {
        if (a !== b) return (a === null) === nullsFirst ? -1 : 1;
        continue;
      }
      const compared = compareValues(a, b);
      if (compared !== 0) return descending ? -compared : compared;
    }
    return 0;
  });
}

function compareValues(left: NonNullable<ResultValue>, right: NonNullable<ResultValue>): number {
  if (typeof left === "number" && typeof right === "number") return compareNumbers(left, right);
  if (typeof left === "string" && typeof right === "string") return compareTexts(left, right);
  return left < right ? -1 : left > right ? 1 : 0;
}

function* batches(readers: readonly Reader[], order: readonly number[] | undefined, from: number, to: number): Generator<ResultBatch> {
  for (let start = from; start < to; start += DIRECT_RESULT_ROWS) {
    const rowCount = Math.min(DIRECT_RESULT_ROWS, to - start);
    yield {
      rowCount,
      columns: readers.map((read) => Array.from({ length: rowCount }, (_, index) => read(order === undefined ? start + index : (order[start + index] as number)))),
    };
  }
}
