/** The unpersisted batches of one table, in WAL order, and whether two of its points may have one series and time. */
import { viewTableBatch, type TableBatchView } from "../columns/table-batch.ts";
import { batchMemoryBytes } from "./batch-memory.ts";
import { combineBatches } from "./combine-batches.ts";
import { BATCH_OVERHEAD_BYTES, COLUMN_OVERHEAD_BYTES, COMBINED_BATCHES_MIN, COMBINED_ROWS, KEPT_VIEW_ROWS_MIN, REINDEX_BATCHES_MAX, REINDEX_ROWS_MAX } from "./limits.ts";
import { type BatchPoints, LatePoints, pointsOf } from "./late-points.ts";
import { SeriesHasher } from "./series-hash.ts";
import { type Repeated, type RepeatedRange, RepeatedTimes } from "./repeated-times.ts";
import { SeriesTimes } from "./series-times.ts";

interface Combined {
  /** Of the batches; `to` is the first one after. */
  readonly from: number;
  readonly to: number;
  readonly view: TableBatchView;
}

const bytesOf = (view: TableBatchView): number => bufferedBytes(view.bytes.length, KEPT_VIEW_ROWS_MIN, view.columns.length);

export class TableBuffer {
  readonly #batches: (Uint8Array | TableBatchView)[] = [];
  readonly #sequences: number[] = [];
  #series: SeriesTimes | undefined = new SeriesTimes();
  #late = new LatePoints();
  #repeated = new RepeatedTimes();
  /** Runs of small batches as one view each, in order: what queries and snapshots see instead. */
  #combined: Combined[] = [];
  #combinedBytes = 0;
  /** First batch of the run of small ones at the end, and its rows. */
  #tailFrom = 0;
  #tailRows = 0;
  #combines = true;
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

  /** Bytes of the series index and of combined batches. */
  get indexBytes(): number {
    return (this.#series?.bytes ?? 0) + this.#combinedBytes;
  }

  /** The bytes must be checked ones and must not change afterwards. */
  append(bytes: Uint8Array, sequence: number): void {
    const view = viewTableBatch(bytes);
    this.#rowCount += view.rowCount;
    this.#note(view);
    const isSmall = view.rowCount < KEPT_VIEW_ROWS_MIN;
    if (!isSmall) this.#combineTail();
    this.#batches.push(isSmall ? bytes : view);
    this.#sequences.push(sequence);
    if (!isSmall) this.#tailFrom = this.#batches.length;
    else if ((this.#tailRows += view.rowCount) >= COMBINED_ROWS) this.#combineTail();
  }

  #combineTail(): void {
    const [from, to] = [this.#tailFrom, this.#batches.length];
    if (this.#combines && to - from >= COMBINED_BATCHES_MIN) {
      const view = combineBatches(this.#batches.slice(from, to).map((_, index) => this.#viewAt(from + index)));
      this.#combined.push({ from, to, view });
      this.#combinedBytes += bytesOf(view);
    }
    this.#tailFrom = to;
    this.#tailRows = 0;
  }

  /** Views of the first batches, runs of small ones combined where they lie within. */
  #viewsTo(end: number): TableBatchView[] {
    const views: TableBatchView[] = [];
    let at = 0;
    for (const { from, to, view } of this.#combined) {
      if (to > end) break;
      while (at < from) views.push(this.#viewAt(at++));
      views.push(view);
      at = to;
    }
    while (at < end) views.push(this.#viewAt(at++));
    return views;
  }

  /** Batches up to a sequence, in WAL order. */
  viewsThrough(sequence: number): TableBatchView[] {
    return this.#viewsTo(this.#endOf(sequence));
  }

  /** What follows a sequence, with an index of its own; undefined: nothing does. */
  after(sequence: number): TableBuffer | undefined {
    const end = this.#endOf(sequence);
    if (end === this.#batches.length) return undefined;
    const rest = new TableBuffer(this.#hasher);
    const gone = this.#viewsTo(end).reduce((sum, view) => sum + view.rowCount, 0);
    if (this.#rowCount - gone > REINDEX_ROWS_MAX || this.#batches.length - end > REINDEX_BATCHES_MAX) rest.#takeOver(this, end, gone);
    else this.#batches.slice(end).forEach((batch, index) => rest.append(batch instanceof Uint8Array ? batch : batch.bytes, this.#sequences[end + index] as number));
    return rest;
  }

  /** Noting every row anew would take time, so the index of `before` goes on, with series that may have no row any more. */
  #takeOver(before: TableBuffer, end: number, gone: number): void {
    for (let index = end; index < before.#batches.length; index++) {
      this.#batches.push(before.#batches[index] as Uint8Array | TableBatchView);
      this.#sequences.push(before.#sequences[index] as number);
    }
    this.#rowCount = before.#rowCount - gone;
    this.#series = before.#series;
    this.#late = before.#late.after(end);
    this.#repeated = before.#repeated;
    this.#combines = before.#combines;
    this.#combined = before.#combined.filter(({ from }) => from >= end).map(({ from, to, view }) => ({ from: from - end, to: to - end, view }));
    this.#combinedBytes = this.#combined.reduce((sum, { view }) => sum + bytesOf(view), 0);
    // A run that is cut apart is not combined again.
    this.#tailFrom = Math.max(0, before.#tailFrom - end);
    this.#tailRows = before.#tailRows;
  }

  #endOf(sequence: number): number {
    const end = this.#sequences.findIndex((candidate) => candidate > sequence);
    return end < 0 ? this.#sequences.length : end;
  }

  /** Frees the series index and combined batches; from now on points may stand twice anywhere. */
  giveUpIndex(): void {
    this.#combines = false;
    this.#combined = [];
    this.#combinedBytes = 0;
    this.#series = undefined;
    this.#repeated.giveUp();
  }

  views(): TableBatchView[] {
    return this.#viewsTo(this.#batches.length);
  }

  #note(view: TableBatchView): void {
    const points = pointsOf(view, this.#hasher);
    if (points === undefined || this.#series === undefined) return;
    const { buffer, byteOffset } = points.times;
    const late = this.#series.advance(points.hashes, new Int32Array(buffer, byteOffset, view.rowCount * 2), view.rowCount);
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
  return batchMemoryBytes(size) + BATCH_OVERHEAD_BYTES + (rowCount >= KEPT_VIEW_ROWS_MIN ? columnCount * COLUMN_OVERHEAD_BYTES : 0);
}
