/** SQL and Arrow spellings of types, for CAST, `::` and `arrow_cast`. */
import { planError, type TextPosition } from "./sql-error.ts";
import type { TypeName } from "./syntax.ts";
import { BOOLEAN, DATE, DURATION, FLOAT64, INT64, INTERVAL, TIMESTAMP, UTF8, type SqlType, type TimeUnit } from "./types.ts";

const SQL_NAMES: Readonly<Record<string, SqlType>> = {
  BOOLEAN, BOOL: BOOLEAN,
  TINYINT: { kind: "int8" }, SMALLINT: { kind: "int16" }, INT2: { kind: "int16" }, INT: { kind: "int32" }, INTEGER: { kind: "int32" }, INT4: { kind: "int32" },
  BIGINT: INT64, INT8: INT64, INT64,
  "TINYINT UNSIGNED": { kind: "uint8" }, "SMALLINT UNSIGNED": { kind: "uint16" }, "INT UNSIGNED": { kind: "uint32" },
  "INTEGER UNSIGNED": { kind: "uint32" }, "BIGINT UNSIGNED": { kind: "uint64" }, UBIGINT: { kind: "uint64" },
  FLOAT: { kind: "float32" }, REAL: { kind: "float32" }, FLOAT4: { kind: "float32" }, FLOAT8: FLOAT64, FLOAT64, DOUBLE: FLOAT64, "DOUBLE PRECISION": FLOAT64,
  VARCHAR: UTF8, CHAR: UTF8, TEXT: UTF8, STRING: UTF8, "CHARACTER VARYING": UTF8, CHARACTER: UTF8, "CHAR VARYING": UTF8,
  BYTEA: { kind: "binary" }, BINARY: { kind: "binary" }, VARBINARY: { kind: "binary" },
  DATE, TIME: { kind: "time" }, INTERVAL, TIMESTAMP, DATETIME: TIMESTAMP, "TIMESTAMP WITHOUT TIME ZONE": TIMESTAMP,
  TIMESTAMPTZ: { kind: "timestamp", unit: "Nanosecond", zone: "UTC" }, "TIMESTAMP WITH TIME ZONE": { kind: "timestamp", unit: "Nanosecond", zone: "UTC" },
};

/** Throws `query.not_implemented` words for a name that is no type. */
export function typeFromName(name: TypeName, position: TextPosition): SqlType {
  if (name.words === "DECIMAL" || name.words === "NUMERIC" || name.words === "DEC") {
    const [precision = 38, scale = 10] = name.arguments.length === 1 ? [name.arguments[0], 0] : name.arguments;
    if (precision < 1 || precision > 38 || scale < 0 || scale > precision) throw planError(`Decimal(precision = ${precision}, scale = ${scale}) should satisfy \`0 < precision <= 38\` and \`scale <= precision\``, { position });
    return { kind: "decimal", precision, scale };
  }
  const type = SQL_NAMES[name.words];
  if (type === undefined) throw planError(`Unsupported SQL type ${name.words}`, { position, hint: "such as BIGINT, DOUBLE, VARCHAR, BOOLEAN, TIMESTAMP, DATE" });
  return type;
}

const ARROW_SIMPLE: Readonly<Record<string, SqlType>> = {
  Null: { kind: "null" }, Boolean: BOOLEAN, Int8: { kind: "int8" }, Int16: { kind: "int16" }, Int32: { kind: "int32" }, Int64: INT64,
  UInt8: { kind: "uint8" }, UInt16: { kind: "uint16" }, UInt32: { kind: "uint32" }, UInt64: { kind: "uint64" },
  Float32: { kind: "float32" }, Float64: FLOAT64, Utf8: UTF8, LargeUtf8: UTF8, Utf8View: UTF8, Binary: { kind: "binary" }, Date32: DATE,
  "Dictionary(Int32,Utf8)": { kind: "tag" }, "Interval(MonthDayNano)": INTERVAL, "Duration(Nanosecond)": DURATION, "Duration(ns)": DURATION, "Time64(Nanosecond)": { kind: "time" },
};
const SHORT_UNITS: Readonly<Record<string, TimeUnit>> = { s: "Second", ms: "Millisecond", us: "Microsecond", ns: "Nanosecond" };

/** Type named in Arrow's words, as `arrow_cast` takes it. */
export function typeFromArrowName(text: string, position: TextPosition): SqlType {
  const compact = text.replace(/\s+/g, "");
  const simple = ARROW_SIMPLE[compact];
  if (simple !== undefined) return simple;
  const time = /^Timestamp\((Second|Millisecond|Microsecond|Nanosecond|s|ms|us|ns)(?:,(?:None|Some\("([^"]+)"\)|"([^"]+)"))?\)$/.exec(compact);
  if (time !== null) return { kind: "timestamp", unit: SHORT_UNITS[time[1] as string] ?? (time[1] as TimeUnit), zone: time[2] ?? time[3] };
  const decimal = /^Decimal(?:128|256)\((\d{1,2}),(\d{1,2})\)$/.exec(compact);
  if (decimal !== null) return typeFromName({ words: "DECIMAL", arguments: [Number(decimal[1]), Number(decimal[2])], at: 0 }, position);
  throw planError(`Unsupported type '${text}'. Must be a supported arrow type name such as 'Int32' or 'Timestamp(ns)'`, { position });
}
