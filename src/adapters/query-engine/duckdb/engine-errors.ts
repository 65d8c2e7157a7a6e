/** The engine's error texts to ours. Its words may name internal columns (`r1.c2`); those never leave. */
import { DatabaseError, messageOf } from "../../../core/errors/database-error.ts";

/** Arrow's names of the engine's types. */
const ARROW_NAMES: Readonly<Record<string, string>> = {
  DOUBLE: "Float64", FLOAT: "Float32", INT64: "Int64", INT32: "Int32", INT16: "Int16", INT8: "Int8", UINT64: "UInt64", UINT32: "UInt32", UINT16: "UInt16", UINT8: "UInt8", BOOL: "Boolean", DATE: "Date32", TIME: "Time64(Nanosecond)",
};

const PATTERNS: readonly (readonly [pattern: RegExp, make: (match: RegExpExecArray) => string])[] = [
  [/Divide by zero error/, () => "Arrow error: Divide by zero error"],
  [/Overflow in (\w+) of (\w+)[^!]*!?/, (m) => `Arrow error: Arithmetic overflow: Overflow in ${m[1]}`],
  [/Could not convert string ['"](.*?)['"] to (\w+)/, (m) => `Arrow error: Cast error: Cannot cast string '${m[1]}' to value of ${ARROW_NAMES[m[2] as string] ?? m[2]} type`],
  [/Type \w+ with value (.+?) can't be cast/, (m) => `Arrow error: Cast error: Can't cast value ${m[1]}`],
  [/Scalar Subquery|More than one row returned by a subquery/i, () => "Execution error: a scalar subquery returned more than one row"],
  [/timestamp field value out of range: "([^"]*)"|invalid timestamp field format: "([^"]*)"/, (m) => `Arrow error: Parser error: Error parsing timestamp from '${m[1] ?? m[2]}': error parsing date`],
];

/** What ended a query, told by who ended it first. */
export type StopReason = "cancelled" | "timeout" | undefined;

export function stoppedError(reason: StopReason, timeoutMs: number): DatabaseError {
  return reason === "timeout"
    ? new DatabaseError("query.time_limit", { message: `Query was stopped after ${timeoutMs} ms`, hint: "narrow the time range, or raise the query timeout" })
    : new DatabaseError("query.cancelled", { message: "Query was cancelled" });
}

export function engineError(error: unknown, reason: StopReason, timeoutMs: number): DatabaseError {
  const text = messageOf(error);
  if (reason !== undefined) return stoppedError(reason, timeoutMs);
  if (/Out of Memory Error/i.test(text)) {
    return new DatabaseError("query.memory_limit", {
      message: "Resources exhausted: query needs more memory than it may use", hint: "narrow the time range or the columns, or raise the memory limit", cause: error,
    });
  }
  for (const [pattern, make] of PATTERNS) {
    const match = pattern.exec(text);
    if (match !== null) return new DatabaseError("query.failed", { message: make(match), cause: error });
  }
  const known = /^(?:Invalid Input|Out of Range|Conversion|Constraint) Error: ([^\n]*)/.exec(text);
  const message = known === null ? "Query failed in the engine" : `Execution error: ${(known[1] as string).replace(/\br\d+\.c\d+\b|\bc\d+\b/g, "?")}`;
  return new DatabaseError("query.failed", { message, cause: error });
}
