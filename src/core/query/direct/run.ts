/** Runs a direct plan over what was loaded for it. */
import type { ColumnType } from "../../columns/column-type.ts";
import type { ResultBatch } from "../query-stream.ts";
import { type ContestedWindow, settleContested } from "./contested-rows.ts";
import { DIRECT_SPAN_NS_MAX } from "./limits.ts";
import type { DirectPlan } from "./plan.ts";
import { runGroups } from "./run-groups.ts";
import { runRows } from "./run-rows.ts";
import { RowSelector, TimeBase } from "./select-rows.ts";
import type { TagRegistry } from "./tag-codes.ts";
import type { Unit } from "./unit.ts";

export interface DirectSource {
  readonly tableId: number;
  readonly seriesKey: readonly string[];
  /** Older before newer. */
  readonly units: readonly Unit[];
  /** Where a point may stand in several of them. */
  readonly windows: readonly ContestedWindow[];
  /** Those that the plan names. */
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  readonly registry: TagRegistry;
}

export interface DirectInput {
  readonly tableId: number;
  readonly units: readonly Unit[];
  readonly dropped: ReadonlyMap<Unit, Uint8Array>;
  readonly selector: RowSelector;
  readonly times: TimeBase;
  /** Nanoseconds from the first to the last row. */
  readonly span: number;
  readonly registry: TagRegistry;
}

export interface DirectResult {
  readonly batches: Iterable<ResultBatch>;
  /** Of rows in order with a LIMIT that was reached: what comes after it does not matter. */
  readonly lastTime?: bigint | undefined;
}

/** Columns that a plan reads, `time` among them. */
export function columnsOfPlan(plan: DirectPlan): ReadonlySet<string> {
  const names = new Set(["time", ...plan.scan.tests.map(({ column }) => column)]);
  if (plan.kind === "rows") for (const name of plan.columns) names.add(name);
  else {
    for (const key of plan.keys) if (key.kind === "tag") names.add(key.column);
    for (const item of plan.items) if ("aggregate" in item && item.aggregate.column !== undefined) names.add(item.aggregate.column);
  }
  return names;
}

/** Batches of the answer; undefined: the engine shall do it. Pauses after every few milliseconds of work. */
export function* runDirect(plan: DirectPlan, source: DirectSource): Generator<undefined, DirectResult | undefined> {
  const { tableId, registry, windows } = source;
  const all = source.units.filter(({ rowCount }) => rowCount > 0);
  const base = all.reduce((least, { timeMin }) => (timeMin < least ? timeMin : least), all[0]?.timeMin ?? 0n);
  const last = all.reduce((most, { timeMax }) => (timeMax > most ? timeMax : most), base);
  const span = Number(last - base);
  if (span >= DIRECT_SPAN_NS_MAX) return undefined;
  const times = new TimeBase(base);
  const selector = new RowSelector(plan.scan, tableId, registry, times);
  for (const { column } of plan.scan.tests) {
    for (const [index, unit] of all.entries()) {
      const tag = unit.tag(column);
      // Mapped before the tests are made, which need the codes of all values.
      if (tag !== undefined) registry.get(tableId, column).mapping(tag.dictionary, tag.dictionaryRows);
      if (index % UNITS_PER_SLICE === UNITS_PER_SLICE - 1) yield;
    }
  }
  const settled = windows.length === 0 ? { dropped: new Map<Unit, Uint8Array>(), merged: undefined } : yield* settleContested({ ...source, units: all, selector, times });
  if (settled === undefined) return undefined;
  const units = settled.merged === undefined ? all : [...all, settled.merged];
  const input: DirectInput = { tableId, registry, units, dropped: settled.dropped, selector, times, span };
  if (plan.kind === "rows") return yield* runRows(plan, input);
  const batches = yield* runGroups(plan, input);
  return batches === undefined ? undefined : { batches };
}

const UNITS_PER_SLICE = 64;
