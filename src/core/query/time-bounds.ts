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
  } else if (where.kind === "binary") {
    narrow(where.operator, at.bind(where.left, at), at.bind(where.right, at), at);
  } else if (where.kind === "between" && !where.negated) {
    const operand = at.bind(where.operand, at);
    narrow(">=", operand, at.bind(where.low, at), at);
    narrow("<=", operand, at.bind(where.high, at), at);
  }
}

const FLIPPED: Readonly<Record<string, string>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=" };

function narrow(operator: string, left: Bound, right: Bound, at: ExpressionScope): void {
  const scan = timeScan(left, at);
  if (scan !== undefined) apply(scan, operator, constantTime(right));
  else {
    const other = timeScan(right, at);
    if (other !== undefined && FLIPPED[operator] !== undefined) apply(other, FLIPPED[operator], constantTime(left));
  }
}

function timeScan(bound: Bound, at: ExpressionScope): Scan | undefined {
  const { scanColumn } = bound;
  if (scanColumn === undefined || bound.type.kind !== "timestamp") return undefined;
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
