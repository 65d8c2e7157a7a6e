/**
 * What a WHERE clause says about the scans below it: bounds of time, and tests of single columns against constants. Rows
 * outside them are not read. The clause itself stays in the query, so only what is certain needs to be found here.
 */
import type { CellValue } from "../columns/cells.ts";
import type { ExpressionScope, Scan } from "./bind-context.ts";
import type { Bound } from "./bound.ts";
import type { Expression } from "./syntax.ts";
import { constantTime, isPlain } from "./time-bounds.ts";
import { isInteger, isText, type SqlType } from "./types.ts";

/** Notes the conjuncts in the scans. True when there is nothing else in the clause. */
export function narrowScans(where: Expression, at: ExpressionScope): boolean {
  switch (where.kind) {
    case "binary": {
      if (where.operator === "and") {
        const left = narrowScans(where.left, at);
        return narrowScans(where.right, at) && left;
      }
      const flipped = FLIPPED[where.operator];
      if (flipped === undefined) return false;
      if (where.left.kind === "column") return compare(where.operator, where.left, [where.right], at);
      return where.right.kind === "column" && compare(flipped, where.right, [where.left], at);
    }
    case "between":
      return !where.negated && where.operand.kind === "column" && compare(">=", where.operand, [where.low], at) && compare("<=", where.operand, [where.high], at);
    case "in-list":
      return where.operand.kind === "column" && compare(where.negated ? "<>" : "=", where.operand, where.items, at);
    default:
      return false;
  }
}

const FLIPPED: Readonly<Record<string, string>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>" };

function compare(operator: string, column: Expression, items: readonly Expression[], at: ExpressionScope): boolean {
  // A subquery must not be bound twice: each binding asks for scans.
  if (!items.every(isPlain)) return false;
  const bound = at.bind(column, at);
  const scan = scanOf(bound, at);
  if (scan === undefined) return false;
  const values = items.map((item) => at.bind(item, at));
  if (bound.type.kind === "timestamp") return bound.scanColumn?.column === "time" && values.length === 1 && narrowTime(scan, operator, constantTime(values[0] as Bound));
  if (operator !== "=" && operator !== "<>") return false;
  const cells = values.map((value) => cellOf(value, bound.type));
  if (cells.includes(undefined)) return false;
  scan.tests.push({ column: (bound.scanColumn as { readonly column: string }).column, values: new Set(cells as CellValue[]), negated: operator === "<>" });
  return true;
}

/** Columns of outer queries have none: what a subquery says of an outer row does not hold for the outer scan. */
function scanOf({ scanColumn }: Bound, at: ExpressionScope): Scan | undefined {
  if (scanColumn === undefined) return undefined;
  const scan = at.context.scans.find((candidate) => candidate.id === scanColumn.relationId);
  // The bounds of a batch are those of the column "time"; system tables may have other time columns.
  return scan?.schema === "iox" || scan?.schema === "cache" ? scan : undefined;
}

function narrowTime(scan: Scan, operator: string, ns: bigint | undefined): boolean {
  if (ns === undefined || operator === "<>") return false;
  const least = operator === ">" ? ns + 1n : operator === "<" || operator === "<=" ? undefined : ns;
  const greatest = operator === "<" ? ns - 1n : operator === ">" || operator === ">=" ? undefined : ns;
  if (least !== undefined) scan.timeMinNs = scan.timeMinNs === undefined || least > scan.timeMinNs ? least : scan.timeMinNs;
  if (greatest !== undefined) scan.timeMaxNs = scan.timeMaxNs === undefined || greatest < scan.timeMaxNs ? greatest : scan.timeMaxNs;
  return true;
}

/** The constant as a cell of a column; undefined: the comparison is not one of equal values. */
function cellOf({ constant }: Bound, type: SqlType): CellValue | undefined {
  if (isText(type)) return constant?.kind === "string" ? constant.text : undefined;
  if (isInteger(type)) return constant?.kind === "integer" ? constant.value : undefined;
  return type.kind === "boolean" && constant?.kind === "boolean" ? constant.value : undefined;
}
