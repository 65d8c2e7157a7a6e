/** Conversions between types: implicit ones (operands, arguments) and CAST. Constants convert while planning. */
import { bigintSql, doubleSql, intervalSql, stringSql, type Bound, type Constant } from "./bound.ts";
import { dateNanos, dateOf, parsedTimestamp, timestampText } from "./emit-time.ts";
import { parseInterval } from "./interval.ts";
import { planError, type TextPosition } from "./sql-error.ts";
import { formatTimestamp, NS_PER_DAY, parseTimestamp } from "./temporal.ts";
import { arrowName, commonType, engineName, isFloat, isInteger, isNumeric, isText, sameType, type SqlType } from "./types.ts";

/** The same expression with other text, type and constant. */
export function retyped(bound: Bound, type: SqlType, sql: string, constant?: Constant): Bound {
  return { ...bound, type, sql, constant, scanColumn: undefined, joined: undefined };
}

const timestampConstant = (bound: Bound, type: SqlType, ns: bigint): Bound => retyped(bound, type, bigintSql(ns), { kind: "timestamp", ns });

/** Converts to `type`; `quiet` gives NULL where a value does not convert. Throws `query.invalid` when types cannot. */
export function castTo(bound: Bound, type: SqlType, position?: TextPosition, quiet = false): Bound {
  if (sameType(bound.type, type)) return bound;
  if (bound.type.kind === "null") return retyped(bound, type, `CAST(NULL AS ${engineName(type)})`, { kind: "null" });
  if (type.kind === "timestamp") return toTimestamp(bound, type, position, quiet);
  if (bound.type.kind === "timestamp") return fromTimestamp(bound, type, position);
  if (type.kind === "interval" || type.kind === "duration") return toSpan(bound, type, position);
  if (bound.type.kind === "interval" || bound.type.kind === "duration") return fromSpan(bound, type, position);
  const cast = quiet ? "TRY_CAST" : "CAST";
  if (isText(bound.type) && isText(type)) return retyped(bound, type, bound.sql, bound.constant);
  if (bound.constant?.kind === "integer" && isFloat(type)) {
    const value = Number(bound.constant.value);
    return retyped(bound, type, `CAST(${doubleSql(value)} AS ${engineName(type)})`, { kind: "float", value });
  }
  // The engine rounds a float to the nearest integer; Arrow cuts its fraction off.
  const sql = isFloat(bound.type) && isInteger(type) ? `trunc(${bound.sql})` : bound.sql;
  const constant = bound.constant?.kind === "integer" && isInteger(type) ? bound.constant : undefined;
  return retyped(bound, type, `${cast}(${sql} AS ${engineName(type)})`, constant);
}

function cannotCast(bound: Bound, type: SqlType, position: TextPosition | undefined): Error {
  return planError(`Unsupported CAST from ${arrowName(bound.type)} to ${arrowName(type)}`, { position });
}

function toTimestamp(bound: Bound, type: SqlType & { kind: "timestamp" }, position: TextPosition | undefined, quiet: boolean): Bound {
  const { constant } = bound;
  if (bound.type.kind === "timestamp") return retyped(bound, type, truncatedToUnit(bound.sql, type), constant);
  if (isText(bound.type)) {
    if (constant?.kind !== "string") return retyped(bound, type, parsedTimestamp(bound.sql, quiet));
    const ns = parseTimestamp(constant.text);
    if (ns !== undefined) return timestampConstant(bound, type, ns);
    if (quiet) return retyped(bound, type, "CAST(NULL AS BIGINT)", { kind: "null" });
    throw planError(`Error parsing timestamp from '${constant.text}': error parsing date`, {
      position, hint: "write it as 2024-01-31T12:00:00Z",
    });
  }
  if (bound.type.kind === "date") return retyped(bound, type, dateNanos(bound.sql));
  if (!isNumeric(bound.type)) throw cannotCast(bound, type, position);
  const scale = UNIT_NS[type.unit];
  if (constant?.kind === "integer") return timestampConstant(bound, type, constant.value * scale);
  const whole = isInteger(bound.type) ? bound.sql : `trunc(${bound.sql})`;
  return retyped(bound, type, scale === 1n ? `CAST(${whole} AS BIGINT)` : `(CAST(${whole} AS BIGINT) * ${scale})`);
}

const UNIT_NS = { Second: 1_000_000_000n, Millisecond: 1_000_000n, Microsecond: 1000n, Nanosecond: 1n } as const;

function truncatedToUnit(sql: string, type: SqlType & { kind: "timestamp" }): string {
  const unit = UNIT_NS[type.unit];
  return unit === 1n ? sql : `(((${sql}) // ${unit}) * ${unit})`;
}

function fromTimestamp(bound: Bound, type: SqlType, position: TextPosition | undefined): Bound {
  const unit = bound.type.kind === "timestamp" ? UNIT_NS[bound.type.unit] : 1n;
  const ns = bound.constant?.kind === "timestamp" ? bound.constant.ns : undefined;
  if (type.kind === "int64") {
    if (unit !== 1n) return retyped(bound, type, `((${bound.sql}) // ${unit})`);
    return retyped(bound, type, bound.sql, ns === undefined ? undefined : { kind: "integer", value: ns });
  }
  if (isNumeric(type)) return retyped(bound, type, `CAST(${bound.sql} AS ${engineName(type)})`);
  if (isText(type)) return ns === undefined ? retyped(bound, type, timestampText(bound.sql)) : retyped(bound, type, stringSql(formatTimestamp(ns)), { kind: "string", text: formatTimestamp(ns) });
  if (type.kind === "date") return retyped(bound, type, dateOf(bound.sql));
  if (type.kind === "time") return retyped(bound, type, `CAST(make_timestamp((((${bound.sql}) % ${NS_PER_DAY} + ${NS_PER_DAY}) % ${NS_PER_DAY}) // 1000) AS TIME)`);
  throw cannotCast(bound, type, position);
}

function toSpan(bound: Bound, type: SqlType, position: TextPosition | undefined): Bound {
  const { constant } = bound;
  if (isText(bound.type) && constant?.kind === "string") {
    const interval = parseInterval(constant.text);
    if (interval === undefined) throw planError(`Invalid input syntax for type interval: "${constant.text}"`, { position });
    return castTo(retyped(bound, { kind: "interval" }, intervalSql(interval), { kind: "interval", interval }), type, position);
  }
  if (type.kind === "duration" && bound.type.kind === "interval") {
    if (constant?.kind === "interval" && constant.interval.months === 0) {
      const ns = BigInt(constant.interval.days) * NS_PER_DAY + constant.interval.nanos;
      return retyped(bound, type, bigintSql(ns), { kind: "integer", value: ns });
    }
    return retyped(bound, type, `(CAST(epoch(${bound.sql}) * 1000000 AS BIGINT) * 1000)`);
  }
  if (type.kind === "interval" && bound.type.kind === "duration") return retyped(bound, type, `to_microseconds((${bound.sql}) // 1000)`);
  if (type.kind === "duration" && isInteger(bound.type)) return retyped(bound, type, `CAST(${bound.sql} AS BIGINT)`);
  throw cannotCast(bound, type, position);
}

function fromSpan(bound: Bound, type: SqlType, position: TextPosition | undefined): Bound {
  if (bound.type.kind === "duration" && isNumeric(type)) return retyped(bound, type, `CAST(${bound.sql} AS ${engineName(type)})`);
  if (isText(type)) return retyped(bound, type, `CAST(${bound.sql} AS VARCHAR)`);
  throw cannotCast(bound, type, position);
}

/** True when a text constant reads as a number. */
const isNumberText = (bound: Bound): boolean => bound.constant?.kind === "string" && /^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/.test(bound.constant.text);

/**
 * Brings both sides of a comparison to one type. Time against text parses the text, against integers counts
 * nanoseconds; numbers against a text that is a number compare as numbers (string parameters of plugins).
 */
export function comparable(left: Bound, right: Bound, position: TextPosition): readonly [Bound, Bound] {
  const type = comparisonType(left, right);
  if (type === undefined) {
    throw planError(`Cannot infer common argument type for comparison operation ${arrowName(left.type)} = ${arrowName(right.type)}`, {
      position, hint: "cast one side",
    });
  }
  return [compared(left, type, position), compared(right, type, position)];
}

/** Signed against unsigned: the engine compares them in 128 bits, so neither is cast. */
function compared(bound: Bound, type: SqlType, position: TextPosition): Bound {
  return isInteger(bound.type) && isInteger(type) ? bound : castTo(bound, type, position);
}

function comparisonType(left: Bound, right: Bound): SqlType | undefined {
  const [a, b] = [left.type, right.type];
  if (a.kind === "timestamp" && isNumeric(b)) return a;
  if (b.kind === "timestamp" && isNumeric(a)) return b;
  if (isNumeric(a) && isText(b) && isNumberText(right)) return isInteger(a) && /^\s*[+-]?\d+\s*$/.test(textOf(right)) ? a : { kind: "float64" };
  if (isNumeric(b) && isText(a) && isNumberText(left)) return comparisonType(right, left);
  if (a.kind === "boolean" && isText(b) && right.constant?.kind === "string") return a;
  if (b.kind === "boolean" && isText(a) && left.constant?.kind === "string") return b;
  return commonType(a, b);
}

const textOf = (bound: Bound): string => (bound.constant?.kind === "string" ? bound.constant.text : "");
