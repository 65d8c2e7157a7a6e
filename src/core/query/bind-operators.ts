/** Operators with DataFusion's typing: integer division, time arithmetic, comparison coercion, regular expressions. */
import { inherit, intervalSql, bigintSql, type Bound } from "./bound.ts";
import { castTo, comparable, retyped } from "./coerce.ts";
import { addInterval, addMonths } from "./emit-time.ts";
import { TEXT_JOINED_MAX } from "./limits.ts";
import { planError, type TextPosition } from "./sql-error.ts";
import type { BinaryOperator } from "./syntax.ts";
import { fitsInt64, NS_PER_DAY } from "./temporal.ts";
import { arithmeticType, arrowName, BOOLEAN, DATE, DURATION, engineName, FLOAT64, INT64, isFloat, isInteger, isNumeric, isText, isUnsigned, UTF8, type SqlType } from "./types.ts";

const COMPARISONS = new Set<BinaryOperator>(["=", "<>", "<", "<=", ">", ">=", "is-distinct", "is-not-distinct"]);
const SHOWN: Readonly<Partial<Record<BinaryOperator, string>>> = {
  or: "OR", and: "AND", "<>": "!=", "#": "BIT_XOR", "is-distinct": "IS DISTINCT FROM", "is-not-distinct": "IS NOT DISTINCT FROM",
};

/** Result of an operator on bound operands. */
export function bindBinary(operator: BinaryOperator, left: Bound, right: Bound, position: TextPosition): Bound {
  const made = applied(operator, left, right, position);
  return { ...made, ...inherit([left, right]), name: `${left.name} ${SHOWN[operator] ?? operator} ${right.name}`, scanColumn: undefined };
}

const of = (sql: string, type: SqlType): Bound => ({ sql, type, name: "", aggregate: false, window: false });

function applied(operator: BinaryOperator, left: Bound, right: Bound, position: TextPosition): Bound {
  if (operator === "and" || operator === "or") {
    return of(`(${asBoolean(left, position).sql} ${operator.toUpperCase()} ${asBoolean(right, position).sql})`, BOOLEAN);
  }
  if (COMPARISONS.has(operator)) {
    const [a, b] = comparable(left, right, position);
    return of(`(${a.sql} ${operator.startsWith("is") ? SHOWN[operator] : operator} ${b.sql})`, BOOLEAN);
  }
  switch (operator) {
    case "~":
    case "~*":
    case "!~":
    case "!~*":
      return matched(operator, left, right, position);
    case "||":
      return concatenated(left, right);
    case "&":
    case "|":
    case "#":
    case "<<":
    case ">>":
      return bits(operator, left, right, position);
    default:
      return temporal(operator, left, right) ?? arithmetic(operator, left, right, position);
  }
}

/** The operand as a condition. Throws `query.invalid` for other types. */
export function asBoolean(bound: Bound, position: TextPosition): Bound {
  if (bound.type.kind === "boolean") return bound;
  if (bound.type.kind === "null") return castTo(bound, BOOLEAN);
  throw planError(`Cannot infer common argument type for logical boolean operation ${arrowName(bound.type)} AND Boolean`, {
    position, hint: "a condition must be true or false: compare the value with something",
  });
}

function matched(operator: BinaryOperator, left: Bound, right: Bound, position: TextPosition): Bound {
  if (![left, right].every((side) => isText(side.type) || side.type.kind === "null")) {
    throw planError(`Cannot infer common argument type for regex operation ${arrowName(left.type)} ${operator} ${arrowName(right.type)}`, { position });
  }
  const options = operator.endsWith("*") ? ", 'i'" : "";
  const call = `regexp_matches(${castTo(left, UTF8).sql}, ${castTo(right, UTF8).sql}${options})`;
  return of(operator.startsWith("!") ? `(NOT ${call})` : call, BOOLEAN);
}

function concatenated(left: Bound, right: Bound): Bound {
  if (left.type.kind === "list" && right.type.kind === "list") return of(`list_concat(${left.sql}, ${right.sql})`, left.type);
  // A chain is tested as a whole, so that the test repeats each part once and not once a link.
  const parts = [...(left.joined ?? [castTo(left, UTF8)]), ...(right.joined ?? [castTo(right, UTF8)])];
  const call = `(${parts.map((part) => part.sql).join(" || ")})`;
  if (parts.filter((part) => part.constant === undefined).length < 2) return { ...of(call, UTF8), joined: parts };
  const size = parts.map((part) => `strlen(${part.sql})`).join(" + ");
  return { ...of(`CASE WHEN ${size} > ${TEXT_JOINED_MAX} THEN error('|| makes more than ${TEXT_JOINED_MAX} bytes') ELSE ${call} END`, UTF8), joined: parts };
}

function bits(operator: "&" | "|" | "#" | "<<" | ">>", left: Bound, right: Bound, position: TextPosition): Bound {
  const type = arithmeticType(left.type, right.type);
  if (type === undefined || !isInteger(type)) throw unsupported(operator, left, right, position);
  const [a, b] = [castTo(left, type).sql, castTo(right, type).sql];
  return of(operator === "#" ? `xor(${a}, ${b})` : `(${a} ${operator} ${b})`, type);
}

function unsupported(operator: string, left: Bound, right: Bound, position: TextPosition): Error {
  return planError(`Cannot coerce arithmetic expression ${arrowName(left.type)} ${operator} ${arrowName(right.type)} to valid types`, {
    position, hint: "cast one side",
  });
}

function arithmetic(operator: BinaryOperator, left: Bound, right: Bound, position: TextPosition): Bound {
  const type = arithmeticType(numeric(left), numeric(right));
  if (type === undefined) throw unsupported(operator, left, right, position);
  const [a, b] = [castTo(left, type, position), castTo(right, type, position)];
  if (!isInteger(type)) return of(`(${a.sql} ${operator} ${b.sql})`, type);
  const folded = foldIntegers(operator, a, b, type);
  if (folded !== undefined) return folded;
  if (operator === "/" || operator === "%") return of(divided(operator === "/" ? "//" : "%", a, b), type);
  return of(narrowed(`(${a.sql} ${operator} ${b.sql})`, type), type);
}

/** A text constant that is a number takes part in arithmetic as a float, as DataFusion coerces it. */
const numeric = (bound: Bound): SqlType => (bound.constant?.kind === "string" ? FLOAT64 : bound.type);

function foldIntegers(operator: BinaryOperator, a: Bound, b: Bound, type: SqlType): Bound | undefined {
  if (type.kind !== "int64" || a.constant?.kind !== "integer" || b.constant?.kind !== "integer") return undefined;
  const [x, y] = [a.constant.value, b.constant.value];
  const value = operator === "+" ? x + y : operator === "-" ? x - y : operator === "*" ? x * y : undefined;
  if (value === undefined || !fitsInt64(value)) return undefined;
  return retyped(of("", type), INT64, bigintSql(value), { kind: "integer", value });
}

/** Small integer types widen in the engine; the result is brought back. */
const narrowed = (sql: string, type: SqlType): string => (type.kind === "int64" || type.kind === "uint64" ? sql : `CAST(${sql} AS ${engineName(type)})`);

/** Integer division and remainder raise on zero as DataFusion does; a known divisor needs no test. */
function divided(operator: "//" | "%", a: Bound, b: Bound): string {
  const plain = `(${a.sql} ${operator} ${b.sql})`;
  if (b.constant?.kind === "integer" && b.constant.value !== 0n) return plain;
  return `CASE WHEN ${b.sql} = 0 AND ${a.sql} IS NOT NULL THEN error('Divide by zero error') ELSE ${plain} END`;
}

const isSpan = (type: SqlType): boolean => type.kind === "interval" || type.kind === "duration";

/** Arithmetic with time in it; undefined when neither side is one. */
function temporal(operator: BinaryOperator, left: Bound, right: Bound): Bound | undefined {
  if (operator === "*" && isSpan(left.type) && isNumeric(right.type)) return scaled(left, right);
  if (operator === "*" && isSpan(right.type) && isNumeric(left.type)) return scaled(right, left);
  if (operator !== "+" && operator !== "-") return undefined;
  if (left.type.kind === "timestamp" && right.type.kind === "timestamp" && operator === "-") return of(`(${left.sql} - ${right.sql})`, DURATION);
  if (left.type.kind === "timestamp" && isText(right.type) && operator === "-") return temporal(operator, left, castTo(right, left.type));
  if (left.type.kind === "timestamp" && isSpan(right.type)) return shifted(left, right, operator);
  if (right.type.kind === "timestamp" && isSpan(left.type) && operator === "+") return shifted(right, left, operator);
  if (left.type.kind === "date" && isSpan(right.type)) return of(`CAST((${left.sql} ${operator} ${castTo(right, { kind: "interval" }).sql}) AS DATE)`, DATE);
  if (left.type.kind === "date" && right.type.kind === "date" && operator === "-") return of(`(CAST(${left.sql} - ${right.sql} AS BIGINT) * ${NS_PER_DAY})`, DURATION);
  if (left.type.kind === "duration" && right.type.kind === "duration") return of(`(${left.sql} ${operator} ${right.sql})`, DURATION);
  if (isSpan(left.type) && isSpan(right.type)) return spans(operator, left, right);
  return undefined;
}

function spans(operator: "+" | "-", left: Bound, right: Bound): Bound {
  const interval = { kind: "interval" } as const;
  if (left.constant?.kind === "interval" && right.constant?.kind === "interval") {
    const sign = operator === "-" ? -1 : 1;
    const [a, b] = [left.constant.interval, right.constant.interval];
    const sum = { months: a.months + sign * b.months, days: a.days + sign * b.days, nanos: a.nanos + BigInt(sign) * b.nanos };
    return retyped(of("", interval), interval, intervalSql(sum), { kind: "interval", interval: sum });
  }
  return of(`(${castTo(left, interval).sql} ${operator} ${castTo(right, interval).sql})`, interval);
}

function scaled(span: Bound, factor: Bound): Bound {
  if (span.type.kind === "duration") return of(`(${span.sql} * ${castTo(factor, INT64).sql})`, DURATION);
  if (span.constant?.kind === "interval" && factor.constant?.kind === "integer") {
    const { months, days, nanos } = span.constant.interval;
    const times = factor.constant.value;
    const interval = { months: months * Number(times), days: days * Number(times), nanos: nanos * times };
    return retyped(span, span.type, intervalSql(interval), { kind: "interval", interval });
  }
  // The engine's interval has no nanoseconds, so a clock interval times a whole number is counted in them.
  if (span.constant?.kind === "interval" && span.constant.interval.months === 0 && span.constant.interval.days === 0 && isInteger(factor.type)) {
    return of(`(${castTo(factor, INT64).sql} * ${bigintSql(span.constant.interval.nanos)})`, DURATION);
  }
  return of(`(${span.sql} * ${isFloat(factor.type) ? factor.sql : castTo(factor, INT64).sql})`, span.type);
}

/** Timestamp plus or minus a span. Known spans without months are plain integer sums, exact to the nanosecond. */
function shifted(time: Bound, span: Bound, operator: "+" | "-"): Bound {
  if (span.type.kind === "duration") return of(`(${time.sql} ${operator} ${span.sql})`, time.type);
  if (span.constant?.kind !== "interval") return of(addInterval(time.sql, operator === "-" ? `(-(${span.sql}))` : span.sql), time.type);
  const sign = operator === "-" ? -1n : 1n;
  const { months, days, nanos } = span.constant.interval;
  const fixed = sign * (BigInt(days) * NS_PER_DAY + nanos);
  if (months === 0 && time.constant?.kind === "timestamp" && fitsInt64(time.constant.ns + fixed)) {
    const ns = time.constant.ns + fixed;
    return retyped(of("", time.type), time.type, bigintSql(ns), { kind: "timestamp", ns });
  }
  const moved = months === 0 ? time.sql : addMonths(time.sql, String(Number(sign) * months));
  return of(fixed === 0n ? moved : `(${moved} + ${bigintSql(fixed)})`, time.type);
}

/** `-x`. */
export function negated(operand: Bound, position: TextPosition): Bound {
  const name = `(- ${operand.name})`;
  const { constant } = operand;
  if (constant?.kind === "integer") {
    const value = -constant.value;
    return { ...operand, name: `Int64(${value})`, type: INT64, sql: bigintSql(value), constant: { kind: "integer", value } };
  }
  if (constant?.kind === "float") return { ...operand, name: `Float64(${-constant.value})`, sql: `(-${operand.sql})`, constant: { kind: "float", value: -constant.value } };
  if (constant?.kind === "interval") {
    const { months, days, nanos } = constant.interval;
    const interval = { months: -months, days: -days, nanos: -nanos };
    return { ...operand, name, sql: intervalSql(interval), constant: { kind: "interval", interval } };
  }
  if (!isNumeric(operand.type) && !isSpan(operand.type) && operand.type.kind !== "null") throw planError(`Negation only supports numeric, interval and timestamp types`, { position });
  const type = isUnsigned(operand.type) ? INT64 : operand.type;
  return { ...retyped(operand, type, `(-${castTo(operand, type).sql})`), name };
}
