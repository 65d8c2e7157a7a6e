/**
 * Time bounds of a WHERE clause, so that batches outside them are not read. Only conjuncts that compare a scan's own
 * time column with a constant count; the clause itself stays in the query.
 */
import type { ExpressionScope, Scan } from "./bind-context.ts";
import type { Bound } from "./bound.ts";
import { castTo } from "./coerce.ts";
import type { Expression } from "./syntax.ts";
import { TIMESTAMP } from "./types.ts";

export function narrowScans(where: Expression, at: ExpressionScope): void {
  if (where.kind === "binary" && where.operator === "and") {
    narrowScans(where.left, at);
    narrowScans(where.right, at);
  } else if (where.kind === "binary" && FLIPPED[where.operator] !== undefined) {
    if (where.left.kind === "column") narrow(where.operator, where.left, where.right, at);
    else if (where.right.kind === "column") narrow(FLIPPED[where.operator] as string, where.right, where.left, at);
  } else if (where.kind === "between" && !where.negated && where.operand.kind === "column") {
    narrow(">=", where.operand, where.low, at);
    narrow("<=", where.operand, where.high, at);
  }
}

const FLIPPED: Readonly<Record<string, string>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=" };

function narrow(operator: string, column: Expression, value: Expression, at: ExpressionScope): void {
  // A subquery must not be bound twice: each binding asks for scans.
  if (!isPlain(value)) return;
  const scan = timeScan(at.bind(column, at), at);
  if (scan !== undefined) apply(scan, operator, constantTime(at.bind(value, at)));
}

function isPlain(expression: Expression): boolean {
  switch (expression.kind) {
    case "literal":
    case "interval":
    case "parameter":
      return true;
    case "cast":
    case "unary":
      return isPlain(expression.operand);
    case "binary":
      return isPlain(expression.left) && isPlain(expression.right);
    case "call":
      return expression.arguments.every(isPlain);
    default:
      return false;
  }
}

function timeScan(bound: Bound, at: ExpressionScope): Scan | undefined {
  const { scanColumn } = bound;
  if (scanColumn?.column !== "time" || bound.type.kind !== "timestamp") return undefined;
  const scan = at.context.scans.find((candidate) => candidate.id === scanColumn.relationId);
  // The bounds of a batch are those of the column "time"; system tables may have other time columns.
  return scan?.schema === "iox" ? scan : undefined;
}

function constantTime(bound: Bound): bigint | undefined {
  if (bound.constant === undefined || bound.constant.kind === "float" || bound.constant.kind === "boolean") return undefined;
  const { constant } = castTo(bound, TIMESTAMP);
  return constant?.kind === "timestamp" ? constant.ns : undefined;
}

function apply(scan: Scan, operator: string, ns: bigint | undefined): void {
  if (ns === undefined) return;
  if (operator === ">" || operator === ">=" || operator === "=") scan.timeMinNs = scan.timeMinNs === undefined || ns > scan.timeMinNs ? ns : scan.timeMinNs;
  if (operator === "<" || operator === "<=" || operator === "=") scan.timeMaxNs = scan.timeMaxNs === undefined || ns < scan.timeMaxNs ? ns : scan.timeMaxNs;
}
