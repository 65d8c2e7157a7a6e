/** The unpersisted batches of one table, in WAL order, and whether two of its points may have one series and time. */
import { viewTableBatch, type TableBatchView } from "../columns/table-batch.ts";
import { BATCH_OVERHEAD_BYTES, COLUMN_OVERHEAD_BYTES, KEPT_VIEW_ROWS_MIN, REINDEX_ROWS_MAX } from "./limits.ts";
import { LatePoints, pointsOf } from "./late-points.ts";
import { SeriesHasher } from "./series-hash.ts";
import { SeriesTimes } from "./series-times.ts";

export class TableBuffer {
  readonly #batches: (Uint8Array | TableBatchView)[] = [];
  readonly #sequences: number[] = [];
  #series: SeriesTimes | undefined = new SeriesTimes();
  readonly #late = new LatePoints();
  #mayHaveDuplicates = false;
  #rowCount = 0;
  readonly #hasher: SeriesHasher;

  /** Tables may share a hasher. */
  constructor(hasher: SeriesHasher = new SeriesHasher()) {
    this.#hasher = hasher;
  }

  /** True once some point may have repeated an earlier one's series and time. */
  get mayHaveDuplicates(): boolean {
    return this.#mayHaveDuplicates;
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
    if (!this.#mayHaveDuplicates) this.#note(view);
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
    // Noting every row anew takes time; with many of them the index is not worth a pause.
    if (views.reduce((sum, view) => sum + view.rowCount, 0) > REINDEX_ROWS_MAX) rest.giveUpIndex();
    views.forEach((view, index) => rest.append(view.bytes, this.#sequences[end + index] as number));
    return rest;
  }

  #endOf(sequence: number): number {
    const end = this.#sequences.findIndex((candidate) => candidate > sequence);
    return end < 0 ? this.#sequences.length : end;
  }

  /** Frees the series index; from now on the table counts as having duplicates. */
  giveUpIndex(): void {
    this.#series = undefined;
    this.#mayHaveDuplicates = true;
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
    if (late.length > 0 && this.#late.mayRepeat(points, late, (index) => this.#viewAt(index))) {
      // Nothing more to learn: queries of this table deduplicate from now on, and the index is no longer needed.
      this.giveUpIndex();
      return;
    }
    this.#late.add(view);
  }

  #viewAt(index: number): TableBatchView {
    const batch = this.#batches[index] as Uint8Array | TableBatchView;
    return batch instanceof Uint8Array ? viewTableBatch(batch) : batch;
  }
}

/** What a batch costs in the buffer beside the series index; known before it is accepted. */
export function bufferedBytes(size: number, rowCount: number, columnCount: number): number {
  return size + BATCH_OVERHEAD_BYTES + (rowCount >= KEPT_VIEW_ROWS_MIN ? columnCount * COLUMN_OVERHEAD_BYTES : 0);
}
