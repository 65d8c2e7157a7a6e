/** The unpersisted batches of one table, in WAL order, and whether two of its points may have one series and time. */
import { viewTableBatch, type TableBatchView } from "../columns/table-batch.ts";
import { BATCH_OVERHEAD_BYTES, COLUMN_OVERHEAD_BYTES, KEPT_VIEW_ROWS_MIN, REINDEX_ROWS_MAX } from "./limits.ts";
import { type BatchPoints, LatePoints, pointsOf } from "./late-points.ts";
import { SeriesHasher } from "./series-hash.ts";
import { type Repeated, type RepeatedRange, RepeatedTimes } from "./repeated-times.ts";
import { SeriesTimes } from "./series-times.ts";

export class TableBuffer {
  readonly #batches: (Uint8Array | TableBatchView)[] = [];
  readonly #sequences: number[] = [];
  #series: SeriesTimes | undefined = new SeriesTimes();
  #late = new LatePoints();
  #repeated = new RepeatedTimes();
  #rowCount = 0;
  readonly #hasher: SeriesHasher;

  /** Tables may share a hasher. */
  constructor(hasher: SeriesHasher = new SeriesHasher()) {
    this.#hasher = hasher;
  }

  /** Times at which points may have repeated an earlier one's series and time. */
  get repeated(): Repeated {
    return this.#repeated.ranges;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** Bytes of the series index. */
  get indexBytes(): number {
    return this.#series?.bytes ?? 0;
  }

  /** The bytes must be checked ones and must not change afterwards. */
  append(bytes: Uint8Array, sequence: number): void {
    const view = viewTableBatch(bytes);
    this.#rowCount += view.rowCount;
    this.#note(view);
    this.#batches.push(view.rowCount >= KEPT_VIEW_ROWS_MIN ? view : bytes);
    this.#sequences.push(sequence);
  }

  /** Batches up to a sequence, in WAL order. */
  viewsThrough(sequence: number): TableBatchView[] {
    const end = this.#endOf(sequence);
    return this.#batches.slice(0, end).map((_, index) => this.#viewAt(index));
  }

  /** What follows a sequence, with an index of its own; undefined: nothing does. */
  after(sequence: number): TableBuffer | undefined {
    const end = this.#endOf(sequence);
    if (end === this.#batches.length) return undefined;
    const rest = new TableBuffer(this.#hasher);
    const views = this.#batches.slice(end).map((_, index) => this.#viewAt(end + index));
    // Noting every row anew takes time; with many of them the index goes on, with series that may have no row any more.
    const takesOver = views.reduce((sum, view) => sum + view.rowCount, 0) > REINDEX_ROWS_MAX;
    const series = this.#series;
    if (takesOver) rest.#series = undefined;
    views.forEach((view, index) => rest.append(view.bytes, this.#sequences[end + index] as number));
    if (takesOver) {
      rest.#series = series;
      rest.#late = this.#late.after(end);
      rest.#repeated = this.#repeated;
    }
    return rest;
  }

  #endOf(sequence: number): number {
    const end = this.#sequences.findIndex((candidate) => candidate > sequence);
    return end < 0 ? this.#sequences.length : end;
  }

  /** Frees the series index; from now on points may stand twice anywhere. */
  giveUpIndex(): void {
    this.#series = undefined;
    this.#repeated.giveUp();
  }

  views(): TableBatchView[] {
    return this.#batches.map((_, index) => this.#viewAt(index));
  }

  #note(view: TableBatchView): void {
    const points = pointsOf(view, this.#hasher);
    if (points === undefined || this.#series === undefined) return;
    const late: number[] = [];
    for (let row = 0; row < view.rowCount; row++) {
      const at = row * 8;
      const { low, high } = points.hashes;
      if (!this.#series.advance(low[row] as number, high[row] as number, points.times.getUint32(at, true), points.times.getInt32(at + 4, true))) late.push(row);
    }
    if (late.length > 0 && this.#late.mayRepeat(points, late, (index) => this.#viewAt(index))) this.#repeated.add(rangeOf(points, late));
    this.#late.add(view);
  }

  #viewAt(index: number): TableBatchView {
    const batch = this.#batches[index] as Uint8Array | TableBatchView;
    return batch instanceof Uint8Array ? viewTableBatch(batch) : batch;
  }
}

/** Of all late rows: which of them repeat a point is not worth knowing. */
function rangeOf({ times }: BatchPoints, rows: readonly number[]): RepeatedRange {
  let [timeMin, timeMax] = [0n, 0n];
  rows.forEach((row, index) => {
    const time = times.getBigInt64(row * 8, true);
    if (index === 0 || time < timeMin) timeMin = time;
    if (index === 0 || time > timeMax) timeMax = time;
  });
  return { timeMin, timeMax };
}

/** What a batch costs in the buffer beside the series index; known before it is accepted. */
export function bufferedBytes(size: number, rowCount: number, columnCount: number): number {
  return size + BATCH_OVERHEAD_BYTES + (rowCount >= KEPT_VIEW_ROWS_MIN ? columnCount * COLUMN_OVERHEAD_BYTES : 0);
}
