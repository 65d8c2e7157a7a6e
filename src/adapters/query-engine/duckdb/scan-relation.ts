/**
 * A relation as a source of vectors: fills the engine's column vectors straight from the batches' memory, 2048 rows a
 * call. Fixed-width values are block copies, tags are mapped codes, short texts are written as the engine's own strings.
 */
import type { ColumnType } from "../../../core/columns/column-type.ts";
import { ENCODED } from "../../../core/columns/column-type.ts";
import type { ColumnView, TableBatchView } from "../../../core/columns/table-batch.ts";
import type { EngineRelation } from "../../../ports/query-engine.ts";
import { api, TYPE_ID, type LogicalType, type Vector } from "./bindings.ts";
import { TAGS_PER_SLICE } from "./limits.ts";
import { codeWidth, type TagDictionaries, type TagDictionary } from "./tag-dictionary.ts";

/** A run of rows of one batch within one output chunk. */
interface Segment {
  readonly batch: number;
  readonly row: number;
  readonly count: number;
  /** First row in the output chunk. */
  readonly out: number;
}

interface ScanColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly logicalType: LogicalType;
  readonly dictionary?: TagDictionary;
  readonly codeWidth?: 1 | 2 | 4;
}

const logicalTypes = new Map<number, LogicalType>();

function logicalType(id: number): LogicalType {
  let type = logicalTypes.get(id);
  if (type === undefined) {
    type = api.create_logical_type(id);
    logicalTypes.set(id, type);
  }
  return type;
}

const TYPE_OF: Readonly<Record<Exclude<ColumnType, "tag">, number>> = {
  float64: TYPE_ID.DOUBLE, int64: TYPE_ID.BIGINT, uint64: TYPE_ID.UBIGINT, bool: TYPE_ID.BOOLEAN, utf8: TYPE_ID.VARCHAR, time: TYPE_ID.BIGINT,
};

const STRING_BYTES = 16;
const INLINE_BYTES = 12;

/**
 * Maps the tags of batches that no query has seen yet, in slices: the first query after a long ingest meets thousands of
 * them, and the thread it runs on takes writes too (design §8.6).
 */
export async function mapTags(relation: EngineRelation, dictionaries: TagDictionaries): Promise<void> {
  let mapped = 0;
  for (const { name, type } of relation.columns) {
    if (type !== "tag") continue;
    for (const batch of relation.batches) {
      const view = columnsOf(batch).get(name);
      if (view?.type !== ENCODED.tag) continue;
      const dictionary = dictionaries.get(batch.databaseId, batch.tableId, name);
      if (dictionary.knows(view)) continue;
      mapped += dictionary.mapping(view, batch.rowCount).length;
      if (mapped < TAGS_PER_SLICE) continue;
      mapped = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** A relation bound for one query. The scan itself is a cursor over it, so a self-join makes two. */
export class RelationSource {
  readonly rowCount: number;
  readonly columns: readonly ScanColumn[];
  #batches: readonly TableBatchView[];

  constructor(relation: EngineRelation, dictionaries: TagDictionaries) {
    this.#batches = relation.batches.filter((batch) => batch.rowCount > 0);
    this.rowCount = this.#batches.reduce((sum, batch) => sum + batch.rowCount, 0);
    this.columns = relation.columns.map(({ name, type }) =>
      type === "tag" ? tagColumn(this.#batches, name, dictionaries) : { name, type, logicalType: logicalType(TYPE_OF[type]) },
    );
  }

  /** A batch's values of a column; undefined when the batch has none. */
  view(column: ScanColumn, batch: number): ColumnView | undefined {
    const view = columnsOf(this.#batches[batch] as TableBatchView).get(column.name);
    return view?.type === ENCODED.null ? undefined : view;
  }

  /** From now on there is no row: the engine may still call when the query is over, and the memory of the batches another's. */
  close(): void {
    this.#batches = [];
  }

  batchRows(index: number): number | undefined {
    return this.#batches[index]?.rowCount;
  }
}

const columnMaps = new WeakMap<TableBatchView, ReadonlyMap<string, ColumnView>>();

/** Columns by name, found once per batch: a table may have thousands of batches and every query asks. */
function columnsOf(batch: TableBatchView): ReadonlyMap<string, ColumnView> {
  let columns = columnMaps.get(batch);
  if (columns === undefined) {
    columns = new Map(batch.columns.map((column) => [column.name, column]));
    columnMaps.set(batch, columns);
  }
  return columns;
}

function tagColumn(batches: readonly TableBatchView[], name: string, dictionaries: TagDictionaries): ScanColumn {
  const [first] = batches;
  const dictionary = dictionaries.get(first?.databaseId ?? 0, first?.tableId ?? 0, name);
  for (const batch of batches) {
    const view = columnsOf(batch).get(name);
    if (view?.type === ENCODED.tag) dictionary.mapping(view, batch.rowCount);
  }
  return { name, type: "tag", logicalType: dictionary.type, dictionary, codeWidth: codeWidth(dictionary.type) };
}

/** `seq` has no column of its own in the batches. */
export const sequenceType = (): LogicalType => logicalType(TYPE_ID.BIGINT);

/** One pass over a source. */
export class ScanCursor {
  readonly #source: RelationSource;
  /** Column positions asked for; the source's column count means `seq`. */
  readonly #projection: readonly number[];
  readonly #scratch: ArrayBuffer;
  #batch = 0;
  #row = 0;
  #sequence = 0;

  constructor(source: RelationSource, projection: readonly number[], vectorSize: number) {
    this.#source = source;
    this.#projection = projection;
    this.#scratch = new ArrayBuffer(vectorSize * STRING_BYTES);
  }

  /** Writes the next rows through `vector(i)` and returns how many; 0 at the end. */
  next(vectorSize: number, vector: (index: number) => Vector): number {
    const segments: Segment[] = [];
    let filled = 0;
    while (filled < vectorSize) {
      const rows = this.#source.batchRows(this.#batch);
      if (rows === undefined) break;
      const count = Math.min(vectorSize - filled, rows - this.#row);
      segments.push({ batch: this.#batch, row: this.#row, count, out: filled });
      filled += count;
      this.#row += count;
      if (this.#row === rows) {
        this.#batch++;
        this.#row = 0;
      }
    }
    if (filled > 0) this.#projection.forEach((position, index) => this.#fill(position, vector(index), segments, filled));
    this.#sequence += filled;
    return filled;
  }

  #fill(position: number, vector: Vector, segments: readonly Segment[], filled: number): void {
    const column = this.#source.columns[position];
    if (column === undefined) {
      if (position === this.#source.columns.length) this.#fillSequence(vector, filled);
      return;
    }
    this.#fillValidity(column, vector, segments, filled);
    for (const segment of segments) {
      const view = this.#source.view(column, segment.batch);
      if (view === undefined) continue;
      if (column.type === "tag") this.#fillTags(column, view, vector, segment);
      else if (column.type === "utf8") this.#fillText(view, vector, segment, this.#source.batchRows(segment.batch) as number);
      else copyFixed(view, vector, segment, column.type === "bool" ? 1 : 8);
    }
  }

  #fillSequence(vector: Vector, filled: number): void {
    const values = new BigInt64Array(this.#scratch, 0, filled);
    for (let index = 0; index < filled; index++) values[index] = BigInt(this.#sequence + index);
    api.copy_data_to_vector(vector, 0, this.#scratch, 0, filled * 8);
  }

  #fillValidity(column: ScanColumn, vector: Vector, segments: readonly Segment[], filled: number): void {
    const partial = segments.some(({ batch }) => {
      const view = this.#source.view(column, batch);
      return view === undefined || view.validity !== undefined;
    });
    if (!partial) return;
    const size = ((filled + 63) >> 6) * 8;
    const mask = new Uint8Array(this.#scratch, 0, size).fill(0);
    for (const { batch, row, count, out } of segments) {
      const view = this.#source.view(column, batch);
      if (view === undefined) continue;
      const { validity } = view;
      for (let index = 0; index < count; index++) {
        const from = row + index;
        if (validity !== undefined && (((validity[from >> 3] as number) >> (from & 7)) & 1) === 0) continue;
        const to = out + index;
        mask[to >> 3] = (mask[to >> 3] as number) | (1 << (to & 7));
      }
    }
    api.vector_ensure_validity_writable(vector);
    api.copy_data_to_vector_validity(vector, 0, this.#scratch, 0, size);
  }

  #fillTags(column: ScanColumn, view: ColumnView, vector: Vector, { row, count, out, batch }: Segment): void {
    const width = column.codeWidth as 1 | 2 | 4;
    const mapping = (column.dictionary as TagDictionary).mapping(view, this.#source.batchRows(batch) as number);
    const indexes = new DataView(view.body.buffer, view.body.byteOffset, view.body.byteLength);
    const codes = width === 1 ? new Uint8Array(this.#scratch) : width === 2 ? new Uint16Array(this.#scratch) : new Uint32Array(this.#scratch);
    for (let index = 0; index < count; index++) codes[index] = mapping[indexes.getUint32(4 + (row + index) * 4, true)] ?? 0;
    api.copy_data_to_vector(vector, out * width, this.#scratch, 0, count * width);
  }

  /** A string of the engine: length, then 12 bytes inline; longer ones are handed over one by one (the engine copies them). */
  #fillText(view: ColumnView, vector: Vector, { row, count, out }: Segment, rows: number): void {
    const { body } = view;
    const source = new DataView(body.buffer, body.byteOffset, body.byteLength);
    const textAt = (rows + 1) * 4;
    const strings = new Uint8Array(this.#scratch, 0, count * STRING_BYTES).fill(0);
    const lengths = new DataView(this.#scratch);
    const long: number[] = [];
    for (let index = 0; index < count; index++) {
      const from = source.getUint32((row + index) * 4, true);
      const size = source.getUint32((row + index + 1) * 4, true) - from;
      if (size > INLINE_BYTES) long.push(index);
      else {
        lengths.setUint32(index * STRING_BYTES, size, true);
        for (let byte = 0; byte < size; byte++) strings[index * STRING_BYTES + 4 + byte] = body[textAt + from + byte] as number;
      }
    }
    api.copy_data_to_vector(vector, out * STRING_BYTES, this.#scratch, 0, count * STRING_BYTES);
    for (const index of long) {
      const from = textAt + source.getUint32((row + index) * 4, true);
      const to = textAt + source.getUint32((row + index + 1) * 4, true);
      api.vector_assign_string_element_len(vector, out + index, body.subarray(from, to));
    }
  }
}

function copyFixed(view: ColumnView, vector: Vector, { row, count, out }: Segment, width: 1 | 8): void {
  const { body } = view;
  api.copy_data_to_vector(vector, out * width, body.buffer as ArrayBuffer, body.byteOffset + row * width, count * width);
}
