/**
 * Types of expressions, by Arrow's names. Timestamps and durations are 64-bit integers in the engine, so that nanoseconds
 * stay exact over the whole range; only the front end knows that they are time.
 */
import type { ColumnType } from "../columns/column-type.ts";

export type IntegerKind = "int8" | "int16" | "int32" | "int64" | "uint8" | "uint16" | "uint32" | "uint64";
export type TimeUnit = "Second" | "Millisecond" | "Microsecond" | "Nanosecond";

export type SqlType =
  | { readonly kind: "null" | "boolean" | "float32" | "float64" | "utf8" | "tag" | "binary" | "date" | "time" | "interval" | "duration" | IntegerKind }
  /** Value: nanoseconds since the epoch whatever the unit; `zone` set: an instant shown in that zone. */
  | { readonly kind: "timestamp"; readonly unit: TimeUnit; readonly zone: string | undefined }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly kind: "list"; readonly element: SqlType }
  | { readonly kind: "struct"; readonly fields: readonly { readonly name: string; readonly type: SqlType }[] };

export const NULL: SqlType = { kind: "null" };
export const BOOLEAN: SqlType = { kind: "boolean" };
export const INT64: SqlType = { kind: "int64" };
export const INT32: SqlType = { kind: "int32" };
export const UINT64: SqlType = { kind: "uint64" };
export const FLOAT64: SqlType = { kind: "float64" };
export const UTF8: SqlType = { kind: "utf8" };
export const DATE: SqlType = { kind: "date" };
export const INTERVAL: SqlType = { kind: "interval" };
export const DURATION: SqlType = { kind: "duration" };
export type TimestampType = Extract<SqlType, { readonly kind: "timestamp" }>;
export const TIMESTAMP: TimestampType = { kind: "timestamp", unit: "Nanosecond", zone: undefined };

const COLUMN: Readonly<Record<ColumnType, SqlType>> = {
  tag: { kind: "tag" }, float64: FLOAT64, int64: INT64, uint64: UINT64, bool: BOOLEAN, utf8: UTF8, time: TIMESTAMP,
};

export const typeOfColumn = (type: ColumnType): SqlType => COLUMN[type];

const INTEGER_RANK: readonly IntegerKind[] = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"];
const INTEGERS: ReadonlySet<string> = new Set(INTEGER_RANK);

export const isInteger = (type: SqlType): boolean => INTEGERS.has(type.kind);
export const isUnsigned = (type: SqlType): boolean => isInteger(type) && type.kind.startsWith("u");
export const isFloat = (type: SqlType): boolean => type.kind === "float64" || type.kind === "float32";
export const isNumeric = (type: SqlType): boolean => isInteger(type) || isFloat(type) || type.kind === "decimal";
export const isText = (type: SqlType): boolean => type.kind === "utf8" || type.kind === "tag";

const ARROW_NAMES: Readonly<Record<string, string>> = {
  null: "Null", boolean: "Boolean", float32: "Float32", float64: "Float64", utf8: "Utf8", tag: "Dictionary(Int32, Utf8)", binary: "Binary",
  date: "Date32", time: "Time64(Nanosecond)", interval: "Interval(MonthDayNano)", duration: "Duration(Nanosecond)",
};

/** Arrow's name of a type as `arrow_typeof` and the metadata tables print it. */
export function arrowName(type: SqlType): string {
  switch (type.kind) {
    case "timestamp":
      return `Timestamp(${type.unit}, ${type.zone === undefined ? "None" : `Some("${type.zone}")`})`;
    case "decimal":
      return `Decimal128(${type.precision}, ${type.scale})`;
    case "list":
      return `List(Field { name: "item", data_type: ${arrowName(type.element)}, nullable: true, dict_id: 0, dict_is_ordered: false, metadata: {} })`;
    case "struct":
      return `Struct([${type.fields.map((field) => `Field { name: "${field.name}", data_type: ${arrowName(field.type)}, nullable: true, dict_id: 0, dict_is_ordered: false, metadata: {} }`).join(", ")}])`;
    default:
      return ARROW_NAMES[type.kind] ?? type.kind.replace("u", "U").replace(/^int/, "Int").replace("Uint", "UInt");
  }
}

const ENGINE_NAMES: Readonly<Record<string, string>> = {
  null: "VARCHAR", boolean: "BOOLEAN", float32: "FLOAT", float64: "DOUBLE", utf8: "VARCHAR", tag: "VARCHAR", binary: "BLOB", date: "DATE",
  time: "TIME", interval: "INTERVAL", duration: "BIGINT", timestamp: "BIGINT", int8: "TINYINT", int16: "SMALLINT", int32: "INTEGER",
  int64: "BIGINT", uint8: "UTINYINT", uint16: "USMALLINT", uint32: "UINTEGER", uint64: "UBIGINT",
};

/** The engine's type that holds values of `type`. */
export function engineName(type: SqlType): string {
  switch (type.kind) {
    case "decimal":
      return `DECIMAL(${type.precision},${type.scale})`;
    case "list":
      return `${engineName(type.element)}[]`;
    case "struct":
      return `STRUCT(${type.fields.map((field, index) => `f${index} ${engineName(field.type)}`).join(", ")})`;
    default:
      return ENGINE_NAMES[type.kind] as string;
  }
}

export function sameType(left: SqlType, right: SqlType): boolean {
  return left.kind === right.kind && arrowName(left) === arrowName(right);
}

/** The type both sides become in arithmetic; undefined when there is none. */
export function arithmeticType(left: SqlType, right: SqlType): SqlType | undefined {
  if (left.kind === "null") return isNumeric(right) ? right : undefined;
  if (right.kind === "null") return isNumeric(left) ? left : undefined;
  if (!isNumeric(left) || !isNumeric(right)) return undefined;
  if (isFloat(left) || isFloat(right)) return left.kind === "float32" && right.kind === "float32" ? left : FLOAT64;
  if (left.kind === "decimal" || right.kind === "decimal") return FLOAT64;
  return integerType(left, right);
}

function integerType(left: SqlType, right: SqlType): SqlType {
  if (left.kind === right.kind) return left;
  if (isUnsigned(left) !== isUnsigned(right)) return INT64;
  const rank = (type: SqlType): number => INTEGER_RANK.indexOf(type.kind as IntegerKind);
  return rank(left) > rank(right) ? left : right;
}

/** The type that values of both become when compared or unified (CASE, COALESCE, set operations). */
export function commonType(left: SqlType, right: SqlType): SqlType | undefined {
  if (sameType(left, right)) return left;
  if (left.kind === "null") return right;
  if (right.kind === "null") return left;
  if (isNumeric(left) && isNumeric(right)) return arithmeticType(left, right);
  if (isText(left) && isText(right)) return UTF8;
  if (left.kind === "timestamp" && right.kind === "timestamp") return { kind: "timestamp", unit: finer(left.unit, right.unit), zone: left.zone ?? right.zone };
  if (left.kind === "timestamp" && (right.kind === "date" || isText(right))) return left;
  if (right.kind === "timestamp" && (left.kind === "date" || isText(left))) return right;
  if (left.kind === "list" && right.kind === "list") {
    const element = commonType(left.element, right.element);
    return element === undefined ? undefined : { kind: "list", element };
  }
  if (isText(left)) return isNumeric(right) || right.kind === "boolean" ? UTF8 : right.kind === "date" || right.kind === "interval" ? right : undefined;
  if (isText(right)) return commonType(right, left);
  if (isDurationLike(left) && isDurationLike(right)) return DURATION;
  return undefined;
}

const UNITS: readonly TimeUnit[] = ["Second", "Millisecond", "Microsecond", "Nanosecond"];
const finer = (left: TimeUnit, right: TimeUnit): TimeUnit => (UNITS.indexOf(left) > UNITS.indexOf(right) ? left : right);

const isDurationLike = (type: SqlType): boolean => type.kind === "duration" || type.kind === "interval";
