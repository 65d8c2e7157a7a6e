/**
 * A Parquet file, a row group at a time (spec: query §1). Times are nanosecond timestamps, narrow numbers widen to 64 bits,
 * and what our tables have no type for (dates, times of day, intervals, decimals, bytes, lists, structs) is the text that
 * JSON lines would show.
 */
import { ByteWriter } from "../bytes/byte-writer.ts";
import { type ColumnChunk, encodeColumnChunk } from "../parquet/column-chunk.ts";
import { encodeFooter, type RowGroup, type SchemaColumn } from "../parquet/footer.ts";
import { scriptPages } from "../parquet/page-encoder.ts";
import type { QueryStream, ResultBatch, ResultColumn, ResultValue } from "./query-stream.ts";
import { encodeCells } from "./rows-to-batch.ts";
import { storedCell, storedType } from "./stored-cell.ts";
import type { SqlType } from "./types.ts";

/** Rows of a row group. It is encoded without a pause: about a millisecond for each column. */
const ROW_GROUP_ROWS = 16_384;
/** Cells of a row group, however wide its rows are. */
const CELLS_MAX = 524_288;

/** No batch: the body stays empty, as the reference leaves it. */
export async function* formatParquet(stream: QueryStream): AsyncGenerator<Uint8Array> {
  const file = new ParquetResult(stream.columns);
  for await (const batch of stream.batches) {
    if (file.add(batch)) yield file.rowGroup();
  }
  if (file.isEmpty) return;
  if (file.pendingRows > 0) yield file.rowGroup();
  yield file.footer();
}

const MAGIC = new TextEncoder().encode("PAR1");

class ParquetResult {
  readonly #columns: readonly ResultColumn[];
  readonly #schema: readonly SchemaColumn[];
  readonly #rowsMax: number;
  readonly #groups: RowGroup[] = [];
  #cells: unknown[][];
  #batches = 0;
  #written = 0;
  pendingRows = 0;

  constructor(columns: readonly ResultColumn[]) {
    this.#columns = columns;
    this.#schema = columns.map(({ name, sqlType }, index) => ({ name, type: storedType(sqlType), fieldId: index + 1, optional: true, ...(isInstant(sqlType) ? { instant: true } : {}) }));
    this.#rowsMax = Math.max(1, Math.min(ROW_GROUP_ROWS, Math.floor(CELLS_MAX / Math.max(1, columns.length))));
    this.#cells = columns.map(() => []);
  }

  get isEmpty(): boolean {
    return this.#batches === 0;
  }

  /** True when a row group is due. */
  add(batch: ResultBatch): boolean {
    this.#batches += 1;
    this.pendingRows += batch.rowCount;
    this.#columns.forEach(({ sqlType }, index) => {
      const cells = this.#cells[index] as unknown[];
      const stored = storedType(sqlType);
      for (const value of batch.columns[index] as readonly ResultValue[]) cells.push(value === null ? null : storedCell(value, sqlType, stored));
    });
    return this.pendingRows >= this.#rowsMax;
  }

  rowGroup(): Uint8Array {
    const rowCount = this.pendingRows;
    const file = new ByteWriter(rowCount * this.#columns.length * 4 + 4_096);
    if (this.#written === 0) file.append(MAGIC);
    const target = { file, page: new ByteWriter(rowCount * 9 + 256), encoder: scriptPages };
    const chunks = this.#schema.map(({ name, type }, index): ColumnChunk => {
      const chunk = encodeColumnChunk(encodeCells(name, type, this.#cells[index] as unknown[]), { from: 0, to: rowCount }, false, target);
      return { ...chunk, offset: chunk.offset + this.#written };
    });
    this.#groups.push({ rowCount, chunks });
    this.#cells = this.#columns.map(() => []);
    this.pendingRows = 0;
    return this.#taken(file);
  }

  footer(): Uint8Array {
    const file = new ByteWriter(4_096);
    if (this.#written === 0) file.append(MAGIC);
    const footer = encodeFooter(this.#schema, this.#groups);
    file.append(footer);
    file.uint32(footer.length);
    file.append(MAGIC);
    return this.#taken(file);
  }

  #taken(file: ByteWriter): Uint8Array {
    this.#written += file.length;
    return file.view();
  }
}

const isInstant = (type: SqlType): boolean => type.kind === "timestamp" && type.zone !== undefined;
