/** What a function's binder gets and gives. Functions that are in no registry do not exist. */
import type { Bound, Constant } from "./bound.ts";
import { castTo } from "./coerce.ts";
import { planError, type TextPosition } from "./sql-error.ts";
import { arrowName, isNumeric, isText, type SqlType } from "./types.ts";

export interface CallSite {
  readonly name: string;
  readonly position: TextPosition;
  readonly nowNs: bigint;
  /** A percentile counts from the greatest value down. */
  readonly fromTop?: boolean;
}

export interface ScalarResult {
  readonly sql: string;
  readonly type: SqlType;
  readonly constant?: Constant;
  /** Instead of `name(arguments)`. */
  readonly shown?: string;
}

export type ScalarFunction = (args: readonly Bound[], site: CallSite) => ScalarResult;

export interface AggregateResult {
  /** Engine function and its arguments; DISTINCT and ORDER BY go inside the parentheses. */
  readonly engine: string;
  readonly args: readonly string[];
  /** Each value once, whether the call says DISTINCT or not. */
  readonly distinct?: boolean;
  readonly type: SqlType;
  /** Instead of `engine(args) OVER (…)`, given the text of the window. */
  readonly windowed?: (over: string) => string;
  /** Around the whole call, after FILTER and OVER. */
  readonly wrap?: (sql: string) => string;
  /** Rows the function never sees. */
  readonly filter?: string;
  /** Whether ORDER BY inside may go to the engine. */
  readonly ordered?: boolean;
}

export type AggregateFunction = (args: readonly Bound[], site: CallSite) => AggregateResult;

/** Argument count, else DataFusion's words for a call that matches no signature. */
export function expectCount(args: readonly Bound[], site: CallSite, from: number, to = from): void {
  if (args.length >= from && args.length <= to) return;
  const expected = from === to ? String(from) : to === Infinity ? `at least ${from}` : `${from} to ${to}`;
  throw planError(`'${site.name}' function requires ${expected} argument${expected === "1" ? "" : "s"}, got ${args.length}`, { position: site.position });
}

export function badArgument(args: readonly Bound[], site: CallSite, hint?: string): Error {
  return planError(
    `Failed to coerce arguments to satisfy a call to '${site.name}' function: no signature for (${args.map((arg) => arrowName(arg.type)).join(", ")})`,
    { position: site.position, hint },
  );
}

/** The argument as text; numbers and times are printed, as DataFusion coerces them. */
export function textArgument(args: readonly Bound[], index: number, site: CallSite): string {
  const arg = args[index] as Bound;
  return castTo(arg, { kind: "utf8" }, site.position).sql;
}

/** The argument as a number of `type`; text must be a constant that reads as one. */
export function numberArgument(args: readonly Bound[], index: number, site: CallSite, type: SqlType): string {
  const arg = args[index] as Bound;
  if (!isNumeric(arg.type) && arg.type.kind !== "null" && !(isText(arg.type) && arg.constant !== undefined)) throw badArgument(args, site);
  return castTo(arg, type, site.position).sql;
}

/** Text of an argument that must be a literal. */
export function literalText(args: readonly Bound[], index: number, site: CallSite, what: string): string {
  const constant = args[index]?.constant;
  if (constant?.kind !== "string") throw planError(`${site.name} requires ${what} as a string literal`, { position: site.position });
  return constant.text;
}
