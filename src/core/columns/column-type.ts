/** Column types of tables and the type bytes of the table batch encoding. */

/** Type of a table's column. `tag` columns are the series key; `time` is the nanosecond column. */
export type ColumnType = "tag" | "float64" | "int64" | "uint64" | "bool" | "utf8" | "time";

/** Type byte of an encoded column; 0 is a column without any value. */
export const ENCODED = { null: 0, int64: 1, float64: 2, bool: 3, utf8: 4, tag: 5, uint64: 6, time: 7 } as const;
export type EncodedType = (typeof ENCODED)[keyof typeof ENCODED];

/** Upstream's names in conflict messages (spec: line-protocol-and-write §6). */
export const INFLUX_COLUMN_TYPE: Readonly<Record<ColumnType, string>> = {
  tag: "iox::column_type::tag",
  float64: "iox::column_type::field::float",
  int64: "iox::column_type::field::integer",
  uint64: "iox::column_type::field::uinteger",
  bool: "iox::column_type::field::boolean",
  utf8: "iox::column_type::field::string",
  time: "iox::column_type::timestamp",
};

/** Arrow type names as metadata queries show them (spec: query §2.1). */
export const ARROW_TYPE: Readonly<Record<ColumnType, string>> = {
  tag: "Dictionary(Int32, Utf8)",
  float64: "Float64",
  int64: "Int64",
  uint64: "UInt64",
  bool: "Boolean",
  utf8: "Utf8",
  time: "Timestamp(Nanosecond, None)",
};
