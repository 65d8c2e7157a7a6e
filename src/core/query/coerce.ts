/** Conversions between types: implicit ones (operands, arguments) and CAST. Constants convert while planning. */
import { bigintSql, doubleSql, intervalSql, stringSql, type Bound, type Constant } from "./bound.ts";
import { binFixed, dateNanos, dateOf, floorMod, fromWallClock, parsedTimestamp, timestampText, wallClock, zonedText } from "./emit-time.ts";
import { parseInterval } from "./interval.ts";
import { notImplemented, planError, type TextPosition } from "./sql-error.ts";
import { parseTimestamp } from "./parse-timestamp.ts";
import { formatTimestamp, NS_PER_DAY } from "./temporal.ts";
import { arrowName, commonType, engineName, isFloat, isInteger, isNumeric, isText, sameType, TIMESTAMP, type SqlType, type TimestampType } from "./types.ts";
import { formatZoned, instantOf, zoneOf, type Zone } from "./zones.ts";

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
  if (type.kind === "binary" && isText(bound.type)) return retyped(bound, type, `encode(${bound.sql})`);
  if (bound.type.kind === "binary" && isText(type)) return retyped(bound, type, `decode(${bound.sql})`);
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

/** The zone of a type; undefined when it has none. Throws DataFusion's words for a name that is no zone. */
export function zoneOfType(type: TimestampType, position: TextPosition | undefined): Zone | undefined {
  if (type.zone === undefined) return undefined;
  const zone = zoneOf(type.zone);
  if (zone === undefined) throw planError(`Invalid timezone "${type.zone}": failed to parse timezone`, { position, hint: "write it as UTC, Europe/Oslo or +02:00" });
  return zone;
}

const floorTo = (ns: bigint, unit: bigint): bigint => ns - (((ns % unit) + unit) % unit);

function toTimestamp(bound: Bound, type: TimestampType, position: TextPosition | undefined, quiet: boolean): Bound {
  const { constant } = bound;
  const zone = zoneOfType(type, position);
  if (bound.type.kind === "timestamp") return timestampToTimestamp(bound, bound.type, type, zone);
  if (isText(bound.type)) return textToTimestamp(bound, type, zone, position, quiet);
  if (bound.type.kind === "date") return timestampToTimestamp(retyped(bound, TIMESTAMP, dateNanos(bound.sql)), TIMESTAMP, type, zone);
  if (!isNumeric(bound.type)) throw cannotCast(bound, type, position);
  const scale = UNIT_NS[type.unit];
  if (constant?.kind === "integer") return timestampConstant(bound, type, constant.value * scale);
  const whole = isInteger(bound.type) ? bound.sql : `trunc(${bound.sql})`;
  return retyped(bound, type, scale === 1n ? `CAST(${whole} AS BIGINT)` : `(CAST(${whole} AS BIGINT) * ${scale})`);
}

/** A time without zone is read as the new zone's wall clock; one with a zone keeps its instant (Arrow). */
function timestampToTimestamp(bound: Bound, from: TimestampType, type: TimestampType, zone: Zone | undefined): Bound {
  const read = from.zone === undefined && zone !== undefined;
  const unit = UNIT_NS[type.unit];
  if (bound.constant?.kind === "timestamp") {
    const ns = read ? instantOf(zone, bound.constant.ns) : bound.constant.ns;
    return timestampConstant(bound, type, floorTo(ns, unit));
  }
  const sql = truncatedToUnit(read ? fromWallClock(bound.sql, zone) : bound.sql, from, type);
  // The plain time column stays known as such: bounds are taken from it.
  return sql === bound.sql ? { ...bound, type } : retyped(bound, type, sql);
}

function textToTimestamp(bound: Bound, type: TimestampType, zone: Zone | undefined, position: TextPosition | undefined, quiet: boolean): Bound {
  const { constant } = bound;
  if (constant?.kind === "string") {
    const ns = parseTimestamp(constant.text, zone);
    if (ns !== undefined) return timestampConstant(bound, type, floorTo(ns, UNIT_NS[type.unit]));
    if (quiet) return retyped(bound, type, "CAST(NULL AS BIGINT)", { kind: "null" });
    throw planError(`Error parsing timestamp from '${constant.text}': error parsing date`, {
      position, hint: "write it as 2024-01-31T12:00:00Z; the range is 1677-09-21 to 2262-04-11",
    });
  }
  if (zone !== undefined && (zone.kind === "named" || zone.offsetNs !== 0n)) {
    throw notImplemented(`reading a text as a time of the zone ${type.zone}`, { position, hint: "cast it to TIMESTAMP first" });
  }
  return retyped(bound, type, truncatedToUnit(parsedTimestamp(bound.sql, quiet), TIMESTAMP, type));
}

const UNIT_NS = { Second: 1_000_000_000n, Millisecond: 1_000_000n, Microsecond: 1000n, Nanosecond: 1n } as const;

function truncatedToUnit(sql: string, from: TimestampType, type: TimestampType): string {
  const unit = UNIT_NS[type.unit];
  return unit <= UNIT_NS[from.unit] ? sql : binFixed(sql, unit, 0n);
}

function fromTimestamp(bound: Bound, type: SqlType, position: TextPosition | undefined): Bound {
  const unit = bound.type.kind === "timestamp" ? UNIT_NS[bound.type.unit] : 1n;
  const ns = bound.constant?.kind === "timestamp" ? bound.constant.ns : undefined;
  if (type.kind === "int64") {
    if (unit !== 1n) return retyped(bound, type, `((${bound.sql}) // ${unit})`);
    return retyped(bound, type, bound.sql, ns === undefined ? undefined : { kind: "integer", value: ns });
  }
  if (isNumeric(type)) return retyped(bound, type, `CAST(${bound.sql} AS ${engineName(type)})`);
  const zone = bound.type.kind === "timestamp" ? zoneOfType(bound.type, position) : undefined;
  if (isText(type)) {
    if (ns === undefined) return retyped(bound, type, zone === undefined ? timestampText(bound.sql) : zonedText(bound.sql, zone));
    const text = zone === undefined ? formatTimestamp(ns) : formatZoned(ns, zone);
    return retyped(bound, type, stringSql(text), { kind: "string", text });
  }
  // A zoned time shows its own zone's calendar and clock.
  const shown = zone === undefined ? bound.sql : wallClock(bound.sql, zone);
  if (type.kind === "date") return retyped(bound, type, dateOf(shown));
  if (type.kind === "time") return retyped(bound, type, `CAST(make_timestamp(${floorMod(shown, NS_PER_DAY)} // 1000) AS TIME)`);
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

/** Signed against unsigned: the engine compares them in 128 bits. Times are nanoseconds of an instant, whatever unit or zone they show. */
function compared(bound: Bound, type: SqlType, position: TextPosition): Bound {
  const asTheyAre = (isInteger(bound.type) && isInteger(type)) || (bound.type.kind === "timestamp" && type.kind === "timestamp");
  return asTheyAre ? bound : castTo(bound, type, position);
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
