/** Query results in our own columns: which type a column takes, and what its cells become. */
import type { ColumnType } from "../columns/column-type.ts";
import { formatCell, jsonWriter } from "./format-value.ts";
import type { ResultValue } from "./query-stream.ts";
import type { SqlType } from "./types.ts";

/** What has no column type of its own becomes text. */
export function storedType(type: SqlType): ColumnType {
  switch (type.kind) {
    case "timestamp":
      return "time";
    case "int8":
    case "int16":
    case "int32":
    case "int64":
    case "uint8":
    case "uint16":
    case "uint32":
    case "duration":
      return "int64";
    case "uint64":
      return "uint64";
    case "float32":
    case "float64":
      return "float64";
    case "boolean":
      return "bool";
    default:
      return "utf8";
  }
}

export function storedCell(value: Exclude<ResultValue, null>, type: SqlType, stored: ColumnType): unknown {
  if (stored !== "utf8") return value;
  return type.kind === "list" || type.kind === "struct" ? jsonWriter(type)(value) : formatCell(value, type);
}
