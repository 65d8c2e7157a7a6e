/** Order of a chunk's rows in its file: by series, then time; rows of one series and time form a group, oldest first. */
import type { ChunkRows } from "./chunk-rows.ts";
import { timesOf } from "./chunk-rows.ts";
import { SLICE_ROWS } from "./limits.ts";
import { numberSeries, rankSeries } from "./series-ids.ts";
import type { TagCodes } from "./tag-codes.ts";

export interface RowOrder {
  /** The chunk's rows, group by group. */
  readonly rows: Uint32Array;
  /** Where each group ends in `rows`. */
  readonly groupEnds: Uint32Array;
  /** Where each series ends in `groupEnds`. */
  readonly seriesEnds: Uint32Array;
  /** Nanoseconds after the chunk's start. */
  readonly offsetMin: number;
  readonly offsetMax: number;
}

// Loops over rows are functions of their own: V8 compiles a generator with loops anew, at length, for each loop that is hot.

export function* orderRows(chunk: ChunkRows, tags: readonly TagCodes[]): Generator<undefined, RowOrder> {
  const offsets = yield* timeOffsets(chunk);
  const series = yield* numberSeries(tags, chunk.rowCount);
  const places = rankSeries(series, tags);
  yield;
  const { rows, seriesEnds } = yield* bySeries(series.ids, places);
  const groups = new RowGroups(rows, seriesEnds, offsets);
  while (groups.add()) yield;
  return groups.order();
}

/** Rows of one series and time stand together; series after series. */
class RowGroups {
  readonly #rows: Uint32Array;
  readonly #seriesEnds: Uint32Array;
  readonly #offsets: Float64Array;
  readonly #groupEnds: Uint32Array;
  readonly #groupsOfSeries: Uint32Array;
  #groups = 0;
  #place = 0;
  #offsetMin = Number.POSITIVE_INFINITY;
  #offsetMax = Number.NEGATIVE_INFINITY;

  constructor(rows: Uint32Array, seriesEnds: Uint32Array, offsets: Float64Array) {
    this.#rows = rows;
    this.#seriesEnds = seriesEnds;
    this.#offsets = offsets;
    this.#groupEnds = new Uint32Array(rows.length);
    this.#groupsOfSeries = new Uint32Array(seriesEnds.length);
  }

  /** The next series, about `SLICE_ROWS` rows of them; false: that was all. */
  add(): boolean {
    const start = this.#place === 0 ? 0 : (this.#seriesEnds[this.#place - 1] as number);
    for (let from = start; this.#place < this.#seriesEnds.length; this.#place++) {
      const to = this.#seriesEnds[this.#place] as number;
      this.#addSeries(from, to);
      from = to;
      if (to - start < SLICE_ROWS) continue;
      this.#place++;
      return true;
    }
    return false;
  }

  #addSeries(from: number, to: number): void {
    const [rows, offsets] = [this.#rows.subarray(from, to), this.#offsets];
    sortByTime(rows, offsets);
    this.#groups = endGroups(rows, offsets, from, this.#groupEnds, this.#groups);
    this.#groupsOfSeries[this.#place] = this.#groups;
    this.#offsetMin = Math.min(this.#offsetMin, offsets[rows[0] as number] as number);
    this.#offsetMax = Math.max(this.#offsetMax, offsets[rows[rows.length - 1] as number] as number);
  }

  order(): RowOrder {
    return { rows: this.#rows, groupEnds: this.#groupEnds.subarray(0, this.#groups), seriesEnds: this.#groupsOfSeries, offsetMin: this.#offsetMin, offsetMax: this.#offsetMax };
  }
}

/** Notes where the times of one series change; `from`: place of its first row. The number of groups so far. */
function endGroups(rows: Uint32Array, offsets: Float64Array, from: number, groupEnds: Uint32Array, before: number): number {
  let groups = before;
  const last = rows.length - 1;
  for (let at = 0; at < last; at++) if (offsets[rows[at + 1] as number] !== offsets[rows[at] as number]) groupEnds[groups++] = from + at + 1;
  groupEnds[groups] = from + rows.length;
  return groups + 1;
}

/** A chunk is far shorter than 2^53 ns, so offsets are exact as numbers, which compare without allocating. */
function* timeOffsets(chunk: ChunkRows): Generator<undefined, Float64Array> {
  const offsets = new Float64Array(chunk.rowCount);
  const startLow = Number(BigInt.asUintN(32, chunk.start));
  const startHigh = Number(chunk.start >> 32n);
  let at = 0;
  for (const { batch, rows, rowCount } of chunk.pieces) {
    const times = timesOf(batch);
    const words = new Uint32Array(times.buffer, times.byteOffset, times.length * 2);
    subtractStart(words, rows, { startLow, startHigh }, offsets.subarray(at, at + rowCount));
    at += rowCount;
    yield;
  }
  return offsets;
}

function subtractStart(words: Uint32Array, rows: Uint32Array | undefined, { startLow, startHigh }: { readonly startLow: number; readonly startHigh: number }, out: Float64Array): void {
  for (let index = 0; index < out.length; index++) {
    const row = rows === undefined ? index : (rows[index] as number);
    out[index] = (((words[row * 2 + 1] as number) | 0) - startHigh) * 4_294_967_296 + ((words[row * 2] as number) - startLow);
  }
}

/** A counting sort: stable, so the rows of one series stay in WAL order. */
function* bySeries(ids: Uint32Array, places: Uint32Array): Generator<undefined, { rows: Uint32Array; seriesEnds: Uint32Array }> {
  const next = firstPlaces(ids, places);
  yield;
  const rows = new Uint32Array(ids.length);
  for (let from = 0; from < ids.length; from += SLICE_ROWS) {
    placeRows({ ids, places, from, to: Math.min(ids.length, from + SLICE_ROWS) }, next, rows);
    yield;
  }
  return { rows, seriesEnds: next.subarray(0, places.length) };
}

/** Where the rows of each series begin. */
function firstPlaces(ids: Uint32Array, places: Uint32Array): Uint32Array {
  const next = new Uint32Array(places.length + 1);
  countRows(ids, places, next);
  for (let place = 0; place < places.length; place++) next[place + 1] = (next[place + 1] as number) + (next[place] as number);
  return next;
}

function countRows(ids: Uint32Array, places: Uint32Array, next: Uint32Array): void {
  for (let row = 0; row < ids.length; row++) {
    const place = (places[ids[row] as number] as number) + 1;
    next[place] = (next[place] as number) + 1;
  }
}

function placeRows({ ids, places, from, to }: { readonly ids: Uint32Array; readonly places: Uint32Array; readonly from: number; readonly to: number }, next: Uint32Array, rows: Uint32Array): void {
  for (let row = from; row < to; row++) {
    const place = places[ids[row] as number] as number;
    const at = next[place] as number;
    rows[at] = row;
    next[place] = at + 1;
  }
}

/** Rows come in WAL order, which mostly is time order already. */
function sortByTime(rows: Uint32Array, offsets: Float64Array): void {
  for (let at = 1; at < rows.length; at++) {
    if ((offsets[rows[at - 1] as number] as number) <= (offsets[rows[at] as number] as number)) continue;
    rows.sort((left, right) => (offsets[left] as number) - (offsets[right] as number) || left - right);
    return;
  }
}
