/**
 * Tells whether points that arrived late repeat earlier ones. Several writers interleave, so a late point is common and a
 * repeated one is rare; deduplicating a whole table for each query costs far more than looking here. Only batches whose
 * time range the late points touch are searched; what cannot be searched within the limits counts as repeated.
 */
import { ENCODED } from "../columns/column-type.ts";
import type { TableBatchView } from "../columns/table-batch.ts";
import { LATE_BATCHES_MAX, LATE_SCAN_MAX, POINT_SETS_KEPT } from "./limits.ts";
import { SeriesHasher, type SeriesHashes } from "./series-hash.ts";

/** Rows of a batch as the search sees them. */
export interface BatchPoints {
  readonly rowCount: number;
  readonly hashes: SeriesHashes;
  /** Two words a row: low, high. */
  readonly times: DataView;
}

/** Undefined for a batch without a time column. Valid until the hasher's next batch. */
export function pointsOf(view: TableBatchView, hasher: SeriesHasher): BatchPoints | undefined {
  const time = view.columns.find((column) => column.type === ENCODED.time);
  if (time === undefined) return undefined;
  const { buffer, byteOffset, byteLength } = time.body;
  return { rowCount: view.rowCount, hashes: hasher.hash(view), times: new DataView(buffer, byteOffset, byteLength) };
}

/** The points of one batch by 64 bits of hash, in open addressing. */
class PointSet {
  readonly #low: Int32Array;
  readonly #high: Int32Array;

  constructor(rowCount: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(8, rowCount * 2)));
    this.#low = new Int32Array(slots);
    this.#high = new Int32Array(slots);
  }

  /** False when the point was there already. */
  add(points: BatchPoints, row: number): boolean {
    const [low, high] = pointHash(points, row);
    const slot = this.#find(low, high);
    if (this.#low[slot] !== 0 || this.#high[slot] !== 0) return false;
    this.#low[slot] = low;
    this.#high[slot] = high;
    return true;
  }

  has(points: BatchPoints, row: number): boolean {
    const [low, high] = pointHash(points, row);
    const slot = this.#find(low, high);
    return this.#low[slot] !== 0 || this.#high[slot] !== 0;
  }

  #find(low: number, high: number): number {
    const mask = this.#low.length - 1;
    let slot = low & mask;
    while ((this.#low[slot] !== 0 || this.#high[slot] !== 0) && (this.#low[slot] !== low || this.#high[slot] !== high)) slot = (slot + 1) & mask;
    return slot;
  }
}

/** Never both 0: that marks a free slot. */
function pointHash({ hashes, times }: BatchPoints, row: number): readonly [low: number, high: number] {
  const timeLow = times.getInt32(row * 8, true);
  const timeHigh = times.getInt32(row * 8 + 4, true);
  let low = Math.imul((hashes.low[row] as number) ^ Math.imul(timeLow, 0x9e3779b1) ^ timeHigh, 0x85ebca6b);
  low ^= low >>> 15;
  let high = Math.imul((hashes.high[row] as number) ^ Math.imul(timeHigh, 0x9e3779b1) ^ Math.imul(timeLow, 0x27d4eb2f), 0xc2b2ae35);
  high ^= high >>> 13;
  return [low, high === 0 ? 1 : high];
}

export class LatePoints {
  /** Bounds of every batch as floats: rounding is monotonic, so ranges that overlap still do. */
  readonly #timeMin: number[] = [];
  readonly #timeMax: number[] = [];
  /** Largest `timeMax` up to each batch: where the search may end. */
  readonly #timeMaxSoFar: number[] = [];
  /** Newest last. */
  readonly #sets = new Map<number, PointSet>();

  /** Notes a batch after it was searched. */
  add(view: TableBatchView): void {
    this.#note(Number(view.timeMin), Number(view.timeMax));
  }

  #note(timeMin: number, timeMax: number): void {
    this.#timeMin.push(timeMin);
    this.#timeMax.push(timeMax);
    this.#timeMaxSoFar.push(Math.max(timeMax, this.#timeMaxSoFar.at(-1) ?? Number.NEGATIVE_INFINITY));
  }

  /** What is left when the first batches are gone. */
  after(count: number): LatePoints {
    const rest = new LatePoints();
    for (let index = count; index < this.#timeMin.length; index++) rest.#note(this.#timeMin[index] as number, this.#timeMax[index] as number);
    return rest;
  }

  /** True when one of the rows may repeat a point of this batch or an earlier one; `batchAt` gives the earlier ones. */
  mayRepeat(points: BatchPoints, rows: readonly number[], batchAt: (index: number) => TableBatchView): boolean {
    if (repeatsWithin(points)) return true;
    let [timeMin, timeMax] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const row of rows) {
      const time = Number(points.times.getBigInt64(row * 8, true));
      timeMin = Math.min(timeMin, time);
      timeMax = Math.max(timeMax, time);
    }
    let searched = 0;
    const newest = this.#timeMin.length - 1;
    for (let index = newest; index >= 0 && (this.#timeMaxSoFar[index] as number) >= timeMin; index--) {
      if (newest - index >= LATE_SCAN_MAX) return true;
      if ((this.#timeMin[index] as number) > timeMax || (this.#timeMax[index] as number) < timeMin) continue;
      if (++searched > LATE_BATCHES_MAX) return true;
      const set = this.#setOf(index, batchAt);
      if (set === undefined || rows.some((row) => set.has(points, row))) return true;
    }
    return false;
  }

  #setOf(index: number, batchAt: (index: number) => TableBatchView): PointSet | undefined {
    const known = this.#sets.get(index);
    if (known !== undefined) {
      this.#sets.delete(index);
      this.#sets.set(index, known);
      return known;
    }
    const points = pointsOf(batchAt(index), new SeriesHasher());
    if (points === undefined) return undefined;
    const set = new PointSet(points.rowCount);
    for (let row = 0; row < points.rowCount; row++) set.add(points, row);
    const oldest = this.#sets.keys().next().value;
    if (this.#sets.size >= POINT_SETS_KEPT && oldest !== undefined) this.#sets.delete(oldest);
    this.#sets.set(index, set);
    return set;
  }
}

function repeatsWithin(points: BatchPoints): boolean {
  const set = new PointSet(points.rowCount);
  for (let row = 0; row < points.rowCount; row++) if (!set.add(points, row)) return true;
  return false;
}
