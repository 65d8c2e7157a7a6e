/** Reads the footer of a Parquet file of ours: which columns it has, where their chunks lie. Bytes are not trusted. */
import { damagedParquet } from "./damaged.ts";
import { PARQUET_FILE_ROWS_MAX } from "./limits.ts";
import { structAt, structsAt, ThriftReader, type ThriftStruct, wholeAt } from "./thrift-reader.ts";

export interface StoredColumn {
  readonly fieldId: number;
  /** By its number in the format. */
  readonly physicalType: number;
  /** Without definition levels. */
  readonly required: boolean;
  readonly chunks: readonly StoredChunk[];
}

export interface StoredChunk {
  readonly rowCount: number;
  readonly codec: number;
  /** Of the dictionary page, or the first data page. */
  readonly offset: number;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
}

export interface ParquetLayout {
  readonly bytes: Uint8Array;
  readonly rowCount: number;
  readonly columns: ReadonlyMap<number, StoredColumn>;
}

const MAGIC = 0x31524150;
const TAIL_BYTES = 8;

/** Throws `parquet.corrupt`. */
export function readParquetLayout(bytes: Uint8Array): ParquetLayout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < TAIL_BYTES + 4 || view.getUint32(0, true) !== MAGIC || view.getUint32(bytes.length - 4, true) !== MAGIC) throw damagedParquet("it does not begin and end as one");
  const footerSize = view.getUint32(bytes.length - TAIL_BYTES, true);
  if (footerSize > bytes.length - TAIL_BYTES - 4) throw damagedParquet("its footer is longer than the file");
  const footer = new ThriftReader(bytes.subarray(bytes.length - TAIL_BYTES - footerSize, bytes.length - TAIL_BYTES)).struct();
  const rowGroups = structsAt(footer, 4);
  const rowCounts = rowGroups.map((group) => wholeAt(group, 3));
  const rowCount = rowCounts.reduce((sum, count) => sum + count, 0);
  if (rowCount !== wholeAt(footer, 3) || rowCount > PARQUET_FILE_ROWS_MAX) throw damagedParquet("its rows do not add up");
  const chunkLists = rowGroups.map((group) => structsAt(group, 1));
  const columns = new Map<number, StoredColumn>();
  const [, ...schema] = structsAt(footer, 2);
  schema.forEach((element, index) => {
    const chunks = chunkLists.map((list, group) => storedChunk(list[index], rowCounts[group] as number, bytes.length));
    const fieldId = wholeAt(element, 9);
    if (columns.has(fieldId)) throw damagedParquet(`it has two columns ${fieldId}`);
    columns.set(fieldId, { fieldId, physicalType: wholeAt(element, 1), required: wholeAt(element, 3) === 0, chunks });
  });
  return { bytes, rowCount, columns };
}

function storedChunk(struct: ThriftStruct | undefined, rowCount: number, fileBytes: number): StoredChunk {
  if (struct === undefined) throw damagedParquet("a row group lacks a column");
  const meta = structAt(struct, 3);
  if (wholeAt(meta, 5) !== rowCount) throw damagedParquet("a column has another number of rows than its group");
  const offset = meta.has(11) ? wholeAt(meta, 11) : wholeAt(meta, 9);
  const compressedBytes = wholeAt(meta, 7);
  if (offset + compressedBytes > fileBytes) throw damagedParquet("a column lies outside the file");
  return { rowCount, codec: wholeAt(meta, 4), offset, compressedBytes, uncompressedBytes: wholeAt(meta, 6) };
}
