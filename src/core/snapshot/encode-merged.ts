/**
 * Several Parquet files of one table as one: sorted by series key and time, one row per series and time with the newest
 * value of each column, as if all their rows had been in one snapshot. One column at a time is decoded, gathered and
 * encoded, so that the memory needed is that of the tags, the order and a single column, beside the files themselves.
 */
import type { TableDefinition } from "../catalog/definitions.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { type ColumnType, ENCODED } from "../columns/column-type.ts";
import type { ColumnValues, ColumnView, TableBatchView } from "../columns/table-batch.ts";
import { type ColumnChunk, encodeColumnChunk } from "../parquet/column-chunk.ts";
import { encodeFooter, type SchemaColumn } from "../parquet/footer.ts";
import { type PageEncoder, scriptPages } from "../parquet/page-encoder.ts";
import { readParquetColumn } from "../parquet/read-column.ts";
import type { ParquetLayout } from "../parquet/read-footer.ts";
import type { ChunkPiece, ChunkRows } from "./chunk-rows.ts";
import { type EncodedChunk, gatherTag } from "./encode-chunk.ts";
import { gatherField, GatherMemory } from "./gather-field.ts";
import { MERGE_TEXT_BYTES_PER_ROW, MERGED_BYTES_FACTOR, MERGED_BYTES_PER_ROW, MERGED_BYTES_PER_TAG, MERGED_BYTES_PER_TEXT, MERGED_ROW_GROUP_ROWS } from "./limits.ts";
import { orderRows } from "./row-order.ts";
import { readTagCodes, type TagCodes } from "./tag-codes.ts";

/** Memory that a merge takes at most, known before; texts longer than assumed here make it fail. */
export function mergeCost(table: TableDefinition, files: Iterable<{ readonly rowCount: number; readonly sizeBytes: number }>): number {
  const texts = table.columns.some(({ type }) => type === "utf8") ? MERGED_BYTES_PER_TEXT + 3 * MERGE_TEXT_BYTES_PER_ROW : 0;
  const perRow = MERGED_BYTES_PER_ROW + table.seriesKey.length * MERGED_BYTES_PER_TAG + texts;
  let cost = 0;
  for (const { rowCount, sizeBytes } of files) cost += rowCount * perRow + sizeBytes * MERGED_BYTES_FACTOR;
  return cost;
}

export interface MergeRequest {
  readonly table: TableDefinition;
  /** Start of the time window that holds all rows. */
  readonly windowStart: bigint;
  /** Oldest first. */
  readonly files: readonly ParquetLayout[];
}

/** Pauses after every few milliseconds of work. Throws `parquet.corrupt`, `parquet.too_large`. */
export function* encodeMerged({ table, windowStart, files }: MergeRequest, encoder: PageEncoder = scriptPages): Generator<undefined, EncodedChunk> {
  const rowsIn = files.reduce((sum, file) => sum + file.rowCount, 0);
  const textBytesMax = rowsIn * MERGE_TEXT_BYTES_PER_ROW;
  const pieces = files.map((file): ChunkPiece => ({ batch: lazyBatch(table, file, textBytesMax), rows: undefined, rowCount: file.rowCount }));
  const chunk: ChunkRows = { start: windowStart, pieces, rowCount: rowsIn };
  const tags: TagCodes[] = [];
  for (const name of table.seriesKey) tags.push(yield* readTagCodes(name, chunk));
  const order = yield* orderRows(chunk, tags);
  const memory = new GatherMemory();
  const rowCount = order.groupEnds.length;
  const file = new ColumnwiseFile(rowCount, encoder);
  for (let tag = tags.shift(); tag !== undefined; tag = tags.shift()) yield* file.add(table, gatherTag(tag, order));
  for (const { name, type } of [{ name: "time", type: "time" } as const, ...table.columns.filter(({ type }) => type !== "time")]) {
    if (type === "tag") continue;
    yield* decodeColumn(name, chunk);
    yield* file.add(table, yield* gatherField(name, type, chunk, order, memory));
  }
  return { bytes: file.finish(), rowCount, timeMin: windowStart + BigInt(order.offsetMin), timeMax: windowStart + BigInt(order.offsetMax) };
}

/** Decodes the column of one file after another: gathering asks for all of them in one go. */
function* decodeColumn(name: string, { pieces }: ChunkRows): Generator<undefined, void> {
  for (const { batch } of pieces) if (batch.columns.find((column) => column.name === name)?.body !== undefined) yield;
}

/** A file's rows as a batch whose columns are decoded when they are read; only the last one is kept. */
function lazyBatch(table: TableDefinition, file: ParquetLayout, textBytesMax: number): TableBatchView {
  let last: ColumnView | undefined;
  const load = (column: TableDefinition["columns"][number]): ColumnView => {
    if (last?.name !== column.name) last = readParquetColumn(file, column, textBytesMax) as ColumnView;
    return last;
  };
  const columns = table.columns
    .filter(({ id }) => file.columns.has(id))
    .map((column): ColumnView => ({
      name: column.name,
      type: ENCODED[column.type],
      get validity() {
        return load(column).validity;
      },
      get body() {
        return load(column).body;
      },
    }));
  return { databaseId: table.databaseId, tableId: table.id, rowCount: file.rowCount, timeMin: 0n, timeMax: 0n, columns, bytes: file.bytes };
}

const MAGIC = new TextEncoder().encode("PAR1");

interface EncodedPiece {
  readonly bytes: Uint8Array;
  readonly facts: Omit<ColumnChunk, "offset">;
}

/** A Parquet file whose columns come one after another; in the file the row groups do. */
class ColumnwiseFile {
  readonly #rowCount: number;
  readonly #encoder: PageEncoder;
  readonly #schema: SchemaColumn[] = [];
  readonly #chunk = new ByteWriter();
  readonly #page = new ByteWriter();
  /** By row group, then column. */
  readonly #groups: EncodedPiece[][];

  constructor(rowCount: number, encoder: PageEncoder) {
    this.#rowCount = rowCount;
    this.#encoder = encoder;
    this.#groups = Array.from({ length: Math.ceil(rowCount / MERGED_ROW_GROUP_ROWS) }, () => []);
  }

  *add(table: TableDefinition, values: ColumnValues): Generator<undefined, void> {
    const { id, type } = table.columnsByName.get(values.name) as { readonly id: number; readonly type: ColumnType };
    this.#schema.push({ name: values.name, type, fieldId: id });
    for (const [index, group] of this.#groups.entries()) {
      const target = { file: this.#chunk, page: this.#page, encoder: this.#encoder };
      target.file.clear();
      const facts = encodeColumnChunk(values, { from: index * MERGED_ROW_GROUP_ROWS, to: this.#groupEnd(index) }, type === "time", target);
      group.push({ bytes: target.file.copy(), facts });
      yield;
    }
  }

  #groupEnd(index: number): number {
    return Math.min(this.#rowCount, (index + 1) * MERGED_ROW_GROUP_ROWS);
  }

  finish(): Uint8Array<ArrayBuffer> {
    let offset = MAGIC.length;
    const groups = this.#groups.map((group, index) => ({
      rowCount: this.#groupEnd(index) - index * MERGED_ROW_GROUP_ROWS,
      chunks: group.map(({ facts }): ColumnChunk => {
        const chunk = { ...facts, offset };
        offset += facts.compressedBytes;
        return chunk;
      }),
    }));
    const footer = encodeFooter(this.#schema, groups);
    const out = new Uint8Array(offset + footer.length + 8);
    out.set(MAGIC);
    let at = MAGIC.length;
    for (const group of this.#groups) {
      for (const { bytes } of group) {
        out.set(bytes, at);
        at += bytes.length;
      }
    }
    out.set(footer, at);
    new DataView(out.buffer).setUint32(at + footer.length, footer.length, true);
    out.set(MAGIC, at + footer.length + 4);
    return out;
  }
}
