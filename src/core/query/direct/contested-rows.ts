/**
 * Points that stand in several places: of the rows in contested times those are dropped that a newer one replaces. Where
 * the newest lacks a value that an older one has, the point is put together in a unit of its own. Only rows that pass the
 * query's tests are compared: a point's tags are the same wherever it stands.
 */
import { columnOf } from "../../columns/cells.ts";
import { type ColumnType, ENCODED } from "../../columns/column-type.ts";
import { decodeTableBatch, encodeTableBatch, type ColumnValues } from "../../columns/table-batch.ts";
import { encodeCells, encodeTags } from "../rows-to-batch.ts";
import type { ResultValue } from "../query-stream.ts";
import { valueAt } from "./accumulators.ts";
import { DIRECT_CONTESTED_ROWS_MAX } from "./limits.ts";
import { type RowSelector, tagCodesOf, type TimeBase } from "./select-rows.ts";
import type { TagRegistry } from "./tag-codes.ts";
import { batchUnit, type Unit, wordsOf } from "./unit.ts";

export interface ContestedWindow {
  readonly timeMin: bigint;
  readonly timeMax: bigint;
}

export interface ContestedRequest {
  readonly tableId: number;
  /** Older before newer. */
  readonly units: readonly Unit[];
  readonly windows: readonly ContestedWindow[];
  readonly seriesKey: readonly string[];
  /** Columns that the query reads. */
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  readonly registry: TagRegistry;
  readonly selector: RowSelector;
  readonly times: TimeBase;
}

export interface Uncontested {
  /** 1 by row that does not count. */
  readonly dropped: ReadonlyMap<Unit, Uint8Array>;
  /** Points put together; undefined: none had to be. */
  readonly merged: Unit | undefined;
}

interface Place {
  readonly unit: Unit;
  readonly row: number;
}

/** Undefined: there are too many of them. Pauses. */
export function* settleContested(request: ContestedRequest): Generator<undefined, Uncontested | undefined> {
  const found = yield* gather(request);
  if (found === undefined) return undefined;
  const chains = yield* chainPoints(found, request.seriesKey.length);
  const dropped = new Map<Unit, Uint8Array>();
  const drop = ({ unit, row }: Place): void => {
    let rows = dropped.get(unit);
    if (rows === undefined) dropped.set(unit, (rows = new Uint8Array(unit.rowCount)));
    rows[row] = 1;
  };
  const whole: Place[][] = [];
  for (const chain of chains) {
    const places = chain.map((index) => ({ unit: found.units[found.unitIds[index] as number] as Unit, row: found.rows[index] as number }));
    const newest = places.at(-1) as Place;
    for (const place of places) if (place !== newest) drop(place);
    const lacksSome = request.columns.some(({ name, type }) => type !== "tag" && type !== "time" && isNull(newest, name));
    if (!lacksSome) continue;
    drop(newest);
    whole.push(places);
  }
  return { dropped, merged: whole.length === 0 ? undefined : mergedUnit(whole, request) };
}

function isNull({ unit, row }: Place, name: string): boolean {
  const column = unit.column(name);
  return column === undefined || (column.validity !== undefined && (((column.validity[row >> 3] as number) >> (row & 7)) & 1) === 0);
}

/** The rows in contested times, as arrays. */
interface Found {
  readonly units: readonly Unit[];
  readonly unitIds: Uint32Array;
  readonly rows: Uint32Array;
  readonly offsets: Float64Array;
  /** By row, then tag of the series key. */
  readonly codes: Uint32Array;
  readonly count: number;
}

function* gather({ units, windows, seriesKey, tableId, registry, selector, times }: ContestedRequest): Generator<undefined, Found | undefined> {
  const pieces: { readonly unit: number; readonly rows: Uint32Array; readonly offsets: Float64Array }[] = [];
  let count = 0;
  const bounds = windows.map(({ timeMin, timeMax }) => [Number(timeMin - times.base), Number(timeMax - times.base)] as const);
  for (const [index, unit] of units.entries()) {
    const near = bounds.filter((_, at) => unit.timeMin <= (windows[at] as ContestedWindow).timeMax && unit.timeMax >= (windows[at] as ContestedWindow).timeMin);
    const time = unit.column("time");
    if (near.length === 0 || time === undefined) continue;
    const words = wordsOf(time);
    const selected = selector.select(unit);
    const rows = new Uint32Array(selected.length);
    const offsets = new Float64Array(selected.length);
    let kept = 0;
    for (const row of selected) {
      const offset = times.offset(words, row);
      if (!near.some(([from, to]) => offset >= from && offset <= to)) continue;
      rows[kept] = row;
      offsets[kept++] = offset;
    }
    count += kept;
    if (count > DIRECT_CONTESTED_ROWS_MAX) return undefined;
    pieces.push({ unit: index, rows: rows.subarray(0, kept), offsets: offsets.subarray(0, kept) });
    yield;
  }
  const found = { units, count, unitIds: new Uint32Array(count), rows: new Uint32Array(count), offsets: new Float64Array(count), codes: new Uint32Array(count * seriesKey.length) };
  let at = 0;
  for (const piece of pieces) {
    found.unitIds.fill(piece.unit, at, at + piece.rows.length);
    found.rows.set(piece.rows, at);
    found.offsets.set(piece.offsets, at);
    const codes = new Uint32Array(piece.rows.length);
    for (const [tag, name] of seriesKey.entries()) {
      tagCodesOf(units[piece.unit]?.tag(name), registry.get(tableId, name), piece.rows, codes);
      for (let row = 0; row < codes.length; row++) found.codes[(at + row) * seriesKey.length + tag] = codes[row] as number;
    }
    at += piece.rows.length;
    yield;
  }
  return found;
}

const SLICE_ROWS = 20_000;

/** Points with more than one row: the rows' indexes, older before newer. */
function* chainPoints({ count, codes, offsets }: Found, tags: number): Generator<undefined, readonly (readonly number[])[]> {
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(8, count * 2))));
  const mask = slots.length - 1;
  const chains = new Map<number, number[]>();
  for (let row = 0; row < count; row++) {
    const offset = offsets[row] as number;
    let hash = Math.imul(offset % 4_294_967_296, 0x9e3779b1) ^ (offset / 4_294_967_296);
    for (let tag = 0; tag < tags; tag++) {
      hash = Math.imul(hash ^ (codes[row * tags + tag] as number), 0x85ebca6b);
      hash ^= hash >>> 13;
    }
    let slot = (hash ^ (hash >>> 16)) & mask;
    for (let entry = slots[slot] as number; entry !== 0 && !isSame(entry - 1, row); entry = slots[slot] as number) slot = (slot + 1) & mask;
    const first = slots[slot] as number;
    if (first === 0) slots[slot] = row + 1;
    else {
      const chain = chains.get(first - 1);
      if (chain === undefined) chains.set(first - 1, [first - 1, row]);
      else chain.push(row);
    }
    if (row % SLICE_ROWS === SLICE_ROWS - 1) yield;
  }
  return [...chains.values()];

  function isSame(left: number, right: number): boolean {
    if (offsets[left] !== offsets[right]) return false;
    for (let tag = 0; tag < tags; tag++) if (codes[left * tags + tag] !== codes[right * tags + tag]) return false;
    return true;
  }
}

/** The newest value of each column that is not NULL. */
function mergedUnit(points: readonly (readonly Place[])[], { columns, times }: ContestedRequest): Unit {
  const value = (places: readonly Place[], name: string): ResultValue => {
    for (let at = places.length - 1; at >= 0; at--) {
      const found = valueAt((places[at] as Place).unit, name, (places[at] as Place).row);
      if (found !== null) return found;
    }
    return null;
  };
  const timesOf = points.map((places) => value(places, "time") as bigint);
  const bytes = encodeTableBatch({
    databaseId: 0, tableId: 0, rowCount: points.length, timeMin: timesOf.reduce((a, b) => (b < a ? b : a), times.base + 2n ** 53n), timeMax: timesOf.reduce((a, b) => (b > a ? b : a), times.base),
    columns: columns.map(({ name, type }): ColumnValues => {
      const cells = points.map((places) => value(places, name));
      return type === "tag" ? encodeTags(name, cells as (string | null)[]) : encodeCells(name, type, cells);
    }),
  });
  const batch = decodeTableBatch(bytes);
  return batchUnit(columnOf(batch, "time")?.type === ENCODED.time ? batch : { ...batch, columns: [] });
}
