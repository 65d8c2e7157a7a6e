/** A bound expression: engine text, type and the name DataFusion would give its column. No user text is in `sql` unescaped. */
import type { Interval } from "./interval.ts";
import type { SqlType } from "./types.ts";

/** Value known while planning. */
export type Constant =
  | { readonly kind: "null" }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "timestamp"; readonly ns: bigint }
  | { readonly kind: "interval"; readonly interval: Interval };

export interface Bound {
  readonly sql: string;
  readonly type: SqlType;
  readonly name: string;
  readonly constant?: Constant | undefined;
  readonly aggregate: boolean;
  readonly window: boolean;
  /** Operands of a chain of `||`, in order. */
  readonly joined?: readonly Bound[] | undefined;
  /** A column outside every aggregate and every GROUP BY expression, for the error that names it. */
  readonly loose?: string | undefined;
  /** Set for a plain column of a scanned table: what time bounds are taken from. */
  readonly scanColumn?: { readonly relationId: number; readonly column: string } | undefined;
}

/** What an expression inherits from its operands. */
export function inherit(operands: readonly Bound[]): Pick<Bound, "aggregate" | "window" | "loose"> {
  return {
    aggregate: operands.some((operand) => operand.aggregate),
    window: operands.some((operand) => operand.window),
    loose: operands.find((operand) => operand.loose !== undefined)?.loose,
  };
}

/** A text as an engine literal. NUL would end the engine's text early, so it is spelled out. */
export function stringSql(text: string): string {
  const pieces = text.split("\0").map((piece) => `'${piece.replaceAll("'", "''")}'`);
  return pieces.length === 1 ? (pieces[0] as string) : `(${pieces.join(" || chr(0) || ")})`;
}

/** A 64-bit integer literal that is never taken for an ordinal and never narrowed. */
export function bigintSql(value: bigint): string {
  return value === -(1n << 63n) ? "CAST('-9223372036854775808' AS BIGINT)" : value < 0n ? `CAST((${value}) AS BIGINT)` : `CAST(${value} AS BIGINT)`;
}

export function doubleSql(value: number): string {
  const text = Number.isNaN(value) ? "NaN" : value === Infinity ? "Infinity" : value === -Infinity ? "-Infinity" : String(value);
  return `CAST('${text}' AS DOUBLE)`;
}

/** An interval literal of the engine; what is below a microsecond is lost, so exact paths never use it. */
export function intervalSql({ months, days, nanos }: Interval): string {
  return `(to_months(CAST(${months} AS INTEGER)) + to_days(CAST(${days} AS INTEGER)) + to_microseconds(CAST(${nanos / 1000n} AS BIGINT)))`;
}
