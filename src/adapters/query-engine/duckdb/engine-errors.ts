/** The engine's error texts to ours. Its words may name internal columns (`r1.c2`); those never leave. */
import { DatabaseError, messageOf } from "../../../core/errors/database-error.ts";

/** Arrow's names of the engine's types. */
const ARROW_NAMES: Readonly<Record<string, string>> = {
  DOUBLE: "Float64", FLOAT: "Float32", INT64: "Int64", INT32: "Int32", INT16: "Int16", INT8: "Int8", UINT64: "UInt64", UINT32: "UInt32", UINT16: "UInt16", UINT8: "UInt8", BOOL: "Boolean", DATE: "Date32", TIME: "Time64(Nanosecond)",
};

/** The reference's words for what the engine said; undefined: it has none of its own. */
function translate(text: string): string | undefined {
  if (text.includes("Divide by zero error")) return "Arrow error: Divide by zero error";
  const operation = /Overflow in (\w+) of \w+/.exec(text)?.[1];
  if (operation !== undefined) return `Arrow error: Arithmetic overflow: Overflow in ${operation}`;
  const [, word, type] = /Could not convert string ['"](.*?)['"] to (\w+)/.exec(text) ?? [];
  if (word !== undefined && type !== undefined) return `Arrow error: Cast error: Cannot cast string '${word}' to value of ${ARROW_NAMES[type] ?? type} type`;
  const value = /Type \w+ with value (.+?) can't be cast/.exec(text)?.[1];
  if (value !== undefined) return `Arrow error: Cast error: Can't cast value ${value}`;
  if (/Scalar Subquery|More than one row returned by a subquery/i.test(text)) return "Execution error: a scalar subquery returned more than one row";
  const [, range, format = range] = /timestamp field value out of range: "([^"]*)"|invalid timestamp field format: "([^"]*)"/.exec(text) ?? [];
  return format === undefined ? undefined : `Arrow error: Parser error: Error parsing timestamp from '${format}': error parsing date`;
}

/** What ended a query, told by who ended it first. */
export type StopReason = "cancelled" | "timeout" | undefined;

export function stoppedError(reason: StopReason, timeoutMs: number): DatabaseError {
  return reason === "timeout"
    ? new DatabaseError("query.time_limit", { message: `Query was stopped after ${timeoutMs} ms`, hint: "narrow the time range, or raise --query-timeout" })
    : new DatabaseError("query.cancelled", { message: "Query was cancelled" });
}

export function engineError(error: unknown, reason: StopReason, timeoutMs: number): DatabaseError {
  const text = messageOf(error);
  if (reason !== undefined) return stoppedError(reason, timeoutMs);
  if (/Out of Memory Error/i.test(text)) {
    return new DatabaseError("query.memory_limit", {
      message: "Resources exhausted: query needs more memory than it may use", hint: "narrow the time range or the columns, or raise --exec-mem-pool-bytes", cause: error,
    });
  }
  const translated = translate(text);
  if (translated !== undefined) return new DatabaseError("query.failed", { message: translated, cause: error });
  const known = /^(?:Invalid Input|Out of Range|Conversion|Constraint) Error: ([^\n]*)/.exec(text);
  const message = known === null ? "Query failed in the engine" : `Execution error: ${(known[1] as string).replace(/\br\d+\.c\d+\b|\bc\d+\b/g, "?")}`;
  return new DatabaseError("query.failed", { message, cause: error });
}
