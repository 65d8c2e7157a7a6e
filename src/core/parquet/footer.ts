/** The footer of a Parquet file: schema, places and statistics of every column chunk. */
import type { ColumnType } from "../columns/column-type.ts";
import type { ColumnChunk } from "./column-chunk.ts";
import { THRIFT, ThriftWriter } from "./thrift.ts";

export interface SchemaColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Readers find the column by it, whatever its name. */
  readonly fieldId: number;
  /** A column of times that may be absent; those of tables may not. */
  readonly optional?: boolean;
  /** Times are instants, not what a clock without zone shows. */
  readonly instant?: boolean;
}

export interface RowGroup {
  readonly rowCount: number;
  readonly chunks: readonly ColumnChunk[];
}

/** Physical types by their numbers in the format. */
const PHYSICAL: Readonly<Record<ColumnType, number>> = { bool: 0, int64: 2, uint64: 2, time: 2, float64: 5, tag: 6, utf8: 6 };
const SNAPPY = 1;
const FORMAT_VERSION = 2;
const REQUIRED = 0;
const OPTIONAL = 1;
/** Older readers know only these. */
const CONVERTED_UTF8 = 0;
const CONVERTED_UINT64 = 14;

export function encodeFooter(columns: readonly SchemaColumn[], rowGroups: readonly RowGroup[]): Uint8Array<ArrayBuffer> {
  const out = new ThriftWriter();
  out.i32(1, FORMAT_VERSION);
  out.list(2, THRIFT.struct, columns.length + 1);
  out.elementStruct(() => {
    out.binary(4, "schema");
    out.i32(5, columns.length);
  });
  for (const column of columns) schemaElement(out, column);
  out.i64(3, rowGroups.reduce((sum, group) => sum + group.rowCount, 0));
  out.list(4, THRIFT.struct, rowGroups.length);
  for (const group of rowGroups) out.elementStruct(() => rowGroup(out, group, columns));
  out.binary(6, "tidemark");
  out.list(7, THRIFT.struct, columns.length);
  // "Type defined order" for each: without it readers ignore the bounds.
  for (const _ of columns) out.elementStruct(() => out.struct(1, () => undefined));
  return out.finish();
}

function schemaElement(out: ThriftWriter, { name, type, fieldId, optional, instant }: SchemaColumn): void {
  out.elementStruct(() => {
    out.i32(1, PHYSICAL[type]);
    out.i32(3, type === "time" && optional !== true ? REQUIRED : OPTIONAL);
    out.binary(4, name);
    if (type === "tag" || type === "utf8") out.i32(6, CONVERTED_UTF8);
    if (type === "uint64") out.i32(6, CONVERTED_UINT64);
    out.i32(9, fieldId);
    if (type === "tag" || type === "utf8") out.struct(10, () => out.struct(1, () => undefined));
    if (type === "time") out.struct(10, () => out.struct(8, () => nanoseconds(out, instant === true)));
    if (type === "uint64") out.struct(10, () => out.struct(10, () => unsigned64(out)));
  });
}

/** Table columns are not adjusted to UTC: the reference's are "Timestamp(Nanosecond, None)". */
function nanoseconds(out: ThriftWriter, adjustedToUtc: boolean): void {
  out.bool(1, adjustedToUtc);
  out.struct(2, () => out.struct(3, () => undefined));
}

function unsigned64(out: ThriftWriter): void {
  out.byte(1, 64);
  out.bool(2, false);
}

function rowGroup(out: ThriftWriter, group: RowGroup, columns: readonly SchemaColumn[]): void {
  out.list(1, THRIFT.struct, group.chunks.length);
  group.chunks.forEach((chunk, index) => out.elementStruct(() => columnChunk(out, chunk, columns[index] as SchemaColumn)));
  out.i64(2, group.chunks.reduce((sum, chunk) => sum + chunk.uncompressedBytes, 0));
  out.i64(3, group.rowCount);
}

function columnChunk(out: ThriftWriter, chunk: ColumnChunk, column: SchemaColumn): void {
  out.i64(2, 0);
  out.struct(3, () => {
    out.i32(1, PHYSICAL[column.type]);
    out.list(2, THRIFT.i32, chunk.encodings.length);
    for (const encoding of chunk.encodings) out.zigzag(encoding);
    out.list(3, THRIFT.binary, 1);
    out.element(column.name);
    out.i32(4, SNAPPY);
    out.i64(5, chunk.rowCount);
    out.i64(6, chunk.uncompressedBytes);
    out.i64(7, chunk.compressedBytes);
    out.i64(9, chunk.offset + chunk.dictionaryBytes);
    if (chunk.dictionaryBytes > 0) out.i64(11, chunk.offset);
    out.struct(12, () => statistics(out, chunk));
  });
}

function statistics(out: ThriftWriter, { nullCount, bounds }: ColumnChunk): void {
  out.i64(3, nullCount);
  if (bounds === undefined) return;
  out.binary(5, bounds.max);
  out.binary(6, bounds.min);
}
